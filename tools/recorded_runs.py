"""The runs behind notebooks 07 to 09, as lists of settings.

`cpu_plan` takes two CPU cores about six hours, `gpu_plan` is for a GPU;
both hold the same questions. Each `Group` is one call of
`styletut.sweeps.sweep_rows`; tools/record.py makes them. A run's `label`
says which question it answers and with which value, "question: value". Runs
that are equal are made once, however many questions they answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from styletut.conventions import (
    DEFAULT_CONVENTION,
    get_convention,
    paper_weights,
)
from styletut.images.picture import fit
from styletut.metrics import CONTENT_LAYERS, STYLE_LAYERS
from styletut.objective.statistics import STATISTICS
from styletut.transfer.sizes import split_evaluations
from styletut.vgg import feature_shape

Settings = dict[str, Any]
Pair = tuple[str, str]
Schedule = tuple[tuple[int, int], ...]

LAYERS_PAIR: Pair = ("chelsea", "night")
RATIO_PAIRS: tuple[Pair, ...] = (("chelsea", "night"), ("astronaut", "mosaic"))
FIRST_TEST: Pair = ("coffee", "points")
SECOND_TEST: Pair = ("retina", "wave")
"""Notebook 09's rule was found on `RATIO_PAIRS`, and tested on the first of
these pairs before any picture of it had been made. It was corrected, and then
tested on the second, drawn by lot among pairs without any picture."""
ELBOW_AT_96 = 2.15
"""(S0 - S1) / C1 of `FIRST_TEST`, (9.5), from a small run at 96 pixels."""
ELBOWS = {256: 1.84, 512: 2.15}
"""The same of `SECOND_TEST` by size, from 30 evaluations at that size."""
TEN_PAIRS: tuple[Pair, ...] = (
    LAYERS_PAIR,
    ("astronaut", "mosaic"),
    FIRST_TEST,
    SECOND_TEST,
    ("rocket", "glass"),
    ("camera", "ink"),
    ("coffee", "marble"),
    ("chelsea", "meadow"),
    ("astronaut", "night"),
    ("rocket", "wave"),
)
"""Each photo and each style picture at least once: what holds on these is
said of more than one cat and one night."""
REPEATS = (0, 1, 2)
"""A run is repeated with beta changed by so many millionths, which leaves the
objective as it is and changes every rounding error."""
STRENGTHS = (1.0, 0.65)
"""Of the style where notebook 10 compares statistics: the default's, and one
at which beta/alpha is a quarter of it."""
JUDGED = (
    "default: ",
    "content layer: relu2_2",
    "content layer: relu5_2",
    "single: relu1_1",
    "single: relu4_1",
    "left out: relu1_1",
    "left out: relu5_1",
    "weights: equal",
    "equal pull: ",
    "network, tuned: average",
)
"""Settings of notebook 08 whose pictures people judge without their names."""
LARGE_PAIR: Pair = ("coffee", "wave")
GALLERY: dict[Pair, float] = {
    ("chelsea", "glass"): 0.05,
    ("astronaut", "mosaic"): 0.8,
    ("coffee", "wave"): 0.047,
    ("rocket", "night"): 0.026,
    ("camera", "ink"): 0.058,
    ("retina", "marble"): 0.12,
    ("astronaut", "points"): 0.028,
    ("coffee", "meadow"): 0.048,
}
"""Pairs with the alpha of the CPU's gallery: what the default takes for them
at 1024 pixels, but for the astronaut in mosaic, whose face is lost under
stones with the default's 0.06 and comes back from 0.6 on."""
GALLERY_SIZES = {"retina": 2048}
"""Longer sides in the CPU's gallery that are not 1024 pixels: the largest
photo shows what is in it. None is enlarged more than twice."""

PHOTO_SHAPES = {
    "astronaut": (512, 512),
    "camera": (512, 512),
    "chelsea": (300, 451),
    "coffee": (400, 600),
    "retina": (1411, 1411),
    "rocket": (427, 640),
}
"""Height and width of the photos, so that a plan needs none of them."""

DECADES = {"gatys2016": (-9, -2)}
OTHER_DECADES = (-6, 1)
"""Least and largest power of ten of the ratio a / (5 b) at relu4_1. On the
paper's network, whose maps are some hundred times smaller, it turns from paint
to photo at ratios ten thousand times smaller and more."""

