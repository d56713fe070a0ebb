"""What the command says: results on standard output, all else on standard error, each error with its exit code."""

import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from nnspec.spec_lang.report.errors import NNSpecError, SourceError, SpecError

JSON_FORMAT = 1
"""The version of the JSON that the command prints; it grows when the meaning of a key changes."""

FOUND, WRONG_USE, INTERRUPTED = 1, 2, 130
"""Exit codes: something was found, such as an error in a spec; a wrong call or a file that is not there; SIGINT."""


def uses_colours(stream: TextIO) -> bool:
    """Whether to write colours to a stream: NO_COLOR forbids, FORCE_COLOR asks for it, else a terminal gets them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int | None:
    """How many characters a line of the terminal has that a stream goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def print_result(text: str) -> None:
    """A line of results, to standard output."""
    click.echo(text, color=uses_colours(sys.stdout))


def print_json(**fields: Any) -> None:
    """A JSON object on a line of its own, to standard output; numbers that JSON does not have become null."""
    click.echo(json.dumps(_plain({"format_version": JSON_FORMAT, **fields}), ensure_ascii=False))


def print_note(text: str) -> None:
    """Something worth knowing that is no result, to standard error."""
    click.echo(text, err=True, color=uses_colours(sys.stderr))


def print_warning(text: str) -> None:
    """Something that may not be as the user thinks, to standard error."""
    print_note(click.style("warning:", fg="yellow", bold=True) + f" {text}")


def print_error(error: NNSpecError) -> int:
    """Write an error to standard error and give the exit code that it stands for."""
    if isinstance(error, SpecError):
        from nnspec.spec_lang.report.render import render_all

        print_note(render_all(error.diagnostics, uses_colours(sys.stderr), terminal_width(sys.stderr)))
        return FOUND
    code = WRONG_USE if isinstance(error, SourceError) else int(getattr(error, "exit_code", FOUND))
    if code > 128:  # it was asked to stop
        print_note(str(error))
    else:
        help = click.style("help:", fg="blue", bold=True)
        print_note(click.style("error:", fg="red", bold=True) + f" {error}".replace("\n  help:", f"\n  {help}"))
    return code


@contextmanager
def report_errors() -> Iterator[None]:
    """What a user can cause becomes a message and an exit code; all else is a fault of ours, with its traceback."""
    try:
        yield
        sys.stdout.flush()
    except NNSpecError as error:
        raise click.exceptions.Exit(print_error(error)) from None
    except KeyboardInterrupt:
        print_note("interrupted")
        raise click.exceptions.Exit(INTERRUPTED) from None
    except MemoryError:
        raise click.exceptions.Exit(
            print_error(NNSpecError("this machine has not enough memory: take a smaller batch"))
        ) from None
    except BrokenPipeError:  # the reader, such as head, has had enough
        discard_output(sys.stdout)


def discard_output(stream: TextIO) -> None:
    """Let what is still written to a stream go nowhere, what is in its buffer included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def translate_write_errors(path: object) -> Iterator[None]:
    """Files are written here: what the system refuses is told with the path."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        misnamed = isinstance(error, FileNotFoundError | FileExistsError | NotADirectoryError | IsADirectoryError)
        message = f"{error.filename or path} cannot be written: {error.strerror or error}"
        raise UnwritableError(message, WRONG_USE if misnamed else FOUND) from None


class UnwritableError(NNSpecError):
    """A file that cannot be written: its name is wrong, or the system refuses."""

    def __init__(self, message: str, exit_code: int = WRONG_USE):
        super().__init__(message)
        self.exit_code = exit_code


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
