"""Signature help: what a word takes while it is written."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.signature import Signature, signature


@answers(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(trigger_characters=[" ", "="]))
def signed(view: View, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    """Return the values and options of the word before a position."""
    found = signature(view.document, view.offset(params.position))
    return types.SignatureHelp([_information(found)], 0, found.active) if found is not None else None


def _information(found: Signature) -> types.SignatureInformation:
    """Return a signature. Parameters are named by their place in the label, in UTF-16 units; all of it is ASCII."""
    parameters, at = [], len(found.word) + 1
    for parameter in found.parameters:
        about = types.MarkupContent(types.MarkupKind.Markdown, parameter.about)
        parameters.append(types.ParameterInformation((at, at + len(parameter.text)), about))
        at += len(parameter.text) + 1
    about = types.MarkupContent(types.MarkupKind.Markdown, found.about)
    return types.SignatureInformation(found.label, about, parameters, found.active)
