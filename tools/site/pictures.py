"""Pictures of words on a page have the colours of its text: they become a part of it, not a file of their own."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from tools.reference.drawing import STYLE

FOLDER = "pictures/words/"


def inline_pictures(app: Sphinx, doctree: nodes.document) -> None:
    """Replace the pictures of words by their source, without the colours that they have by themselves."""
    if app.builder.format != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        before, folder, name = image["uri"].rpartition(FOLDER)
        if folder:
            path = Path(app.env.doc2path(app.env.docname)).parent / before / folder / name
            source = path.read_text(encoding="utf-8").replace(STYLE, "")
            picture = nodes.raw("", f'<span class="shapes">{source.strip()}</span>', format="html")
            image.replace_self(picture)
