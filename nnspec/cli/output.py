"""Output of the command: results to standard output, everything else to standard error; exit codes of errors.

Nothing else in the command prints. What is printed here has its control characters escaped, whatever file it is from.
"""

import json
import math
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from nnspec._streams import LastingStream, failed_streams
from nnspec.spec_lang.report.errors import NNSpecError, SourceError, SpecError
from nnspec.spec_lang.report.escapes import escaped_json, escaped_lines

if TYPE_CHECKING:
    from nnspec.spec_lang.report.diagnostics import Diagnostic

JSON_FORMAT = 1
"""The version of the JSON output. It is increased when the meaning of a key changes."""

FOUND, WRONG_USE, INTERRUPTED = 1, 2, 130
"""Exit codes: something was found, such as an error in a spec; wrong use or a missing file; SIGINT."""


def uses_colours(stream: TextIO) -> bool:
    """Return whether to colour a stream: not with NO_COLOR, always with FORCE_COLOR, else on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int | None:
    """Return the columns of the terminal that a stream writes to, None if it is not a terminal."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def print_result(text: str, end: str = "\n") -> None:
    """Print a result to standard output, control characters as escapes."""
    click.echo(escaped_lines(text) + end, nl=False)


def print_text(text: str) -> None:
    """Print a text for another program to standard output: every character as it is, except on a terminal."""
    sys.stdout.write(escaped_lines(text) if sys.stdout.isatty() else text)


def print_json(**fields: Any) -> None:
    """Print a JSON object on one line to standard output; NaN and infinity become null."""
    print_json_document({"format_version": JSON_FORMAT, **fields})


def print_json_document(document: dict[str, Any]) -> None:
    """Print an object as JSON that has its own format, such as SARIF, on one line to standard output."""
    click.echo(escaped_json(json.dumps(without_nan(document), ensure_ascii=False)))


def print_note(text: str) -> None:
    """Print information that is not a result to standard error, control characters as escapes."""
    _print_styled(escaped_lines(text))


def print_warning(text: str) -> None:
    """Print a warning to standard error."""
    _print_styled(click.style("warning:", fg="yellow", bold=True) + f" {escaped_lines(text)}")


def print_error(error: NNSpecError) -> int:
    """Print an error to standard error and return its exit code."""
    if isinstance(error, SpecError):
        print_findings(error.diagnostics)
        return FOUND
    code = WRONG_USE if isinstance(error, SourceError) else int(getattr(error, "exit_code", FOUND))
    if code > 128:  # stopped by a signal
        print_note(str(error))
    else:
        help = click.style("help:", fg="blue", bold=True)
        message = escaped_lines(str(error)).replace("\n  help:", f"\n  {help}")
        _print_styled(click.style("error:", fg="red", bold=True) + f" {message}")
    return code


def print_findings(diagnostics: "Sequence[Diagnostic]") -> None:
    """Print the errors and warnings of a spec to standard error, each with its line of the spec."""
    from nnspec.spec_lang.report.render import render_all

    if diagnostics:
        _print_styled(render_all(diagnostics, uses_colours(sys.stderr), terminal_width(sys.stderr)))


def _print_styled(text: str) -> None:
    """Print a text with our own styles to standard error; what comes from a file is escaped in it already."""
    click.echo(text, err=True, color=uses_colours(sys.stderr))


@contextmanager
def escape_usage_errors() -> Iterator[None]:
    """Escape the messages of click's errors, which quote arguments; click prints them itself."""
    try:
        yield
    except click.ClickException as error:
        vars(error).update(message=escaped_lines(error.message))  # click declares it final
        raise


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn errors that a user can cause into a message and an exit code; a fault of nnspec keeps its traceback."""
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
            print_error(NNSpecError("this machine has too little memory: use a smaller batch"))
        ) from None


def report_lost_output(results_are_kept: bool) -> None:
    """Report to standard error that standard output has lost text, and exit with 1 unless a file has the results.

    A reader that ended by itself, as `head` does, has what it wanted: then nothing is reported.
    """
    lost = lost_output()
    if lost is None or lost.reader_left:
        return
    if results_are_kept:
        print_note(f"{lost.reason()}: its text is lost, the run is not")
    else:
        raise click.exceptions.Exit(print_error(NNSpecError(f"{lost.reason()}: the results are lost")))


def lost_output() -> LastingStream | None:
    """Return standard output if it has lost text."""
    return next((stream for stream in failed_streams() if stream is sys.stdout), None)


def lost_progress() -> str | None:
    """Return why standard error has lost text, if it has: progress, notes and warnings."""
    return next((stream.reason() for stream in failed_streams() if stream is sys.stderr), None)


@contextmanager
def translate_write_errors(path: object) -> Iterator[None]:
    """Turn an OSError while files are written into an UnwritableError with the path."""
    try:
        yield
    except OSError as error:
        misnamed = isinstance(error, FileNotFoundError | FileExistsError | NotADirectoryError | IsADirectoryError)
        message = f"{error.filename or path} cannot be written: {error.strerror or error}"
        raise UnwritableError(message, WRONG_USE if misnamed else FOUND) from None


class UnwritableError(NNSpecError):
    """A file cannot be written: its name is wrong, or the system refuses."""

    def __init__(self, message: str, exit_code: int = WRONG_USE):
        super().__init__(message)
        self.exit_code = exit_code


def without_nan(value: Any) -> Any:
    """Return what is to be written as JSON with null for NaN and infinity."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
