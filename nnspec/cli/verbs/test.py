"""nnspec test: train specs and compare what they reach with what they expect."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count
from nnspec.cli.options import json_flag, quiet_flag, spec_options, workers_option
from nnspec.cli.output import print_error, print_json, print_note, print_result, translate_write_errors

if TYPE_CHECKING:
    from nnspec.runtime.execute.processors import Workers
    from nnspec.testing.run import Result


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    examples=(
        "nnspec test specs/*.nnspec",
        "nnspec test net.nnspec --seed 3 --set train.epochs=5",
        "nnspec test specs/*.nnspec --junit results.xml --markdown > results.md",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@spec_options
@click.option("--out", metavar="DIR", help="Keep the runs in this folder.  [default: temporary folders]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, instead of each spec's.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write the results as JUnit XML too.")
@click.option("--markdown", is_flag=True, help="Print the results as a table in Markdown.")
@workers_option
@json_flag
@quiet_flag
def command(
    files: tuple[str, ...],
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    out: str | None,
    seed: int | None,
    junit: Path | None,
    markdown: bool,
    workers: "Workers",
    as_json: bool,
    quiet: bool,
) -> None:
    """Train specs and compare what they reach with what they expect.

    A spec is a test where it has an expect statement, such as expect accuracy >= 95 %. Others are skipped. Each is
    trained in a temporary folder, unless --out names one. An error in one spec does not stop the others.

    The exit code is 1 if an expectation is missed or a spec has an error, 2 if a file is missing or no spec has an
    expectation. A comment directly above an expect statement is printed where that is missed.
    """
    from nnspec.cli.progress import progress_listener
    from nnspec.spec_lang.report.errors import SourceError
    from nnspec.testing.markdown import markdown as as_markdown
    from nnspec.testing.markdown import summary
    from nnspec.testing.run import ERROR, SKIPPED, Changes, exit_code, run_tests

    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other: give one of them")
    changes, results = Changes(settings, variant, data, seed, workers), []
    in_words = not (as_json or markdown)
    with progress_listener(False, quiet or not sys.stderr.isatty()) as listen:
        for result in run_tests(files, changes, out, listen):
            results.append(result)
            if in_words:
                _print(result)
            if result.state == ERROR and result.error is not None:
                print_error(result.error)
    if junit is not None:
        _write_junit(junit, results)
    if as_json:
        print_json(passed=exit_code(results) == 0, specs=[result.as_json() for result in results])
    elif markdown:
        print_result(as_markdown(results))
    else:
        print_result(f"{format_count(len(results), 'spec')}: {summary(results)}")
    if all(result.state == SKIPPED for result in results):
        raise SourceError("no spec has an expectation: add a line such as expect accuracy >= 95 %")
    raise click.exceptions.Exit(exit_code(results))


def _print(result: "Result") -> None:
    for case in result.cases:
        print_result(f"{'met    ' if case.met else 'MISSED '} {result.file}: {case.sentence}")
        if case.advice and not case.met:
            print_result(f"  help: {case.advice}")
    if result.reason:
        print_result(f"{result.state:7} {result.file}: {result.reason}")
    if result.path is not None:
        print_note(f"the run is in {result.path}")


def _write_junit(path: Path, results: "list[Result]") -> None:
    from nnspec.testing.junit import junit_xml

    with translate_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junit_xml(results))
