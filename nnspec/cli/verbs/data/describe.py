"""nnspec data describe: what a file of data holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Verb
from nnspec.cli.format import format_count, format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result
from nnspec.cli.pictures import out_option, save_picture, style_option

if TYPE_CHECKING:
    from nnspec.runtime.data.description import ColumnDescription, Description


@click.command(
    cls=Verb,
    examples=(
        "nnspec data describe iris.csv",
        "nnspec data describe 'iris.csv target=species' --out iris.png",
        "nnspec data describe 'npz \"digits.npz\"' --json",
    ),
)
@click.argument("file", metavar="FILE")
@out_option
@style_option
@json_flag
def command(file: str, out: Path | None, style: str, as_json: bool) -> None:
    """Show what a file of data holds: columns, classes, what is missing, what occurs twice.

    FILE is a file, or a data statement as --data takes it. With target= the columns of a table are compared with it:
    Pearson's correlation of two numbers, the correlation ratio of a number and classes, Cramér's V of categories.
    Samples that are in two splits, and columns that give the target away, are warned of.
    """
    from nnspec.runtime.data.description import describe
    from nnspec.runtime.views import in_style
    from nnspec.spec_lang.check.data_statement import data_word

    found = describe(data_word(file))
    picture = None
    if out is not None:
        with in_style(style):
            picture = save_picture(_picture(found), out, quiet=True)
    if as_json:
        print_json(**found.as_json(), picture=picture)
        return
    for line in _lines(found):
        print_result(line)
    if picture is not None:
        print_result(picture)


def _lines(found: "Description") -> list[str]:
    """Return the description as text."""
    lines = [f"{found.name}: {format_count(found.samples, 'sample')} of {found.sample}"]
    if found.limits is not None:
        lines.append(f"  numbers from {found.limits[0]:.6g} to {found.limits[1]:.6g}")
    lines += [f"  {note}" for note in found.notes]
    if found.columns:
        lines += ["", format_table(_table(found.columns), right=(3, 4, 6))]
    if found.classes is not None:
        rows = [(f"class {name}", f"{count:,}", _share(count, found.samples)) for name, count in found.classes.items()]
        lines += ["", format_table(rows[:_MOST_CLASSES], right=(1, 2))]
        lines += [f"  … {len(rows):,} classes in all"] if len(rows) > _MOST_CLASSES else []
    if found.splits is not None:
        lines += ["", "  " + ", ".join(f"{role} {count:,}" for role, count in found.splits.items())]
    lines.append(f"  {_times(found.duplicates, 'sample repeats', 'samples repeat')} an earlier one")
    lines += [f"  warning: {warning}" for warning in found.warnings]
    return lines


_MOST_CLASSES = 20
_MOST_TEXTS = 3


def _table(columns: "tuple[ColumnDescription, ...]") -> list[tuple[str, ...]]:
    roles = any(column.role != "feature" for column in columns)
    measured = any(column.association is not None for column in columns)
    rows: list[tuple[str, ...]] = [
        (
            "column",
            "role" if roles else "",
            "kind",
            "missing",
            "distinct",
            "range",
            "with the target" if measured else "",
            "",
        )
    ]
    for column in columns:
        linked = f"{column.association:.3f}" if column.association is not None else ""
        missing = _share(column.missing, column.rows) if column.missing else ""
        measure = column.measure or "" if linked else ""
        rows.append(
            (
                column.name,
                column.role if roles else "",
                column.kind,
                missing,
                f"{column.distinct:,}",
                _range(column),
                linked,
                measure,
            )
        )
    return rows


def _range(column: "ColumnDescription") -> str:
    if column.commonest is not None:
        shown = [f"{text[:20]} {count:,}" for text, count in list(column.commonest.items())[:_MOST_TEXTS]]
        return ", ".join([*shown, "…"] if column.distinct > _MOST_TEXTS else shown)
    numbers = column.numbers or {}
    if "mean" in numbers:
        return f"{numbers['least']:.4g} to {numbers['greatest']:.4g}, mean {numbers['mean']:.4g}"
    return f"{numbers['least']} to {numbers['greatest']}" if numbers else ""


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %"


def _times(count: int, one: str, several: str) -> str:
    return f"{count:,} {several}" if count > 1 else f"{count or 'no'} {one}"


_SIGNS = {"Pearson": "r", "correlation ratio": "η", "Cramér's V": "V"}


def _picture(found: "Description") -> Any:
    from nnspec.runtime.data.description.columns import as_classes
    from nnspec.runtime.views import PICTURES

    target = next((column for column in found.columns if column.role == "target"), None)
    of_class = as_classes(target) if target is not None and found.classes is not None else None
    columns = [column for column in found.columns if column.kind != "empty" and column.groups_rows]
    columns = [column for column in columns if of_class is None or column is not target]
    columns.sort(key=lambda column: -abs(column.association or 0))
    measured = [column for column in columns if column.association is not None]
    title = f"{found.name}, {format_count(found.samples, 'sample')}"
    if measured and target is not None:
        signs = dict.fromkeys(f"{_SIGNS[column.measure]} {column.measure}" for column in measured if column.measure)
        title += f"; association with {target.name}: {', '.join(signs)}"
    return PICTURES["description"]([_panel(column) for column in columns], found.classes, of_class, title)


def _panel(column: "ColumnDescription") -> Any:
    from nnspec.runtime.views.description import Panel

    linked = (
        f"{_SIGNS[column.measure]} {column.association:.2f}"
        if column.association is not None and column.measure
        else ""
    )
    return Panel(column.name, column.values, linked, column.kind == "date")
