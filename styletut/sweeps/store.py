"""What a run of a sweep leaves behind: one PNG that tells all about itself.

Settings, results and metrics are text fields of the picture. A run is thus
one file, which is whole or not there, and nothing can come apart.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from styletut.images import save_image
from styletut.images.picture import from_pixels
from styletut.images.saving import read_text

_FIELD = "sweep"
"""The text field with results and measures, in JSON."""


@dataclass(frozen=True)
class StoredRun:
    """A finished run without its picture.

    Attributes:
        text: every choice of the run, in words.
        results: loss terms, seconds and the like, by name.
        measures: what each metrics function gave, by the function's name.
    """

    text: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def write_record(
    path: str | os.PathLike[str], picture: np.ndarray, record: StoredRun
) -> None:
    """Write a run's picture, (H, W, 3) in 256 levels, and its record.

    Raises:
        ImageError: if the file cannot be written.
    """
    values = {"results": record.results, "measures": record.measures}
    image = from_pixels(picture.astype(np.float32) / 255)
    save_image(image, path, {**record.text, _FIELD: json.dumps(values)})


def read_record(path: str | os.PathLike[str]) -> StoredRun | None:
    """Return a run's record, or None where there is no whole one."""
    text = read_text(path)
    try:
        values = json.loads(text.pop(_FIELD))
        results, measures = dict(values["results"]), dict(values["measures"])
    except Exception:  # Damaged files make nearly every error there is.
        return None
    if not all(isinstance(each, dict) for each in measures.values()):
        return None
    return StoredRun(text, results, measures)


def read_picture_of(path: str | os.PathLike[str]) -> np.ndarray:
    """Return a run's picture, (H, W, 3) in 256 levels."""
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))
