"""What runs and threads of one process share costs none of them a bit."""

import copy
import pickle
import threading

import pytest
import torch

from styletut.engines import choose_engine
from styletut.instant import instant
from styletut.objective import Objective
from styletut.transfer import stylize
from styletut.vgg import VGG19

ROUNDS = 3
WAYS = {
    "whole": {},
    "tiles": {"tiles": 32},
    "bfloat16": {"precision": "bfloat16"},
    "graph": {"checkpoint": True},
}


def at_once(functions):
    """Call each function in a thread of its own; return what came, or why."""
    came = [None] * len(functions)
    begin = threading.Barrier(len(functions))

    def call(n):
        begin.wait()
        try:
            came[n] = functions[n]()
        except Exception as error:
            came[n] = error

    threads = [
        threading.Thread(target=call, args=(n,)) for n in range(len(functions))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return came


@pytest.mark.parametrize("way", WAYS)
def test_one_objective_in_several_threads(way, vgg, photo, painting):
    objective = Objective(photo, painting, vgg=vgg, **WAYS[way])
    pictures = [photo * (n / 3) for n in range(1, 4)]
    alone = [objective.gradient(x) for x in pictures]

    def several(x):
        return lambda: [
            (objective.gradient(x), objective(x)) for _ in range(ROUNDS)
        ]

    came = at_once([several(x) for x in pictures])
    for rounds, (terms, gradient) in zip(came, alone, strict=True):
        assert isinstance(rounds, list), rounds
        for (own, own_gradient), called in rounds:
            assert torch.equal(own_gradient, gradient)
            assert torch.equal(own.total, terms.total)
            assert torch.isclose(called.total, terms.total, rtol=1e-4)


def test_copies_of_an_objective_are_objectives(vgg, photo, painting):
    objective = Objective(photo, painting, vgg=vgg)
    _, gradient = objective.gradient(photo)
    for twin in (
        copy.copy(objective),
        copy.deepcopy(objective),
        pickle.loads(pickle.dumps(objective)),
    ):
        assert torch.equal(twin.gradient(photo)[1], gradient)


def test_objectives_that_share_a_network(photo, painting):
    """Each with a dtype of its own, on weights that nobody has used yet."""
    kinds = [
        (torch.float32, "float32"),
        (torch.float32, "bfloat16"),
        (torch.float64, "float32"),
    ]

    def gradient(vgg, dtype, precision):
        x, style = photo.to(dtype), painting.to(dtype)
        objective = Objective(x, style, vgg=vgg, precision=precision)
        return objective.gradient(x)[1]

    alone = [gradient(VGG19(), *kind) for kind in kinds]
    shared = VGG19()
    came = at_once(
        [lambda kind=kind: gradient(shared, *kind) for kind in kinds]
    )
    for one, other in zip(came, alone, strict=True):
        assert torch.equal(one, other)


def test_runs_at_once_give_the_bits_of_runs_alone(vgg, photo, painting):
    settings = {"vgg": vgg, "size": 48, "evaluations": 4, "start": "noise"}

    def run(seed):
        return lambda: stylize(photo, painting, seed=seed, **settings).image

    alone = [run(seed)() for seed in range(3)]
    came = at_once([run(seed) for seed in range(3)])
    for one, other in zip(came, alone, strict=True):
        assert torch.equal(one, other)


def test_instant_styles_at_once(photo):
    names = ("glass", "ink", "wave")
    alone = [instant(photo, name) for name in names]
    came = at_once([lambda name=name: instant(photo, name) for name in names])
    for one, other in zip(came, alone, strict=True):
        assert torch.equal(one, other)


def settings_of_torch():
    """What holds for a whole process, and what a program may rely on."""
    cudnn, mkldnn = torch.backends.cudnn, torch.backends.mkldnn
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "cudnn": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        "tf32": (cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32),
        "mkldnn": mkldnn.enabled,
        "random": torch.random.get_rng_state().tolist(),
    }


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, RuntimeError])
def test_torch_is_left_as_it_was(monkeypatch, vgg, photo, painting, error):
    before = settings_of_torch()
    engine = type(choose_engine(vgg, photo))
    original, calls = engine.gradient, []

    def gradient(self, x, losses):
        calls.append(x)
        if error and len(calls) == 3:
            raise error("in the middle")
        return original(self, x, losses)

    monkeypatch.setattr(engine, "gradient", gradient)
    try:
        result = stylize(
            photo, painting, vgg=vgg, size=48, evaluations=4, start="noise"
        )
        stopped = result.stopped
    except RuntimeError as crash:
        stopped = crash.result.stopped
    assert stopped == ("interrupted" if error else "done")
    assert settings_of_torch() == before
