"""What reaches a low value at full size soonest: optimizers and schedules.

    python benchmarks/schedules.py [--size 256] [--cost 150]

All start from the content and minimize one objective, pastiche's formulas
and weights, on two pairs of sample pictures. Cost is counted in evaluations
of full size: one at half the size counts a quarter. The value is that of the
best picture of full size so far, over the value that pastiche's optimizer,
torch's L-BFGS without bounds, reaches after 300 evaluations. Of that one the
pictures count as they are, with pixels out of range; all others keep theirs
within [0, 1].
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from measurements import publish
from tables import markdown
from torch import Tensor

from styletut.conventions import get_convention
from styletut.images import sample
from styletut.objective import Objective
from styletut.optimizers import torch_lbfgs
from styletut.optimizers.variable import variable_of
from styletut.transfer import stylize_steps
from styletut.transfer.sizes import COARSE
from styletut.vgg import VGG19

PAIRS = (("astronaut", "night"), ("chelsea", "glass"))
COLUMNS = ("pair", "contender", "cost", "value")
RESULTS = Path(__file__).with_name("results")
REFERENCE = "torch's L-BFGS, no bounds (pastiche)"
MARKS = (20, 40, 60, 80, 100)


@dataclass(frozen=True)
class Contender:
    """A way to spend evaluations; coarse sizes with theirs, coarse first."""

    name: str
    optimizer: str
    coarse: tuple[tuple[float, int], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


HALF = ((0.5, COARSE),)
CONTENDERS = (
    Contender("L-BFGS", "lbfgs"),
    Contender("L-BFGS, from half size", "lbfgs", HALF),
    Contender("by octaves and colors", "spectral_lbfgs"),
    Contender("the same, from half size (default)", "spectral_lbfgs", HALF),
    Contender(
        "the same, from quarter size",
        "spectral_lbfgs",
        ((0.25, COARSE), (0.5, COARSE)),
    ),
    Contender(
        "Adam, 5 grey levels a step",
        "adam",
        settings={"options": {"learning_rate": 5.0}},  # pixels to 255
    ),
)

Curve = list[tuple[float, float]]


def curve(
    pair: tuple[str, str], size: int, contender: Contender, cost: float
) -> Curve:
    """Return (cost, value) of each picture of full size."""
    photo = sample(pair[0], size)
    coarse = [(round(size * part), n) for part, n in contender.coarse]
    spent = sum(n * (side / size) ** 2 for side, n in coarse)
    fine = round(cost - spent)
    points = []
    for step in stylize_steps(
        photo,
        sample(pair[1], size),
        vgg=VGG19(deepest="relu5_1"),
        convention="pastiche",
        schedule=[*coarse, (size, fine)],
        optimizer=contender.optimizer,
        **{"range_rule": "project", "options": {}, **contender.settings},
    ):
        if step.size == max(photo.shape[2:]):
            at_size = step.evaluations - sum(n for _, n in coarse)
            points.append((spent + at_size, float(step.terms.total)))
    return lowest_so_far(points)


def reference(pair: tuple[str, str], size: int, evaluations: int) -> Curve:
    """Return the same for pastiche's optimizer, of pictures as they are."""
    photo = sample(pair[0], size)
    objective = Objective(
        photo,
        sample(pair[1], size),
        vgg=VGG19(deepest="relu5_1"),
        convention="pastiche",
    )

    unit = get_convention("pastiche").pixel_unit
    variable = variable_of(photo, "none", unit)

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        terms, gradient = objective.gradient(variable.picture(x))
        return terms.total, variable.pull_back(gradient, x)

    steps = torch_lbfgs(evaluate, variable.start, evaluations=evaluations)
    return lowest_so_far(
        [(float(each.evaluations), float(each.value)) for each in steps]
    )


def lowest_so_far(points: Curve) -> Curve:
    """Return a curve with the lowest value until each of its points."""
    costs, values = zip(*points, strict=True)
    return list(zip(costs, accumulate(values, min), strict=True))


def value_at(points: Curve, cost: float) -> float | None:
    """Return the value that a curve has reached at a cost."""
    reached = [value for spent, value in points if spent <= cost]
    return reached[-1] if reached else None


def reached_at(points: Curve, value: float) -> float | None:
    """Return the cost at which a curve reaches a value."""
    return next((spent for spent, v in points if v <= value), None)


def all_curves(size: int, cost: float) -> dict[str, dict[str, Curve]]:
    """Return every curve, over the reference of its pair."""
    found: dict[str, dict[str, Curve]] = {}
    for pair in PAIRS:
        name = f"{pair[0]}, {pair[1]}"
        long = reference(pair, size, 300)
        goal = long[-1][1]
        found[name] = {REFERENCE: [(c, v / goal) for c, v in long]}
        for contender in CONTENDERS:
            points = curve(pair, size, contender, cost)
            found[name][contender.name] = [(c, v / goal) for c, v in points]
            print(name, contender.name, found[name][contender.name][-1])
    return found


def page(curves: dict[str, dict[str, Curve]], size: int) -> str:
    """Return the results as Markdown."""
    lines = []
    for pair, each in curves.items():
        for name, points in each.items():
            values = [value_at(points, mark) for mark in MARKS]
            cells = ["" if v is None else f"{v:.2f}" for v in values]
            goal = reached_at(points, 1.0)
            end = "" if goal is None else f"{goal:.0f}"
            lines.append((pair, name, *cells, end))
    header = (
        "pair",
        "what",
        *(f"at {mark}" for mark in MARKS),
        "reaches 1 at",
    )
    return (
        f"# Value against cost at {size} pixels\n\n"
        "Values are over what pastiche's optimizer reaches after 300 "
        "evaluations; costs in evaluations of full size.\n\n"
        f"{markdown(header, lines)}\n![The curves](schedules.png)\n"
    )


def rows(curves: dict[str, dict[str, Curve]]) -> Iterator[tuple[object, ...]]:
    """Yield every point as a row of `COLUMNS`."""
    for pair, each in curves.items():
        for name, points in each.items():
            for cost, value in points:
                yield pair, name, f"{cost:g}", f"{value:.6g}"


def draw(curves: dict[str, dict[str, Curve]], size: int, path: Path) -> None:
    """Draw value against cost, one panel a pair."""
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(11, 4.6), layout="constrained")
    panels = drawing.subplots(1, len(curves), sharey=True)
    styles = ("-", "--", "-.", ":", "-", "--", ":")
    for panel, (pair, each) in zip(panels, curves.items(), strict=True):
        for style, (name, points) in zip(styles, each.items(), strict=True):
            panel.plot(*zip(*points, strict=True), style, label=name)
        panel.axhline(1, color="0.6", linewidth=0.8)
        panel.set(
            yscale="log",
            xlim=(0, 150),
            ylim=(0.8, 30),
            title=f"{pair}, {size} pixels",
            xlabel="cost in evaluations of full size",
        )
        ticks = (1, 2, 5, 10, 20)
        panel.set_yticks(ticks, [f"{tick}" for tick in ticks])
        panel.minorticks_off()
    panels[0].set_ylabel("value / pastiche's after 300")
    panels[-1].legend(fontsize=8)
    drawing.savefig(path, dpi=110)


def main() -> None:
    """Make all runs, and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--cost", type=float, default=150)
    arguments = parser.parse_args()
    curves = all_curves(arguments.size, arguments.cost)
    path = RESULTS / "schedules.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(curves))
    draw(curves, arguments.size, path.with_suffix(".png"))
    publish(path, page(curves, arguments.size))


if __name__ == "__main__":
    main()
