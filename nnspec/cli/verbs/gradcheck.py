"""nnspec gradcheck: compare the gradients of a network with finite differences."""

from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count, format_shape, format_table
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import FOUND, print_json, print_result

if TYPE_CHECKING:
    from nnspec.runtime.explain.slopes import Slopes


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    short_help="Compare the gradients of a network with finite differences.",
    examples=(
        "nnspec gradcheck specs/quickstart.nnspec",
        "nnspec gradcheck 'input 5x3 sequence -> lstm 4 -> dense 2' --all --list",
        "nnspec gradcheck runs/quickstart --json",
    ),
)
@click.argument("file", metavar="FILE_OR_CHECKPOINT")
@spec_options
@click.option("--samples", type=click.IntRange(1), default=8, show_default=True, help="Samples in the batch.")
@click.option(
    "--numbers", type=click.IntRange(1), default=50, show_default=True, help="Numbers of each array to try, at random."
)
@click.option("--all", "every", is_flag=True, help="Try every number.")
@click.option("--list", "listed", is_flag=True, help="Print each number that was tried beside its slope.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Chooses the numbers.")
@json_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    samples: int,
    numbers: int,
    every: bool,
    listed: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the gradients of a network with the slopes of its loss, which are measured.

    For each array of parameters numbers are chosen at random and moved by about 6e-6 up and down; the difference of the
    loss over twice that is the slope, to which the gradient of backpropagation must be equal. It is computed in float64
    on the first training samples of the data, or on random ones where the spec names no data, as in training but
    without dropout. A spec has its initial weights, a checkpoint those that it holds.

    For each array the place is printed at which the two differ most, and the error: their difference relative to the
    largest gradient of the array. --list prints the others too; with --all that is every parameter. The exit code is 1
    where an error is above 1e-6.
    """
    from nnspec.cli.gradients import gradients_of
    from nnspec.runtime.explain.slopes import TOLERANCE, parameter_slopes

    asked = gradients_of(file, settings, variant, data, samples)
    loss, found = parameter_slopes(asked.network, asked.samples, asked.targets, None if every else numbers, seed)
    wrong = [each.name for each in found if not each.holds]
    if as_json:
        arrays = [
            {
                "name": each.name, "shape": each.shape, "tried": each.tried, "corners": each.corners,
                "place": each.place, "gradient": each.gradient, "slope": each.slope, "error": each.error,
                **({"numbers": [vars(number) for number in each.numbers]} if listed else {}),
            }
            for each in found
        ]  # fmt: skip
        print_json(valid=not wrong, samples=len(asked.samples), on=asked.origin, loss=loss, arrays=arrays)
    else:
        print_result(f"{asked.network.spec.title} on {asked.origin}, in float64: loss {loss:.6g}")
        print_result(_summary(found))
        if listed:
            print_result(_list(found))
        tried = format_count(sum(each.tried for each in found), "number")
        if wrong:
            print_result(f"the gradient is not the slope, by more than {TOLERANCE:.0e}: {', '.join(wrong)}")
        else:
            print_result(f"every gradient is the slope of the loss, of {tried} tried")
    raise click.exceptions.Exit(FOUND if wrong else 0)


def _summary(found: "list[Slopes]") -> str:
    rows = [("array", "shape", "tried", "corners", "at", "gradient", "slope", "error")]
    rows += [
        (
            each.name, format_shape(each.shape), f"{each.tried:,}", str(each.corners or ""), _place(each.place),
            f"{each.gradient:.10g}", f"{each.slope:.10g}", f"{each.error:.1e}",
        )
        for each in found
    ]  # fmt: skip
    return format_table(rows, right=(2, 3, 5, 6, 7))


def _list(found: "list[Slopes]") -> str:
    rows = [("number", "gradient", "slope")]
    for each in found:
        for number in each.numbers:
            slope = "a corner" if number.slope is None else f"{number.slope:.10g}"
            rows.append((f"{each.name}{_place(number.place)}", f"{number.gradient:.10g}", slope))
    return format_table(rows, right=(1, 2))


def _place(place: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, place)) + "]"
