"""nnspec check: report every error of every file."""

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import (
    FOUND,
    print_error,
    print_findings,
    print_json,
    print_json_document,
    print_note,
    print_result,
)
from nnspec.cli.specs import spec_named


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec check specs/*.nnspec",
        "nnspec check net.nnspec --variant large --json",
        "nnspec check 'input 28x28 -> conv 3x3 x8 -> dense 10 softmax'",
        "nnspec check specs/*.nnspec --sarif > nnspec.sarif",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@spec_options
@json_flag
@click.option("--sarif", is_flag=True, help="Print the errors as SARIF, which code hosts show next to the lines.")
def command(
    files: tuple[str, ...],
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    as_json: bool,
    sarif: bool,
) -> None:
    """Report all errors of all files.

    No data are read, so this is fast. The exit code is 1 if a spec has an error, 2 if a file is missing. FILE - is
    standard input, and FILE may be the text of a network.
    """
    from nnspec.spec_lang.check.spec_request import Request
    from nnspec.spec_lang.report.errors import SourceError, SpecError

    if as_json and sarif:
        raise click.UsageError("--json and --sarif exclude each other: give one of them")
    found, code, in_words = [], 0, not (as_json or sarif)
    for file in files:
        try:
            spec = Request(spec_named(file), settings, variant, data).check()
        except SpecError as error:
            found += error.diagnostics
            if in_words:
                print_error(error)
                print_note("")
            code = max(code, FOUND)
        except SourceError as error:
            code = max(code, print_error(error))
        else:
            found += spec.warnings
            if in_words:
                print_findings(spec.warnings)
                size = f", {spec.input} → {spec.output_shape}, {spec.parameter_count:,} parameters"
                print_result(f"{spec.source.name}: no errors{size if spec.nodes else ''}")
    if as_json:
        print_json(valid=code == 0, diagnostics=[diagnostic.as_json() for diagnostic in found])
    elif sarif:
        from nnspec import __version__
        from nnspec.spec_lang.report.sarif import as_sarif

        print_json_document(as_sarif(found, __version__))
    elif errors := sum(diagnostic.severity == "error" for diagnostic in found):
        print_note(format_count(errors, "error"))
    raise click.exceptions.Exit(code)
