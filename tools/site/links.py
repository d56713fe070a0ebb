"""Links to files of the project that are not pages of docs/.

Pages link to files as they lie in the repository, so that the links work there too. On the site a file that a page
includes, such as CHANGELOG.md, is that page, and any other file is shown by the code host.
"""

import posixpath
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
HOME = "https://github.com/nnspec/nnspec"

INCLUDED = {
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "checkpoints/FORMAT.md": "format",
}
"""The files of the repository that pages include, and these pages."""


def lead_to_files(app: Sphinx, doctree: nodes.document) -> None:
    """Turn links to files outside of docs/ into links to their page or to the code host."""
    page = app.env.docname
    shown = {name: file for file, name in INCLUDED.items()}
    folder = posixpath.dirname(shown.get(page, f"docs/{page}"))
    for node in [*doctree.findall(pending_xref), *doctree.findall(download_reference)]:
        target, _, anchor = node["reftarget"].partition("#")
        if node.get("refdomain") or node.get("reftype") in ("ref", "numref"):
            continue
        file = posixpath.normpath(posixpath.join(folder, target))
        if not target or (file.startswith("docs/") and page not in shown) or not (ROOT / file).exists():
            continue
        node.replace_self(_link(app, page, file, anchor, node))


def _link(app: Sphinx, page: str, file: str, anchor: str, node: nodes.Element) -> nodes.reference:
    name = INCLUDED.get(file) or (file[5:-3] if file.startswith("docs/") and file.endswith(".md") else None)
    if name is None:
        kind = "tree" if (ROOT / file).is_dir() else "blob"
        address = f"{HOME}/{kind}/main/{quote(file)}"
    else:
        address = app.builder.get_relative_uri(page, name)
    text = nodes.inline("", "", *node.children)
    return nodes.reference("", "", text, refuri=f"{address}#{anchor}" if anchor else address, internal=name is not None)
