"""nnspec lsp: the language server, for editors."""

import os
import sys
from contextlib import redirect_stdout

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._output import WRONG_USE
from nnspec.spec_lang.report.errors import NNSpecError


@click.command(cls=Verb, section=Section.SPECS, examples=("nnspec lsp",))
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, as it always does.")
def command(stdio: bool) -> None:
    """Answer an editor, by the Language Server Protocol.

    Errors as one types, shapes and help under the pointer, completion, definitions, renaming, formatting and quick
    fixes. An editor starts this by itself; docs/editor.md tells how. It needs pygls: pip install 'nnspec[lsp]'.
    """
    try:
        from nnspec.lsp import server
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise NotInstalledError(
            "the language server needs pygls 2, which is not installed\n"
            "  help: pip install 'nnspec[lsp]', or pip install 'pygls>=2'"
        ) from None
    with open(os.dup(sys.stdout.fileno()), "wb") as out, redirect_stdout(sys.stderr):  # the server closes it
        server.start_io(stdout=out)


class NotInstalledError(NNSpecError):
    """A part of nnspec that needs a package which is not there."""

    exit_code = WRONG_USE
