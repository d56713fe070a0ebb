"""Quick fixes: the help of an error that is an edit."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.actions import actions

KIND = types.CodeActionKind.QuickFix


@answers(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[KIND]))
def offered(view: View, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the fixes of the errors in a range."""
    only = params.context.only
    if only is not None and not any(kind == KIND or kind == "" for kind in only):
        return []
    return [
        types.CodeAction(
            title=action.title,
            kind=KIND,
            diagnostics=[view.finding(action.finding)],
            is_preferred=action.fix.sure,
            edit=view.edit([action.fix]),
        )
        for action in actions(view.document, *view.offsets(params.range))
    ]
