"""Links to included files."""

from lsprotocol import types
from pygls.uris import from_fs_path

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.links import links


@answers(types.TEXT_DOCUMENT_DOCUMENT_LINK)
def linked(view: View, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    """Return the paths of includes as links."""
    return [
        types.DocumentLink(view.range(link.span), target=from_fs_path(str(link.path))) for link in links(view.document)
    ]
