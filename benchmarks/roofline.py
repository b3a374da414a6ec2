"""How much of a GPU an evaluation uses, as pages in Markdown."""

from collections.abc import Sequence

from measurements import Row
from programs import STYLE_LAYERS
from tables import markdown

from styletut.vgg import LAYERS, feature_shape

WHOLE = "run"
EVALUATION = "evaluation"

PEAKS = {
    "NVIDIA H100 80GB HBM3": 989.4e12,  # SXM5
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H200": 989.4e12,  # SXM
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-PCIE-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
}
"""Operations a second in bfloat16, dense, with sums in float32, by the name
that torch has for a card. From NVIDIA's white paper "NVIDIA H100 Tensor Core
GPU Architecture" and NVIDIA's data sheets of A100 and H200, which give twice
as much for sparse matrices."""


def convolution_operations(
    height: int, width: int, deepest: str = STYLE_LAYERS[-1]
) -> int:
    """Return the operations of an evaluation's convolutions.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        deepest: layer above which there are none.
    """
    total, C = 0, 3
    for name in LAYERS[: LAYERS.index(deepest) + 1]:
        if name.startswith("conv"):
            N, h, w = feature_shape(name, height, width)
            total += 2 * 9 * C * N * h * w
            C = N
    return 2 * total  # forward, and the same convolution backward


def document(rows: Sequence[Row], operations: int, top: float | None) -> str:
    """Return rows as a Markdown page.

    Args:
        rows: all of one run of this script.
        operations: of an evaluation's convolutions.
        top: the card's operations a second; None where it is not known.
    """
    machine = "\n".join(f"- {part}" for part in rows[0]["machine"].split("; "))
    size = rows[0]["pixels"]
    peak_text = "unknown" if top is None else f"{top / 1e12:.1f} TFLOPS"
    return (
        f"# On a GPU: {size} x {size} pixels\n\n{machine}\n"
        f"- measured at {rows[0]['date']} UTC\n"
        f"- convolutions of an evaluation: {operations / 1e9:.1f} GFLOP\n"
        f"- the card's peak in bfloat16, dense: {peak_text}\n\n"
        f"{_evaluations(rows, operations, top)}\n{_runs(rows)}"
    )


def _evaluations(
    rows: Sequence[Row], operations: int, top: float | None
) -> str:
    own = [row for row in rows if row["what"] == EVALUATION]
    plain = float(own[0]["seconds"])
    lines = []
    for row in own:
        rate = operations / float(row["seconds"])
        lines.append(
            [
                row["program"],
                row["precision"],
                f"{float(row['seconds']) * 1e3:.3f}",
                f"1/{plain / float(row['seconds']):.1f}",
                f"{rate / 1e12:.2f}",
                "" if top is None else f"{rate / top:.1%}",
                _megabytes(row),
            ]
        )
    header = (
        "program",
        "precision",
        "ms an evaluation",
        "of the plain loop's",
        "TFLOPS",
        "of the peak",
        "MB",
    )
    return markdown(header, lines)


def _runs(rows: Sequence[Row]) -> str:
    header = ("whole run", "precision", "evaluations", "seconds", "MB")
    lines = [
        [
            row["what"].removeprefix(f"{WHOLE} "),
            row["precision"],
            row["evaluations"],
            f"{float(row['seconds']):.2f}",
            _megabytes(row),
        ]
        for row in rows
        if row["what"] != EVALUATION
    ]
    return markdown(header, lines)


def _megabytes(row: Row) -> str:
    return f"{int(row['bytes']) / 1e6:.0f}" if row["bytes"] else ""
