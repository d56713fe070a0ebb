"""The extension of Sphinx that builds the site of docs/: make site."""

from sphinx.application import Sphinx

from tools.site.docstrings import as_rst, without_constructor
from tools.site.links import lead_to_files
from tools.site.pictures import inline_pictures
from tools.site.playground import PAGE, PLAYGROUND, link_specs

EARLY = 400
"""Before Sphinx collects the files of a page, and before napoleon reads a docstring, at 500."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what the pages need beyond MyST."""
    app.add_config_value("playground", (PLAYGROUND / PAGE).exists(), "env")
    for change in (lead_to_files, inline_pictures, link_specs):
        app.connect("doctree-read", change, priority=EARLY)
    app.connect("autodoc-process-docstring", as_rst, priority=EARLY)
    app.connect("autodoc-process-signature", without_constructor)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
