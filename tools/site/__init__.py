"""The extension of Sphinx that builds the site of docs/: make site."""

from sphinx.application import Sphinx

from tools.site.links import lead_to_files
from tools.site.pictures import inline_pictures
from tools.site.playground import link_specs

EARLY = 400
"""Before Sphinx collects the files of a page, at 500."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what the pages need beyond MyST."""
    for change in (lead_to_files, inline_pictures, link_specs):
        app.connect("doctree-read", change, priority=EARLY)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
