"""What the page says."""

from collections.abc import Collection
from html import escape

from styletut.cli.ending import out_of_memory
from styletut.images import SAMPLES
from styletut.images.loading import bare_name
from styletut.images.samples import names_of
from styletut.studio.choices import SIZES, title
from styletut.studio.pace import Pace, in_words
from styletut.studio.painting import Painted, View

READY = "Choose a photo and a style, then press Paint."
NO_PHOTO = (
    "There is no photo yet: drop one into the field at the top, or choose a "
    "sample."
)
NO_SECOND = "Add a style picture of your own first."
IN_THE_QUEUE = "Your picture begins when those before it are done."
FULL = "Too many pictures are waiting for their turn. Try again soon."
GONE = "This picture is gone: the page was disconnected for over an hour."
LEFT = "Nothing was painted. Press Paint when you are ready."
STOPPING = "It stops after this step."

OWN = "own"
"""The choice of a second style that is the visitor's own picture."""


def told(text: str) -> str:
    """Return a line for the page, whatever letters are in it."""
    return f'<div class="status"><p>{escape(text)}</p></div>'


def problem(text: str) -> str:
    """Return the same for what went wrong."""
    return f'<div class="status"><p class="problem">{escape(text)}</p></div>'


def is_foreseen(error: Exception) -> bool:
    """Whether an error is one of the pictures or the machine, not of ours."""
    ours = (ValueError, OSError, MemoryError)
    return isinstance(error, ours) or out_of_memory(error)


def reason(error: Exception, files: Collection[str | None] = ()) -> str:
    """Return what an error says, without the folders of this machine.

    Args:
        error: it.
        files: whose folders the visitor need not know.
    """
    if out_of_memory(error) or isinstance(error, MemoryError):
        return "There is not enough memory for this size; take a smaller one."
    text = str(error) or type(error).__name__
    for file in files:
        if file:
            text = text.replace(file, bare_name(file))
    return text


def growing(view: View) -> str:
    """Return how far a picture is."""
    if view.share is None or view.left is None:
        return told("A first look. The painting begins.")
    return (
        f'<div class="status"><p>Painting: {view.share:.0%} done, '
        f"{in_words(view.left)} left.</p>"
        f'<progress aria-label="Painted" value="{view.share:.3f}"></progress>'
        "</div>"
    )


def note_of(painted: Painted) -> str:
    """Return how a painting went."""
    height, width = painted.image.shape[2:]
    if painted.stopped == "interrupted":
        how = "Stopped; this is the best so far"
    else:
        how = "Painted"
    note = f"{how}: {width} x {height} pixels, {in_words(painted.seconds)}."
    return f"{note} {painted.message}".strip()


def style_told(style: str) -> str:
    """Return which style is chosen."""
    return f"<p>Style: {escape(title(style))}</p>"


def second_styles() -> list[tuple[str, str]]:
    """Return what a second style can be, with its values."""
    named = [(SAMPLES[name].title, name) for name in names_of("style")]
    return [("none", ""), *named, ("your own style picture", OWN)]


def sizes(pace: Pace, shape: tuple[int, int]) -> list[tuple[str, str]]:
    """Return the sizes with how long they take here, with their values."""
    return [
        (f"{name}, {n} pixels: {in_words(pace.seconds(shape, n))}", name)
        for name, n in SIZES.items()
    ]
