"""How nbval runs the notebooks: `make nbval`."""

import os

import pytest

# A check runs at the smallest sizes unless it is told otherwise.
os.environ.setdefault("STYLETUT_PROFILE", "ci")

# What the package and the cells themselves warn about is our mistake, and
# fails the cell. What other packages say depends on their versions.
# Without a name: a cell must import what it uses itself.
STRICT = (
    "__import__('warnings').filterwarnings("
    "'error', module=r'styletut(\\.|$)|__main__$')"
)


def pytest_collectstart(collector):
    """Compare text alone: stderr and SVG differ between machines."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr", "image/svg+xml")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Turn our warnings into errors, then run the cell.

    In the kernel and not by PYTHONWARNINGS, which knows no patterns; before
    each cell, so that cells chosen with `-k` or `--lf` are strict too.
    """
    if hasattr(item, "cell"):
        kernel = item.parent.kernel
        kernel.await_reply(kernel.execute_cell_input(STRICT), timeout=60)
    return (yield)
