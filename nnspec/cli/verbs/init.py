"""nnspec init: copy a shipped spec."""

import os
import shlex
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import UnwritableError, print_json, print_result, translate_write_errors
from nnspec.cli.specs import about_spec, shipped_specs


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=about_spec(path))
        for name, path in shipped_specs().items()
        if name.startswith(incomplete)
    ]


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=("nnspec init", "nnspec init quickstart", "nnspec init mnist_cnn experiments/mine.nnspec"),
)
@click.argument("name", required=False, shell_complete=_complete)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_flag
def command(name: str | None, file: Path | None, as_json: bool) -> None:
    """Copy a shipped spec to start from, or list them.

    FILE defaults to NAME.nnspec; its folder is made if there is none. An existing file is never overwritten.
    """
    specs = shipped_specs()
    if name is None and as_json:
        print_json(specs=[{"name": spec, "about": about_spec(path)} for spec, path in specs.items()])
        return
    if name is None:
        print_result(format_table([(spec, about_spec(path)) for spec, path in specs.items()], indent=""))
        return
    if name not in specs:
        from nnspec.spec_lang.report.diagnostics import near, one_of

        close = near(name, specs)
        hint = f"did you mean {close}?" if close else f"there is {one_of(specs)}"
        raise click.UsageError(f'no shipped spec is called "{name}"; {hint}')
    target = file or Path(f"{name}.nnspec")
    if os.path.isdir(target):
        target = target / f"{name}.nnspec"
    with translate_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as new:
                new.write(specs[name].read_bytes())
        except FileExistsError:
            raise UnwritableError(f"{target} exists already: name another file") from None
    if as_json:
        print_json(name=name, file=str(target))
        return
    print_result(f"wrote {target}; to train it: nnspec train {shlex.quote(str(target))}")
