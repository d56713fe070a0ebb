"""Specs on a page can be opened in the playground: below each is a link that carries its text.

The playground is a folder of files, PLAYGROUND, that is built before the site. Without it the site has no links to it.
"""

import zlib
from base64 import urlsafe_b64encode
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

PLAYGROUND = Path(__file__).resolve().parents[2] / "build" / "playground"
PAGE = "playground.html"


def link_of(text: str) -> str:
    """Return the end of a link to the playground: the text as raw deflated UTF-8 in base64url without padding."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(text.encode()) + deflate.flush()
    return f"#spec={urlsafe_b64encode(packed).rstrip(b'=').decode()}"


def link_specs(app: Sphinx, doctree: nodes.document) -> None:
    """Put a link below each spec, but for one that includes another file."""
    if app.builder.format != "html" or not app.config.playground:
        return
    page = relative_uri(app.builder.get_target_uri(app.env.docname), PAGE)
    for block in list(doctree.findall(nodes.literal_block)):
        text = block.astext()
        if block.get("language") != "nnspec" or text.startswith("include ") or "\ninclude " in text:
            continue
        link = f'<p class="playground"><a href="{page}{link_of(text)}">Open in the playground</a></p>'
        block.parent.insert(block.parent.index(block) + 1, nodes.raw("", link, format="html"))
