"""How Sphinx builds the site; `make site` calls it by `tools/make_site.py`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

# The one place for the project's address, such as
# "https://github.com/NAME/styletut". While it is empty no page has a link to
# open a notebook in Colab or Binder.
REPOSITORY = ""

project = "styletut"
author = "the styletut authors"
copyright = author
language = "en"
html_title = "styletut: a course on neural style transfer"

extensions = [
    "myst_nb",  # notebooks as pages, and Markdown
    "sphinx.ext.autodoc",  # the reference, out of the docstrings
    "sphinx.ext.napoleon",  # which are in Google's style
    "sphinx-mathjax-offline",  # formulas without a network
    "plain_docstrings",  # in which | is a letter
    "links_between",  # from (2.1) and `content_loss` to where they are
]
exclude_patterns = ["_extensions", "**/results/README.md"]

nb_execution_mode = "off"  # outputs are those that are committed
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 79

html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": REPOSITORY,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search stands at the side
    "launch_buttons": (
        {
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
        }
        if REPOSITORY
        else {}
    ),
    "path_to_docs": "notebooks",
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = True
html_last_updated_fmt = None
