"""`%%nnspec` in Jupyter and IPython: a cell that is a spec. `%load_ext nnspec` registers it."""

import keyword
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import spec_options
from nnspec.spec_lang.report.errors import NNSpecError, SpecError
from nnspec.spec_lang.report.escapes import escaped_lines
from nnspec.spec_lang.source import Source

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nnspec.runtime.data.given import Arrays
    from nnspec.runtime.train.run import Run


class CellError(NNSpecError):
    """An error in a cell, shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [str(self)]


@dataclass(frozen=True)
class CellArguments:
    """The parsed arguments of `%%nnspec`."""

    name: str | None
    settings: dict[str, str]
    variant: str | None
    data: str | None
    seed: int | None
    train: bool
    out: str | None
    plan: bool
    quiet: bool


@click.command(
    cls=Verb,
    examples=(
        "%%nnspec",
        "%%nnspec digits --train --data mnist_sample",
        "%%nnspec net --train --data x,y --set train.epochs=20",
        "%%nnspec --plan --data mnist_sample",
    ),
)
@click.argument("name", required=False)
@click.option("--train", is_flag=True, help="Train; NAME is then the run, with its network and history.")
@click.option("--plan", is_flag=True, help="Show shapes, parameters, and how a step is computed.")
@spec_options
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, instead of the spec's.")
@click.option("--out", metavar="DIR", help="The run's folder.  [default: runs/NAME, none for arrays]")
@click.option("--quiet", is_flag=True, help="Show only the results of training.")
def arguments(**given: Any) -> CellArguments:
    """Check the cell as a spec, and assign its network to the variable NAME.

    --data x,y names two variables: the samples and their targets.
    """
    return CellArguments(**given)


def register_magic(shell: "InteractiveShell") -> None:
    """Register `%%nnspec` in a shell."""

    def nnspec(line: str, cell: str) -> None:
        try:
            run_cell(line, cell, shell.user_ns)
        except SpecError as error:
            from nnspec.spec_lang.report.render import render_all

            colour = str(getattr(shell, "colors", "")).lower() != "nocolor"
            raise CellError(render_all(error.diagnostics, colour)) from None
        except NNSpecError as error:
            raise CellError(f"error: {escaped_lines(str(error))}") from None

    nnspec.__doc__ = arguments.help
    shell.magics_manager.register_function(nnspec, magic_kind="cell", magic_name="nnspec")


def run_cell(line: str, cell: str, variables: dict[str, Any]) -> None:
    """Run a cell and assign the result to its name in the notebook's variables.

    Errors have the line numbers of the notebook, where `%%nnspec` is line 1. Raises NNSpecError.
    """
    asked = _read(line)
    if asked is None:
        return
    from nnspec.cli.output import print_result
    from nnspec.runtime.train.spec_and_data import compiled
    from nnspec.spec_lang.check.spec_request import Request

    arrays = _arrays(asked.data, variables)
    source = Source(asked.name or "cell", f"\n{cell}", Path.cwd())
    data = asked.data if arrays is None else None
    request = Request(source, asked.settings, asked.variant, data, asked.seed)
    if asked.plan:
        request.check()  # errors with the notebook's line numbers
        _plan(cell, asked, arrays is None)
    made: Any = None
    if asked.train:
        made = _trained(request, asked, arrays)
    elif asked.name is not None or not asked.plan:
        made = compiled(request, given=arrays)
        spec = made.spec
        print_result(f"{spec.title}: {spec.input} → {spec.output_shape}, {spec.parameter_count:,} parameters")
    if asked.name is not None:
        variables[asked.name] = made


def _read(line: str) -> CellArguments | None:
    """Return the arguments of a line, None if it asked for help, which has been shown."""
    try:
        asked = arguments.main(shlex.split(line), "%%nnspec", standalone_mode=False)
    except click.ClickException as error:
        raise NNSpecError(f"{error.format_message()}\n  help: %%nnspec --help shows the options") from None
    except ValueError as error:  # an unclosed quote
        raise NNSpecError(f"the %%nnspec line cannot be parsed: {error}") from None
    if not isinstance(asked, CellArguments):
        return None
    if asked.name is not None and (not asked.name.isidentifier() or keyword.iskeyword(asked.name)):
        raise NNSpecError(f"{asked.name!r} is not a valid variable name")
    return asked


def _arrays(data: str | None, variables: Mapping[str, Any]) -> "Arrays | None":
    """Return the arrays if --data names two variables."""
    from nnspec.runtime.data.given import Arrays

    names = [name.strip() for name in (data or "").split(",")]
    if len(names) != 2 or not all(name.isidentifier() for name in names):
        return None
    missing = [name for name in names if name not in variables]
    if missing:
        raise NNSpecError(f"--data {data}: there is no variable called {missing[0]}")
    return Arrays(*(variables[name] for name in names))


def _trained(request: Any, asked: CellArguments, arrays: "Arrays | None") -> "Run":
    from nnspec.cli.progress import progress_listener
    from nnspec.cli.summary import print_summary
    from nnspec.runtime.train.run import train

    with progress_listener(False, asked.quiet) as listen:
        run = train(request, asked.out, arrays, listen=listen, files=arrays is None or asked.out is not None)
    print_summary(run, quiet=True)
    return run


def _plan(cell: str, asked: CellArguments, with_data: bool) -> None:
    """Print what `nnspec plan` prints for the cell."""
    from nnspec.cli.verbs.plan import command

    options = [text for key, value in asked.settings.items() for text in ("--set", f"{key}={value}")]
    options += ["--variant", asked.variant] if asked.variant else []
    options += ["--data", asked.data] if asked.data and with_data else []
    command.main([*options, "--", f"{cell}\n"], "nnspec plan", standalone_mode=False)
