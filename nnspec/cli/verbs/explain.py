"""nnspec explain: explain an error code."""

import click
from click.shell_completion import CompletionItem

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_table
from nnspec.cli.output import print_result


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from nnspec.spec_lang.report.codes import TABLE

    begun = incomplete.upper()
    return [CompletionItem(code, help=entry.title) for code, entry in TABLE.items() if code.startswith(begun)]


@click.command(cls=Verb, section=Section.SPECS, examples=("nnspec explain E301", "nnspec explain"))
@click.argument("code", metavar="[CODE]", required=False, shell_complete=_complete)
def command(code: str | None) -> None:
    """Explain an error code, with an example and its fix.

    Without CODE, list all of them.
    """
    from nnspec.spec_lang.report.codes import CODES

    if code is None:
        print_result(format_table(list(CODES.items())))
        return
    from nnspec.spec_lang.check.code_examples import example_error
    from nnspec.spec_lang.report.errors import NNSpecError
    from nnspec.spec_lang.report.explain import explain

    try:
        print_result(explain(code, example_error))
    except NNSpecError as error:
        raise click.BadParameter(str(error), param_hint="CODE") from None
