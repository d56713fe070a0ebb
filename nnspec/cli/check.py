"""nnspec check: every error of every file."""

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._options import changes, json_flag
from nnspec.cli._say import FOUND, note, result, result_json, tell
from nnspec.cli._words import counted


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec check specs/*.nnspec",
        "nnspec check net.nnspec --variant large --json",
        "nnspec check 'input 28x28 -> conv 3x3 x8 -> dense 10 softmax'",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@changes
@json_flag
def command(
    files: tuple[str, ...], settings: dict[str, str], variant: str | None, data: str | None, as_json: bool
) -> None:
    """Tell all errors of all files.

    No data are read, so this takes a moment only. Ends with 1 where a spec has an error, with 2 where a file is not
    there.
    """
    from spec_lang.errors import SourceError, SpecError
    from spec_lang.request import Request

    found, code = [], 0
    for file in files:
        try:
            spec = Request(file, settings, variant, data).check()
        except SpecError as error:
            found += error.diagnostics
            if not as_json:
                tell(error)
                note("")
            code = max(code, FOUND)
        except SourceError as error:
            code = max(code, tell(error))
        else:
            if not as_json:
                size = f", {spec.input} → {spec.output_shape}, {spec.parameter_count:,} parameters"
                result(f"{spec.source.name}: no errors{size if spec.nodes else ''}")
    if as_json:
        result_json(valid=code == 0, diagnostics=[diagnostic.as_json() for diagnostic in found])
    elif found:
        note(counted(len(found), "error"))
    raise click.exceptions.Exit(code)
