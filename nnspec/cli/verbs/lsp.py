"""nnspec lsp: the language server for editors."""

import gc
import os
import sys
from contextlib import redirect_stdout

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.output import WRONG_USE
from nnspec.spec_lang.report.errors import NNSpecError


@click.command(cls=Verb, section=Section.SPECS, examples=("nnspec lsp",))
@click.option("--stdio", is_flag=True, help="Use standard input and output: the default, which editors ask for.")
def command(stdio: bool) -> None:
    """Serve an editor over the Language Server Protocol.

    It provides errors while you type, shapes and help on hover, completion, definitions, renaming, formatting and quick
    fixes. Your editor starts it; docs/editor.md explains the setup. It needs pygls: pip install 'nnspec[lsp]'.
    """
    try:
        from nnspec.lsp.server import make_server
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise NotInstalledError(
            "the language server needs pygls 2, which is not installed\n"
            "  help: pip install 'nnspec[lsp]', or pip install 'pygls>=2'"
        ) from None
    with open(os.dup(sys.stdout.fileno()), "wb") as out, redirect_stdout(sys.stderr):  # the server closes it
        server = make_server()
        gc.freeze()  # what is loaded by now stays: no collection need look at it again
        server.start_io(stdout=out)


class NotInstalledError(NNSpecError):
    """A verb needs a package that is not installed."""

    exit_code = WRONG_USE
