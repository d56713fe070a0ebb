"""The parts that can be folded."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.folding import folds


@answers(types.TEXT_DOCUMENT_FOLDING_RANGE)
def folded(view: View, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """Return the parts of several lines."""
    kinds = types.FoldingRangeKind
    return [
        types.FoldingRange(fold.first - 1, fold.last - 1, kind=kinds.Comment if fold.comment else None)
        for fold in folds(view.document)
    ]
