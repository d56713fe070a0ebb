"""Options that several verbs share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from nnspec.cli.completion import complete_data, complete_setting, complete_variant

MOST_WORKERS = 64

F = TypeVar("F", bound=Callable[..., Any])


def _settings(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip() or not text.strip():
            raise click.BadParameter(f"{value!r} is not KEY=VALUE, such as optimizer.lr=0.001", ctx, parameter)
        settings[key.strip()] = text.strip()
    return settings


def spec_options(function: F) -> F:
    """Add --set, --variant and --data, which change a spec from outside."""
    for option in (
        click.option(
            "--data",
            metavar="D",
            shell_complete=complete_data,
            help="Use other data: a file, or a data statement in quotes.",
        ),
        click.option(
            "--variant", metavar="NAME", shell_complete=complete_variant, help="Use one of the spec's variants."
        ),
        click.option(
            "--set",
            "settings",
            multiple=True,
            callback=_settings,
            shell_complete=complete_setting,
            metavar="KEY=VALUE",
            help="Change a setting: width=32 (a let), optimizer.lr=0.001 (an option). Repeatable.",
        ),
    ):
        function = option(function)
    return function


def data_options(function: F) -> F:
    """Add --data and --split, which choose the samples."""
    for option in (
        click.option(
            "--split",
            type=click.Choice(("test", "validation", "train", "all")),
            help="The split of the data.  [default: test, or validation if there is no test split]",
        ),
        click.option(
            "--data",
            metavar="D",
            shell_complete=complete_data,
            help="Use other data: a file, or a data statement in quotes.",
        ),
    ):
        function = option(function)
    return function


class WorkersType(click.ParamType["int | str"]):
    """A number of processes, or auto."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "int | str":
        """Return the number, or auto."""
        if value == "auto" or isinstance(value, int):
            return "auto" if value == "auto" else int(value)
        if not str(value).isdecimal() or not 1 <= int(value) <= MOST_WORKERS:
            self.fail(f"{value!r} is not a number from 1 to {MOST_WORKERS}, or auto", param, ctx)
        return int(value)


workers_option = click.option(
    "--workers",
    type=WorkersType(),
    metavar="N|auto",
    default="auto",
    help="How many processes train: a number, or as many as pay. The weights are the same.  [default: auto]",
)
json_flag = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
tensorboard_flag = click.option(
    "--tensorboard", is_flag=True, help="Also write event files for TensorBoard, to tensorboard/ in the run's folder."
)
quiet_flag = click.option("--quiet", is_flag=True, help="Do not show progress.")