ALPHAS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)

TUTORIALS: dict[str, Settings] = {
    "pytorch_tutorial": {"weights": "oxford", "normalize": True},
    "tensorflow_tutorial": {},
}
"""Tutorials, with the network where it is not theirs. Torchvision's weights
do not travel, and Oxford's plain maps are so large that the second step of
PyTorch's tutorial would throw the picture away."""

NAMED: Settings = {"precision": "float32", "start": "content"}
"""What every run names, like its schedule, although it is the default: what
the default is may change, and from one processor to the next, and a run's key
must not. Those of this course's convention name their alpha, too, which would
otherwise follow the pair."""

FORMULAS = ("neural_style", "leongatys_notebook", "gatys2016")
"""Conventions whose ratios notebook 09 lines up with this course's: two
programs' on the plain network, and the paper's on its own."""

SAME_RUN = {
    "optimizer": get_convention("styletut").optimizer,
    "options": {},
    "range_rule": "project",
    "gamma": 0.0,
}
"""What foreign conventions take over, so that their formulas alone differ."""

# Typical distances at 256 pixels, medians over all pairs of a sample photo
# and a style picture as tools/choose_defaults.py takes them: mean square of
# G/M - A/M_a and of F - P, for (pooling, normalized filters).
_STYLE_DISTANCES = {
    ("max", False): (2.6e6, 1.1e9, 2.8e9, 5.1e11, 9.6e7),
    ("average", False): (2.6e6, 2.5e8, 1.8e8, 1.2e10, 1.5e5),
    ("max", True): (5.0, 2.3, 3.4, 4.9, 26.0),
    ("average", True): (5.0, 2.1, 2.7, 3.9, 20.0),
}
_CONTENT_DISTANCES = {
    ("max", False): (6.8e4, 1.9e5, 1.9e5, 1.2e6, 9.1e3),
    ("average", False): (6.8e4, 1.2e5, 5.3e4, 1.7e5, 300.0),
    ("max", True): (6.2, 12.0, 5.7, 11.0, 38.0),
    ("average", True): (6.2, 11.0, 6.2, 12.0, 41.0),
}
_CHANNELS = (64, 128, 256, 512, 512)
# Euclidean norm of the gradient of the mean square of G/M - A/M_a with
# respect to the photo's pixels, at the photo: medians over the same pairs.
_STYLE_PULLS = (7.3e4, 4.7e7, 1.4e8, 5.6e10, 2.2e7)


@dataclass(frozen=True)
class Group:
    """Runs that belong together.

    Attributes:
        name: of the folder that keeps them, such as "08".
        runs: settings of each, with its pictures and its label.
        common: settings of all.
        longest_side: of the pictures that are published, in pixels.
        pictured: which of the runs a notebook shows; all by default.
    """

    name: str
    runs: tuple[Settings, ...]
    common: Settings
    longest_side: int = 256
    pictured: Callable[[Settings], bool] = lambda run: True


def cpu_plan() -> list[Group]:
    """Return all runs for a CPU: at 256 pixels, but for the gallery's.

    Groups whose names end in "pairs" ask whether what one pair shows holds on
    ten. Pictures of repeats are not kept, for they look like the first ones.
    """
    usual = halving(256, 120)
    layers = [on(LAYERS_PAIR, run) for run in layer_runs()]
    ratios = [
        *(on(p, r) for p in RATIO_PAIRS for r in ratio_runs(p, 256, 13)),
        *(
            on(LAYERS_PAIR, {**run, "start": "noise"})
            for run in ratio_runs(LAYERS_PAIR, 256, 7, "noise")
        ),
        *(
            on(LAYERS_PAIR, run)
            for name in FORMULAS
            for run in ratio_runs(LAYERS_PAIR, 256, 7, name, name)
        ),
        *(on(FIRST_TEST, run) for run in rule_runs(ELBOW_AT_96)),
        *(on(SECOND_TEST, run) for run in rule_runs(ELBOWS[256])),
    ]
    small = [
        on(LAYERS_PAIR, run)
        for run in ratio_runs(LAYERS_PAIR, 128, 7, "128 pixels")
    ]
    return [
        Group("08", tuple(layers), {"schedule": usual}),
        Group("09", tuple(ratios), {"schedule": usual}),
        Group("09_small", tuple(small), {"schedule": halving(128, 120)}),
        Group(
            "gallery",
            gallery_runs(),
            {},
            max(GALLERY_SIZES.values()),
        ),
        Group("07", full_runs(LAYERS_PAIR, (128, 256), 120), {}, 1024),
        Group("08_pairs", layer_pairs(), {}, pictured=is_judged),
        Group("09_pairs", ratio_pairs(), {}, pictured=is_leafed),
        Group("paper_pairs", paper_pairs(), {}, pictured=is_the_papers),
        Group("10_pairs", statistic_pairs(), {}, pictured=is_compared),
    ]


