"""The extension of Sphinx that builds the site of docs/: make site."""

from sphinx.application import Sphinx

from tools.site.links import lead_to_files


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what the pages need beyond MyST."""
    app.connect("doctree-read", lead_to_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
