"""Options that several verbs have, each said once."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

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
    """--set, --variant and --data: what may be changed from outside wherever a spec is read."""
    for option in (
        click.option("--data", metavar="D", help="Other data: mnist_sample, or 'csv \"table.csv\" target=y'."),
        click.option("--variant", metavar="NAME", help="One of the spec's variants."),
        click.option(
            "--set",
            "settings",
            multiple=True,
            callback=_settings,
            metavar="KEY=VALUE",
            help="A setting from outside: width=32 a let, optimizer.lr=0.001 an option. May be repeated.",
        ),
    ):
        function = option(function)
    return function


def data_options(function: F) -> F:
    """--data and --split: which samples a checkpoint is shown."""
    for option in (
        click.option(
            "--split",
            type=click.Choice(("test", "validation", "train", "all")),
            help="Which split of the data; left out it is test, or validation where there is no test split.",
        ),
        click.option("--data", metavar="D", help="Other data than those of the spec, such as 'npz \"mine.npz\"'."),
    ):
        function = option(function)
    return function


json_flag = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_flag = click.option("--quiet", is_flag=True, help="Show no progress.")
