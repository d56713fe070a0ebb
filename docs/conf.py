"""How Sphinx builds the site: make site."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.site.playground import PLAYGROUND

project = "nnspec"
author = "the nnspec authors"
copyright = author
version = release = version_of("nnspec")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "tools.site"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_*"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

smartquotes = False  # --set is an option, not a dash
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
napoleon_use_rtype = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "nnspec"
html_extra_path = [str(PLAYGROUND)] if PLAYGROUND.is_dir() else []
html_static_path = ["_static"]
html_css_files = ["nnspec.css"]
html_js_files = ["nnspec.js"]
html_copy_source = False
html_show_sphinx = False
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
