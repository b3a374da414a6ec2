"""The course's own pictures: who made each, under which license, where."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from styletut.images.picture import ImageError
from styletut.values import told

STYLE_FOLDER = Path(str(files("styletut"))) / "data" / "styles"
MASK_FOLDER = STYLE_FOLDER.parent / "masks"


@dataclass(frozen=True)
class Sample:
    """One picture: `name` is what `sample` takes, `source` where it is from.

    Content photos come with scikit-image, style pictures with this package,
    and so do masks: of a photo, whose name begins theirs.
    """

    name: str
    kind: Literal["content", "style", "mask"]
    title: str
    author: str
    license: str
    source: str


_PHOTOS = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
}


def _photo(
    name: str, title: str, author: str, license: str, source: str
) -> Sample:
    return Sample(name, "content", title, author, license, source)


def _painting(name: str, title: str) -> Sample:
    return Sample(
        name,
        "style",
        title,
        "the styletut authors",
        "MIT",
        "tools/paint_styles.py",
    )


def _mask(name: str, title: str) -> Sample:
    return Sample(
        name,
        "mask",
        title,
        "the styletut authors",
        "MIT",
        "tools/draw_masks.py",
    )


_ALL = (
    _photo(
        "astronaut",
        "Eileen Collins, astronaut",
        "NASA",
        "public domain",
        "scikit-image, astronaut.png; https://flic.kr/p/r9qvLn",
    ),
    _photo(
        "camera",
        "Photographer with a tripod",
        "Lav Varshney",
        "CC0",
        "scikit-image, camera.png",
    ),
    _photo(
        "chelsea",
        "Chelsea the cat",
        "Stefan van der Walt",
        "CC0",
        "scikit-image, chelsea.png",
    ),
    _photo(
        "coffee",
        "A cup of coffee at Pikolo Espresso Bar",
        "Rachel Michetti",
        "CC0",
        "scikit-image, coffee.png",
    ),
    _photo(
        "retina",
        "Fundus of a left eye",
        "Mikael Häggström",
        "CC0",
        "scikit-image, retina.jpg; https://commons.wikimedia.org/wiki/"
        "File:Fundus_photograph_of_normal_left_eye.jpg",
    ),
    _photo(
        "rocket",
        "Falcon 9 lifts off with DSCOVR",
        "SpaceX",
        "public domain",
        "scikit-image, rocket.jpg; "
        "https://www.flickr.com/photos/spacexphotos/16511594820",
    ),
    _painting("glass", "Lilies at sunrise, stained glass"),
    _painting("ink", "The old oak, pen and ink"),
    _painting("marble", "Three tulips, marbled paper"),
    _painting("meadow", "Poppies before the storm, palette knife"),
    _painting("mosaic", "Vine with two doves, mosaic"),
    _painting("night", "Night over the lake, oil"),
    _painting("points", "Sunday by the river, divided color"),
    _painting("wave", "The breaker, color woodcut"),
)

SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {each.name: each for each in _ALL}
)
"""Every sample picture by name, content photos first."""

MASKS: Mapping[str, Sample] = MappingProxyType(
    {
        each.name: each
        for each in (
            _mask("astronaut-person", "The astronaut, with her helmet"),
            _mask("camera-person", "The photographer, without his tripod"),
            _mask("camera-sky", "The sky behind the photographer"),
            _mask("chelsea-cat", "The cat, without what is behind her"),
            _mask("coffee-cup", "The cup, its saucer and spoon"),
        )
    }
)
"""Masks of sample photos by name, which begins with the photo's."""


def names_of(kind: str) -> list[str]:
    """Return the names of all sample pictures of a kind, in their order.

    Args:
        kind: "content" or "style".
    """
    return [name for name, each in SAMPLES.items() if each.kind == kind]


def sample_path(name: str) -> Path:
    """Where a sample picture lies on this computer.

    Raises:
        ImageError: No sample has this name, or its file is not installed.
    """
    if isinstance(name, str) and name in MASKS:
        return MASK_FOLDER / f"{name}.png"
    if not isinstance(name, str) or name not in SAMPLES:
        raise ImageError(
            f"there is no sample picture {told(name)}. There are: "
            f"{', '.join([*SAMPLES, *MASKS])}."
        )
    if name in _PHOTOS:
        return _photo_folder() / _PHOTOS[name]
    return STYLE_FOLDER / f"{name}.jpg"


def _photo_folder() -> Path:
    # Importing skimage takes a second; its files are read without that.
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise ImageError(
            "the sample photos come with scikit-image, which is not "
            "installed. Run: python -m pip install scikit-image"
        )
    return Path(package.origin).parent / "data"