def gpu_plan() -> list[Group]:
    """Return all runs for a GPU: 512 pixels, 300 evaluations."""
    usual = halving(512, 300)
    starts = ("content", "noise")
    layers = [
        on(pair, {**run, "start": start})
        for pair in RATIO_PAIRS
        for start in starts
        for run in layer_runs()
    ]
    ratios = [
        *(
            on(pair, {**run, "start": start})
            for pair in (*tuple(GALLERY)[:6], RATIO_PAIRS[0])
            for start in starts
            for run in ratio_runs(pair, 512, 13, start)
        ),
        *(
            on(pair, run)
            for pair in RATIO_PAIRS
            for name in FORMULAS
            for run in ratio_runs(pair, 512, 7, name, name)
        ),
        *(on(FIRST_TEST, run) for run in rule_runs(ELBOW_AT_96)),
        *(on(SECOND_TEST, run) for run in rule_runs(ELBOWS[512])),
    ]
    small = [
        on(pair, run)
        for pair in RATIO_PAIRS
        for run in ratio_runs(pair, 128, 7, "128 pixels")
    ]
    gallery = [on(pair, {"label": "gallery: "}) for pair in GALLERY]
    return [
        Group("07", full_runs(LARGE_PAIR, (256, 512, 1024), 300), {}, 1024),
        Group("gallery", tuple(gallery), {"schedule": halving(512, 600)}, 512),
        Group("09", tuple(ratios), {"schedule": usual}),
        Group("09_small", tuple(small), {"schedule": halving(128, 300)}),
        Group("08", tuple(layers), {"schedule": usual}),
    ]


