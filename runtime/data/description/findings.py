"""What a description warns of, in sentences."""

from collections.abc import Mapping, Sequence

from nnspec.runtime.data.description.columns import ColumnDescription


def of_columns(
    columns: Sequence[ColumnDescription], target: ColumnDescription | None, contradictions: int | None
) -> tuple[str, ...]:
    """Return what to look at in the columns of a table, and in rows that contradict each other."""
    said = [column.problem for column in columns if column.problem and column.role != "ignored"]
    for column in columns:
        if column.role != "feature":
            continue
        if column.decides and target is not None:
            said.append(
                f'column "{column.name}" alone decides {target.name}: if it is not known before {target.name} is, '
                f"leave it out with ignore={quoted(column.name)}"
            )
        elif column.distinct == 1 and not column.missing:
            said.append(f'column "{column.name}" has one value alone and says nothing')
    if contradictions:
        rows = "1 row has" if contradictions == 1 else f"{contradictions:,} rows have"
        said.append(f"{rows} the features of an earlier row and another target")
    return tuple(said)


def of_classes(classes: Mapping[str, int] | None) -> tuple[str, ...]:
    """Return a warning of classes of very different sizes."""
    if not classes or len(classes) < 2:
        return ()
    rare, common = min(classes, key=lambda name: classes[name]), max(classes, key=lambda name: classes[name])
    if classes[common] < 5 * max(classes[rare], 1):
        return ()
    return (
        f"class {common} has {classes[common]:,} samples and class {rare} has {classes[rare]:,}: accuracy says little; "
        "weights classes=balanced evens them out, stratified=yes gives each split its share",
    )


def of_leaks(leaks: Mapping[str, int], splits: Mapping[str, int] | None) -> tuple[str, ...]:
    """Return a warning for each split whose samples are in an earlier one too."""
    said = []
    for pair, count in leaks.items():
        later, _, earlier = pair.split()
        if count and splits:
            share = f"{100 * count / splits[later]:.1f} %"
            said.append(
                f"{count:,} of {splits[later]:,} {later} samples ({share}) are {earlier} samples too, so the {later} "
                "figures are too good"
            )
    return tuple(said)


def quoted(name: str) -> str:
    """Return the name of a column as a spec writes it."""
    return name if name.isidentifier() else f'"{name}"'
