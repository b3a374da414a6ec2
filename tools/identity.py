"""Digests of small pictures, to see that a change of the code changes none.

    python tools/identity.py > before.txt
    ... change ...
    python tools/identity.py | diff before.txt -

They hold for one machine, one number of threads and one version of torch.
"""

import hashlib
import os
import sys
import warnings
from pathlib import Path

# it runs without being installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from styletut.conventions import CONVENTIONS, check_runnable
from styletut.images import resize, sample
from styletut.objective import Objective
from styletut.transfer import minimize, stylize

SIZE = 64


def digest(image: torch.Tensor) -> str:
    """Return what a picture's bits are known by."""
    return hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()


def runnable() -> list[str]:
    """Return the names of the conventions that run here."""
    names = []
    for name, convention in CONVENTIONS.items():
        try:
            check_runnable(convention)
        except ValueError:
            continue
        names.append(name)
    return names


def main() -> None:
    """Print a digest for each kind of run."""
    torch.set_num_threads(2)
    warnings.simplefilter("ignore")
    photo, painting = sample("chelsea"), sample("glass")
    other = sample("night")
    runs = {
        "default": {"size": SIZE, "evaluations": 25},
        "coarse to fine": {"schedule": [(32, 8), (48, 8), (SIZE, 8)]},
        "noise": {"size": SIZE, "evaluations": 12, "start": "noise"},
        "grey": {"size": SIZE, "evaluations": 6, "start": "grey"},
        "strokes": {"size": SIZE, "style_size": 96, "evaluations": 6},
        "layers": {
            "size": SIZE,
            "evaluations": 6,
            "content_layers": ["conv4_2", "relu4_2", "pool3"],
            "style_layers": {"relu1_1": 0.0, "conv1_1": 1e-6, "pool4": 1e-9},
            "gamma": 1e-4,
        },
        "bfloat16": {"size": SIZE, "evaluations": 6, "precision": "bfloat16"},
        "float64": {"size": SIZE, "evaluations": 3},
        "plain": {"size": SIZE, "evaluations": 6},
    }
    for name, settings in runs.items():
        x = photo.double() if name == "float64" else photo
        os.environ["STYLETUT_CONVOLUTION"] = "plain" * (name == "plain")
        result = stylize(x, painting, **settings)
        print(
            name,
            digest(result.image),
            float(result.history[-1].terms.total),
            flush=True,
        )
    both = stylize(
        photo, [(painting, 2), (other, 1)], size=SIZE, evaluations=6
    )
    print("two styles", digest(both.image), flush=True)
    small, small_style = resize(photo, SIZE), resize(painting, SIZE)
    for kind in (torch.float32, torch.float64):
        objective = Objective(small.to(kind), small_style.to(kind), tiles=32)
        *_, last = minimize(objective, small.to(kind), evaluations=8)
        print("tiles", kind, digest(last.image), flush=True)
    for name in runnable():
        result = stylize(
            photo, painting, convention=name, size=SIZE, evaluations=8
        )
        print(name, digest(result.image), flush=True)


if __name__ == "__main__":
    main()
