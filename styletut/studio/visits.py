"""Visitors: what each has chosen and painted, in a folder of its own."""

import secrets
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from torch import Tensor

from styletut.images import resize, save_image
from styletut.images.loading import bare_name, unread
from styletut.studio.choices import Choices
from styletut.studio.pace import Pace
from styletut.studio.painting import Painted
from styletut.vgg import VGG19

MOST = 24
"""Pictures that are kept for one visitor; the oldest goes first."""

FIRST_STYLE = "glass"

KEPT_SECONDS = 3600
"""How long a visitor's pictures stay after the page is closed."""


@dataclass(frozen=True)
class Kept:
    """A painted picture, in files.

    Attributes:
        choices: what it was painted by.
        png: the picture, with its settings in text fields.
        jpeg: the same, smaller; its settings are the file's comment.
        before: the photo, as large as the picture.
        note: how it went.
    """

    choices: Choices
    png: Path
    jpeg: Path
    before: Path
    note: str


@dataclass
class Visit:
    """A visitor's choices and pictures.

    Attributes:
        folder: of its own, for all files.
        photo: a sample's name or a file; None before one is chosen.
        style: the same.
        own_style: a file of the visitor's own; None if there is none.
        asked: what is to be painted next.
        stop: is set when the painting is to end.
        kept: pictures, the newest first.
        seen: the one that is shown; None before there is one.
        sheet: folder of the photo in all styles.
        left: when the page was last closed, or lost its connection, by the
            clock that never goes back; None after something was pressed.
    """

    folder: Path
    photo: str | None = None
    style: str = FIRST_STYLE
    own_style: str | None = None
    asked: Choices | None = None
    stop: Event = field(default_factory=Event)
    kept: list[Kept] = field(default_factory=list)
    seen: Kept | None = None
    sheet: Path = Path("no sheet yet")
    left: float | None = None

    def take(self, file: str) -> str:
        """Copy an upload into the folder; return where it is.

        Its name stays, for it will stand in commands; of two files of one
        name the second gets a number.
        """
        name = Path(bare_name(file))
        target, number = self.folder / name, 1
        while target.exists():
            number += 1
            target = self.folder / f"{name.stem}-{number}{name.suffix}"
        shutil.copyfile(file, target)
        return str(target)

    def keep(self, choices: Choices, painted: Painted, note: str) -> Kept:
        """Store a picture.

        Raises:
            ImageError: if it cannot be written.
        """
        own = self.folder / secrets.token_hex(8)
        own.mkdir()
        png = own / choices.file_name()
        save_image(painted.image, png, painted.text, painted.alpha)
        jpeg = png.with_suffix(".jpg")
        save_image(over_white(painted), jpeg, painted.text)
        before = own / "before.jpg"
        save_image(
            as_shown(choices.photo, max(painted.image.shape[2:])), before
        )
        kept = Kept(choices, png, jpeg, before, note)
        self.kept.insert(0, kept)
        for old in self.kept[MOST:]:
            shutil.rmtree(old.png.parent, ignore_errors=True)
        del self.kept[MOST:]
        return kept

    def mask(self, mask: Tensor) -> str:
        """Store a mask of the photo, (H, W) in [0, 1]."""
        file = self.folder / secrets.token_hex(8) / "region.png"
        file.parent.mkdir()
        save_image(mask[None, None].expand(1, 3, -1, -1), file)
        return str(file)

    def close(self) -> None:
        """Stop what is painted, and remove all files."""
        self.stop.set()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Studio:
    """What all visitors share.

    Attributes:
        folder: where all files go.
        vgg: the network that paints.
        pace: how fast it does here.
    """

    folder: Path
    vgg: VGG19
    pace: Pace
    _visits: dict[str, Visit] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def visit(self, session: str) -> Visit:
        """Return a visitor's choices and pictures, new ones at first.

        Args:
            session: by which the page names itself as long as it is open.
        """
        with self._lock:
            self._tidy()
            if session not in self._visits:
                folder = self.folder / f"visit-{secrets.token_hex(16)}"
                folder.mkdir(mode=0o700)
                self._visits[session] = Visit(folder)
            visit = self._visits[session]
            visit.left = None  # it is here
            return visit

    def tidy(self) -> None:
        """Remove the visits that ended long ago."""
        with self._lock:
            self._tidy()

    def leave(self, session: str) -> None:
        """Note that a page was closed, and stop what is painted for it."""
        with self._lock:
            if visit := self._visits.get(session):
                visit.left = time.monotonic()
                visit.stop.set()

    def _tidy(self) -> None:
        now = time.monotonic()
        for session, visit in list(self._visits.items()):
            if visit.left is not None and now - visit.left > KEPT_SECONDS:
                visit.close()
                del self._visits[session]


def as_shown(photo: str, size: int) -> Tensor:
    """Return a photo of a longer side in pixels, as it is shown."""
    return resize(unread(photo, "the photo").read(size), size)


def over_white(painted: Painted) -> Tensor:
    """Return a picture as it is where there is no transparency."""
    if painted.alpha is None:
        return painted.image
    return painted.image * painted.alpha + (1 - painted.alpha)