def halving(size: int, evaluations: int) -> Schedule:
    """Spread evaluations evenly over sizes that double from 128 pixels."""
    sizes = [size]
    while sizes[0] > 128:
        sizes.insert(0, sizes[0] // 2)
    return tuple((side, evaluations // len(sizes)) for side in sizes)


def gallery_runs() -> tuple[Settings, ...]:
    """Return the CPU's gallery: much at small sizes, little at the largest.

    Coarse sizes decide where strokes lie, and cost little; at the largest a
    dozen evaluations put the finest strokes in.
    """
    coarse = ((128, 40), (256, 40), (512, 25))
    runs = []
    for pair, alpha in GALLERY.items():
        photo, _ = pair
        twice = 2 * max(PHOTO_SHAPES[photo])
        size = min(GALLERY_SIZES.get(photo, 1024), twice)
        fine = ((1024, 12), (size, 8)) if size > 1024 else ((size, 12),)
        run = {"label": "gallery: ", "start": "color", "alpha": alpha}
        runs.append(on(pair, {**run, "schedule": (*coarse, *fine)}))
    return tuple(runs)


def on(pair: Pair, run: Mapping[str, Any]) -> Settings:
    """Return a run's settings with its pictures and what is named always."""
    content, style = pair
    if run.get("convention", DEFAULT_CONVENTION) == DEFAULT_CONVENTION:
        run = {"alpha": get_convention(DEFAULT_CONVENTION).alpha, **run}
    return {**NAMED, **run, "content": content, "style": style}


def layer_runs() -> list[Settings]:
    """Return what notebook 08 asks, one thing changed at a time.

    The layers that remain always share the whole of the style's weight, so
    that a run with fewer of them is not one with less style.
    """
    runs: list[Settings] = [{"label": "default: "}]
    for n in (1, 2, 3):
        # rounding errors grow: what a change of nothing changes is chance
        runs.append({"label": f"chance: {n}", **repeat(n)})
    for layer in CONTENT_LAYERS:
        runs.append(
            {
                "label": f"content layer: {layer}",
                "content_layers": content_weight(layer),
            }
        )
    for n in range(1, 6):
        layers = STYLE_LAYERS[:n]
        runs.append(_styled(f"growing: up to {layers[-1]}", _evenly(layers)))
    for layer in STYLE_LAYERS:
        runs.append(_styled(f"single: {layer}", _evenly([layer])))
    for left_out in STYLE_LAYERS:
        layers = [layer for layer in STYLE_LAYERS if layer != left_out]
        runs.append(_styled(f"left out: {left_out}", _evenly(layers)))
    distances = _STYLE_DISTANCES["max", False]
    equal = 1 / sum(distances)
    by_width = 1 / sum(
        d / N**2 for d, N in zip(distances, _CHANNELS, strict=True)
    )
    halves = [2.0**-n for n in range(5)]
    fine = dict(zip(STYLE_LAYERS, halves, strict=True))
    coarse = dict(zip(STYLE_LAYERS, halves[::-1], strict=True))
    runs += [
        _styled("weights: equal", dict.fromkeys(STYLE_LAYERS, equal)),
        _styled(
            "weights: 1 / N^2",
            {
                layer: by_width / N**2
                for layer, N in zip(STYLE_LAYERS, _CHANNELS, strict=True)
            },
        ),
        _styled("weights: halved upwards", style_weights(fine)),
        _styled("weights: halved downwards", style_weights(coarse)),
    ]
    for pooling, normalize in (
        ("average", False),
        ("max", True),
        ("average", True),
    ):
        network = {"pooling": pooling, "normalize": normalize}
        name = f"{pooling}{', normalized' if normalize else ''}"
        tuned = {
            "content_layers": content_weight("relu4_2", pooling, normalize),
            "style_layers": style_weights(
                dict.fromkeys(STYLE_LAYERS, 1), pooling, normalize
            ),
        }
        runs += [
            {"label": f"network: {name}", **network},
            {"label": f"network, tuned: {name}", **network, **tuned},
        ]
    return runs


def layer_pairs() -> tuple[Settings, ...]:
    """Return what notebook 08 asks on ten pairs.

    It is all of `layer_runs` and what leaves one layer out where all pull
    alike. They are runs as the default makes them, from the recolored photo
    with 60 evaluations. The default is made three times on each pair, and
    what conclusions rest on twice on half of them: that tells what rounding
    does, and that more repeats would make no interval shorter.
    """
    usual = as_the_default(256)
    once = [r for r in layer_runs() if not r["label"].startswith("chance")]
    once += pull_runs()
    default = [run for run in once if run["label"] == "default: "]
    asked = [run for run in once if _is_asked(run["label"])]
    return tuple(
        on(pair, {**run, **usual, **repeat(n)})
        for n, runs, pairs in (
            (0, once, TEN_PAIRS),
            (1, default, TEN_PAIRS),
            (1, asked, TEN_PAIRS[:5]),
            (2, default, TEN_PAIRS),
        )
        for pair in pairs
        for run in runs
    )


def _is_asked(label: str) -> bool:
    """Return whether a conclusion of notebook 08 rests on a setting."""
    question, _, value = label.partition(": ")
    return value == "equal" or question in (
        *("content layer", "single", "left out"),
        *("equal pull", "equal pull, left out"),
    )


def as_the_default(size: int) -> Settings:
    """Return schedule and start of a default run at a size."""
    return {
        "schedule": tuple(split_evaluations(size, 60, coarsest=128)),
        "start": "color",
    }


def repeat(n: int) -> Settings:
    """Return what makes the n-th repeat of a run, nothing for the first."""
    return {"beta": 1 + n * 1e-6} if n else {}


def is_judged(run: Settings) -> bool:
    """Return whether notebook 08 asks people to judge a run of its pairs."""
    return run["label"] in JUDGED and "beta" not in run


def is_leafed(run: Settings) -> bool:
    """Return whether notebook 09 leafs through a run of its pairs."""
    sizes = [side for side, _ in run["schedule"]]
    return sizes[-1] == 256 and "beta" not in run


def is_the_papers(run: Settings) -> bool:
    """Return whether notebook 09 shows a run of the paper's setting."""
    return (run["content"], run["style"]) == LAYERS_PAIR


def pull_runs() -> list[Settings]:
    """Return runs in which all style layers pull alike at a typical photo.

    Shares of the loss are not shares of the gradient: a layer left out may be
    missed since it pulled hardest. Here the norms of the gradients are equal,
    and the whole is again 1 at a typical distance.
    """
    return [
        _styled("equal pull: ", _pulling_alike(STYLE_LAYERS)),
        *(
            _styled(
                f"equal pull, left out: {left_out}",
                _pulling_alike([k for k in STYLE_LAYERS if k != left_out]),
            )
            for left_out in STYLE_LAYERS
        ),
    ]


def _pulling_alike(layers: Sequence[str]) -> dict[str, float]:
    """Return w_l by which layers have gradients of one norm."""
    pulls = dict(zip(STYLE_LAYERS, _STYLE_PULLS, strict=True))
    distances = dict(
        zip(STYLE_LAYERS, _STYLE_DISTANCES["max", False], strict=True)
    )
    whole = sum(distances[layer] / pulls[layer] for layer in layers)
    return {layer: 1 / pulls[layer] / whole for layer in layers}


def ratio_pairs() -> tuple[Settings, ...]:
    """Return what notebook 09 asks on ten pairs: alphas, and the default's.

    They are runs as the default makes them, from the recolored photo with 60
    evaluations. The default's own alpha, a share of the untouched photo's
    style loss, is made at three sizes, with style alone beside it.
    """
    alphas = [(f"alpha: {value:g}", value) for value in ALPHAS]
    rule: tuple[str, float | None] = ("rule of the default: ", None)
    alone = ("alpha: 0", 0.0)
    asked = [
        (256, 0, TEN_PAIRS, [*alphas, rule]),
        (128, 0, TEN_PAIRS, [*alphas, rule]),
        (512, 0, TEN_PAIRS[:4], [alone, rule]),
        *((256, n, TEN_PAIRS, [*alphas[1:], rule]) for n in REPEATS[1:]),
    ]
    return tuple(
        on(
            pair,
            {
                "label": label if size == 256 else f"{size} pixels, {label}",
                "alpha": alpha,
                **as_the_default(size),
                **repeat(n),
            },
        )
        for size, n, pairs, settings in asked
        for pair in pairs
        for label, alpha in settings
    )


def paper_pairs() -> tuple[Settings, ...]:
    """Return the paper's whole setting, and its authors' program's.

    Average pooling, the rescaled network, weights of 1/5, from noise, 500
    evaluations: with alpha/beta = 1e-3 literally, and with the same number
    where the content is a mean over its entries. And the formulas of the
    authors' notebook in two stages, from the photo: 500 evaluations, then 200
    at twice the size.
    """
    size, paper = 256, get_convention("gatys2016")
    runs = []
    for photo, style in TEN_PAIRS:
        shape = fit(*PHOTO_SHAPES[photo], size)
        entries = prod(feature_shape("relu4_2", *shape))
        whole = {"schedule": ((size, paper.evaluations),), "start": "noise"}
        literal = {"convention": "gatys2016", "alpha": paper.alpha, **whole}
        mean = {**literal, "alpha": float(f"{paper.alpha / entries:.4g}")}
        stages = {"schedule": ((size // 2, 500), (size, 200))}
        two = {"convention": "leongatys_notebook", **stages}
        runs += [
            on((photo, style), {"label": label, **run})
            for label, run in (
                ("paper: 1e-3", literal),
                ("paper: 1e-3, content a mean", mean),
                ("authors: in two stages", two),
            )
        ]
    return tuple(runs)


def statistic_pairs() -> tuple[Settings, ...]:
    """Return what notebook 10 asks of statistics on ten pairs.

    Each at the default's strength and at one that leaves more of the photo,
    with the alpha that the default's rule takes by the statistic's own loss.
    """
    return tuple(
        on(
            pair,
            {
                "label": f"{statistic}: {strength:g}",
                "alpha": None,
                "statistic": statistic,
                "strength": strength,
                **as_the_default(256),
            },
        )
        for strength in STRENGTHS
        for statistic in STATISTICS
        for pair in TEN_PAIRS
    )


def is_compared(run: Settings) -> bool:
    """Return whether notebook 10 shows a run of its pairs."""
    pairs = (LAYERS_PAIR, TEN_PAIRS[-1], FIRST_TEST)
    return run["strength"] == 1 and (run["content"], run["style"]) in pairs


def _styled(label: str, weights: dict[str, float]) -> Settings:
    return {"label": label, "style_layers": weights}


def _evenly(layers: Sequence[str]) -> dict[str, float]:
    return style_weights(dict.fromkeys(layers, 1))


def style_weights(
    shares: Mapping[str, float], pooling: str = "max", normalize: bool = False
) -> dict[str, float]:
    """Return w_l for which layers have these shares at a typical distance."""
    distances = dict(
        zip(STYLE_LAYERS, _STYLE_DISTANCES[pooling, normalize], strict=True)
    )
    whole = sum(shares.values())
    return {k: share / whole / distances[k] for k, share in shares.items()}


def content_weight(
    layer: str, pooling: str = "max", normalize: bool = False
) -> dict[str, float]:
    """Return {layer: v_l} for which a typical distance counts 1."""
    distances = _CONTENT_DISTANCES[pooling, normalize]
    return {layer: 1 / distances[CONTENT_LAYERS.index(layer)]}


def ratio_runs(
    pair: Pair,
    size: int,
    points: int,
    label: str = "content",
    convention: str = "styletut",
) -> list[Settings]:
    """Return what notebook 09 asks: a grid of ratios, even in logarithms."""
    low, high = DECADES.get(convention, OTHER_DECADES)
    runs = []
    for n in range(points):
        ratio = 10 ** (low + (high - low) * n / (points - 1))
        run = {
            "label": f"{label}: {ratio:.3g}",
            "alpha": alpha_for(ratio, pair[0], size, convention),
        }
        if convention != "styletut":
            run |= {"convention": convention, **SAME_RUN}
        runs.append(run)
    return runs


def alpha_for(
    ratio: float, photo: str, size: int, convention: str = "styletut"
) -> float:
    """Return the alpha for which a / (5 b) at relu4_1 is the ratio.

    a and b are the weights of relu4_2's content loss and of relu4_1's style
    loss in the units of equations (1) and (4) of Gatys, Ecker, Bethge
    (2016), for the photo at a longer side of `size` pixels. It is rounded
    to four digits.
    """
    own = get_convention(convention)
    content, style = paper_weights(own, *fit(*PHOTO_SHAPES[photo], size))
    alpha = ratio * 5 * style["relu4_1"] / (content["relu4_2"] / own.alpha)
    return float(f"{alpha:.4g}")


def rule_runs(elbow: float) -> list[Settings]:
    """Return what tests notebook 09's rule on a pair.

    The default alpha and two beside it, the end where style is alone, and
    what the rule asks for: a fifth of the elbow's ratio, and the elbow's.
    """
    alpha = get_convention("styletut").alpha
    return [
        *(
            {"label": f"rule: alpha x {factor:g}", "alpha": alpha * factor}
            for factor in (0.1, 1, 10)
        ),
        {"label": "rule: style alone", "alpha": 0.0},
        *(
            {"label": f"rule: psi = {psi:g}", "alpha": psi * elbow}
            for psi in (0.2, 1)
        ),
    ]


def work_of(run: Mapping[str, Any]) -> float:
    """Return a run's evaluations, each times a million pixels."""
    shape = PHOTO_SHAPES[Path(run["content"]).stem]
    return sum(
        prod(fit(*shape, side)) * n / 1e6 for side, n in run["schedule"]
    )


def full_runs(
    pair: Pair, sizes: Sequence[int], evaluations: int
) -> tuple[Settings, ...]:
    """Return what notebook 07 asks, up to the largest of the sizes."""
    largest = sizes[-1]
    usual = halving(largest, evaluations)
    runs: list[Settings] = []
    for size in sizes:
        alone = ((size, evaluations),)
        runs += [
            {"label": f"at once: {size}", "schedule": alone},
            {
                "label": f"coarse to fine: {size}",
                "schedule": halving(size, evaluations),
            },
        ]
    for factor in (0.5, 1.5):
        runs.append(
            {
                "label": f"strokes: x {factor}",
                "schedule": usual,
                "style_size": round(factor * largest),
            }
        )
    middle = min(largest, 512)
    for name, network in TUTORIALS.items():
        alone = ((middle, get_convention(name).evaluations),)
        run = {"label": f"tutorial: {name}", "convention": name}
        runs.append({**run, "schedule": alone, **network})
    return tuple(on(pair, run) for run in runs)
