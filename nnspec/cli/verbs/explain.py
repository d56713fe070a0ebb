"""nnspec explain: explain an error code."""

from dataclasses import asdict

import click
from click.shell_completion import CompletionItem

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from nnspec.spec_lang.report.codes import TABLE

    begun = incomplete.upper()
    return [CompletionItem(code, help=entry.title) for code, entry in TABLE.items() if code.startswith(begun)]


@click.command(cls=Verb, section=Section.SPECS, examples=("nnspec explain E301", "nnspec explain"))
@click.argument("code", metavar="[CODE]", required=False, shell_complete=_complete)
@json_flag
def command(code: str | None, as_json: bool) -> None:
    """Explain an error code, with an example and its fix.

    Without CODE, list all of them.
    """
    from nnspec.spec_lang.report.codes import CODES, TABLE

    if code is None and as_json:
        print_json(codes=[{"code": known, "title": title} for known, title in CODES.items()])
        return
    if code is None:
        print_result(format_table(list(CODES.items())))
        return
    from nnspec.spec_lang.check.code_examples import example_error
    from nnspec.spec_lang.report.errors import NNSpecError
    from nnspec.spec_lang.report.explain import explain

    try:
        explained = explain(code, example_error)
    except NNSpecError as error:
        raise click.BadParameter(str(error), param_hint="CODE") from None
    if as_json:
        print_json(code=code.upper(), **asdict(TABLE[code.upper()]))
    else:
        print_result(explained)
