"""Which photos are painted, and where each picture goes."""

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from styletut.cli.streams import STREAM, check_standard_output
from styletut.images import MASKS, SAMPLES, ImageError, ensure_writable
from styletut.images.loading import bare_name
from styletut.images.saving import read_text

NAME_BYTES = 200
"""Bytes of a result's name before its number: file systems have a limit, of
255 as a rule, and a letter may take four."""

_FORBIDDEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069'
    r"\ud800-\udfff]"
)
"""Letters that Windows does not take in a name, control characters, marks that
turn the direction of writing, and halves of a letter."""

_RESERVED = re.compile(
    r"^(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])"
    r"(?=\.|$| )",
    re.IGNORECASE,
)
"""Names that are devices on Windows, with any ending."""

SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe"),
    *(".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"),
    *(".tif", ".tiff", ".webp"),
)
"""What pictures in a folder are known by."""


def photos_of(
    sources: Iterable[str], output: str | None = None
) -> tuple[list[str], bool]:
    """Return the photos that are meant, and whether they need a folder.

    Of a folder all pictures are, by name, with numbers as numbers: frame 2
    before frame 10. If it is where the results go, those of earlier commands
    are no photos.

    Args:
        sources: names of samples, paths, folders, addresses, or "-".
        output: where results go.

    Raises:
        ImageError: for a folder without pictures, or one that is closed.
    """
    photos, several = [], False
    for source in sources:
        if folder := _folder_of(source):
            results = output is not None and _is_file(output, folder)
            photos += _pictures_in(folder, results)
            several = True
        else:
            photos.append(source)
    return photos, several or len(photos) > 1


def passed_over(sources: Iterable[str]) -> Iterator[str]:
    """Yield for each folder of photos how much in it is none, if any."""
    for folder in filter(None, map(_folder_of, sources)):
        seen = _seen_in(folder)
        if others := sum(not _is_picture(each) for each in seen):
            yield (
                f"in {str(folder)!r} {others} of {len(seen)} are passed over: "
                "no pictures, or folders"
            )


def choose_folder(output: str | None, several: bool) -> Path | None:
    """Return the folder where pictures go; None for a single file.

    One that is asked for with a slash at the end is made.

    Raises:
        ImageError: if several pictures are to go to one file, or there can
            be no such folder.
    """
    if output == STREAM:
        check_standard_output()
    elif output is not None and is_folder(output):
        folder = Path(_expanded(output))
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise ImageError(
                f"the folder {output!r} cannot be made: "
                f"{error.strerror or error}."
            ) from error
        return folder
    if several:
        raise ImageError(
            "several photos need a folder for their pictures: give one, with "
            "a slash at its end, as in -o painted/"
        )
    return None


def is_folder(path: str) -> bool:
    """Whether a folder is meant: there is one, or a slash at the end."""
    return path.endswith(("/", os.sep)) or os.path.isdir(_expanded(path))


def choose_target(
    photo: str,
    styles: Sequence[str],
    output: str | None,
    sources: Iterable[str],
    folder: Path | None = None,
    suffixes: Collection[str] | None = None,
) -> Path:
    """Return where the picture will go, once it is known that it can.

    Args:
        photo: what it shows.
        styles: what it is painted like.
        output: the file that was asked for.
        sources: pictures that must not be overwritten.
        folder: where files go that nobody has named.
        suffixes: what the file may end in, if that is no picture's.

    Raises:
        ImageError: if it cannot go there.
    """
    if output is None or folder is not None:
        target = free_name(photo, styles, folder or Path())
    else:
        target = Path(_expanded(output))
    ensure_writable(target, suffixes)
    for source in (photo, *sources):
        if _is_file(source, target):
            raise ImageError(
                f"{str(target)!r} is also {source!r}, which would be "
                "overwritten. Name another file."
            )
    return target


def take_name(
    photo: str, styles: Sequence[str], folder: Path | None = None
) -> Path:
    """Return a free name as `free_name` does, with an empty file there.

    So no run beside this one takes it.

    Raises:
        OSError: if there can be no file.
    """
    for path in numbered(photo, styles, folder):
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError("numbers do not end")


def free_name(
    photo: str,
    styles: Sequence[str],
    folder: Path | None = None,
    suffix: str = ".png",
) -> Path:
    """PHOTO-STYLE.png, numbered where an earlier picture has that name."""
    names = numbered(photo, styles, folder, suffix)
    return next(path for path in names if not path.exists())


def numbered(
    photo: str,
    styles: Sequence[str],
    folder: Path | None = None,
    suffix: str = ".png",
) -> Iterator[Path]:
    """Yield PHOTO-STYLE.png, PHOTO-STYLE-2.png and so on."""
    sources = (photo, *styles)
    room = NAME_BYTES // len(sources)
    # once more where it was cut: there may be a space at the end
    stems = (
        _portable(_trimmed(_portable(_stem(each)), room)) for each in sources
    )
    stem = "-".join(stems)
    folder = folder or Path()
    yield folder / f"{stem}{suffix}"
    for number in count(2):
        yield folder / f"{stem}-{number}{suffix}"


def beside(path: Path) -> Iterator[Path]:
    """Yield NAME-2, NAME-3 and so on, with the ending of a file."""
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _stem(source: str) -> str:
    return "stdin" if source == STREAM else Path(bare_name(source)).stem


def _portable(name: str) -> str:
    """Return a name that every usual file system holds.

    It has no letters that Windows forbids, none that steer or turn round
    what follows, no space, dot or dash where a shell or Windows trips over
    it, and is composed, as most keyboards type it.
    """
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    name = name.lstrip("-. ").rstrip(". ")
    return _RESERVED.sub(r"\1_", name, count=1) or "picture"


def _trimmed(stem: str, room: int) -> str:
    """Return what fits into so many bytes, in whole letters."""
    data = os.fsencode(stem)[:room]
    if len(data) < room:
        return stem
    return data.decode(errors="ignore")


def _pictures_in(folder: Path, results: bool) -> list[str]:
    """Return the pictures in a folder, less results if it has such."""
    pictures = list(filter(_is_picture, _seen_in(folder)))
    if results:
        pictures = [e for e in pictures if "command" not in read_text(e)]
    if not pictures:
        raise ImageError(
            f"{str(folder)!r} is a folder without pictures. Name one with "
            "pictures in it, or a picture."
        )
    return [str(each) for each in sorted(pictures, key=_by_number)]


def _folder_of(source: str) -> Path | None:
    """Return the folder that is meant; None for a picture."""
    folder = _expanded(source)
    if source in SAMPLES or source in MASKS or not os.path.isdir(folder):
        return None
    return Path(folder)


def _seen_in(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden.

    Raises:
        ImageError: if it is closed.
    """
    try:
        return [e for e in folder.iterdir() if not e.name.startswith(".")]
    except OSError as error:
        raise ImageError(
            f"the folder {str(folder)!r} cannot be read: "
            f"{error.strerror or error}."
        ) from error


def _is_picture(path: Path) -> bool:
    """Whether a name is a picture's; a link to nothing may be one."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Return a key by which names are sorted, with numbers as numbers."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]


def _expanded(source: str) -> str:
    return os.path.expanduser(source)


def _is_file(source: str, target: Path) -> bool:
    try:
        return os.path.samefile(_expanded(source), target)
    except (OSError, ValueError):  # not there, or no path
        return False
