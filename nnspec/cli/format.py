"""Formatting numbers, shapes and tables for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.spec_lang.report.escapes import escaped

if TYPE_CHECKING:
    from nnspec.runtime.infer.weight_distance import WeightDistance


def format_metric(name: str, value: float) -> str:
    """Return a metric's value: a share of samples in percent, another number with four digits."""
    from nnspec.spec_lang.vocabulary.metrics import Metric
    from nnspec.spec_lang.vocabulary.registry import words

    split, _, quantity = name.partition("_")
    metric = words("metric").get(quantity if split in ("training", "validation", "test") else name)
    share = metric is not None and issubclass(metric, Metric) and metric.share
    return f"{100 * value:.2f} %" if share else f"{value:.4g}"


def format_shape(shape: Sequence[int]) -> str:
    """Return a shape as 28x28x1; a single number is 1."""
    return "x".join(map(str, shape)) or "1"


def format_count(count: int, thing: str) -> str:
    """Return a count and its unit: 1 sample, 1,000 samples."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def format_table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: str = "  ") -> str:
    """Return rows as aligned columns. Columns in `right` are aligned right, for numbers.

    Control characters in a cell, line feeds too, become escapes.
    """
    rows = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def format_weights(weights: "Sequence[WeightDistance]") -> str:
    """Return the distances of the layers that moved as a table, and how many did not."""
    rows = [("layer", "numbers", "distance", "of their length", "largest")]
    for distance in weights:
        name = f"{distance.layer}, running" if distance.running else distance.layer
        relative = "" if distance.relative is None else f"{100 * distance.relative:.3g} %"
        if distance.differs:
            rows.append(
                (name, f"{distance.numbers:,}", f"{distance.distance:.4g}", relative, f"{distance.largest:.3g}")
            )
    still = len(weights) + 1 - len(rows)
    more = f"\n  {format_count(still, 'other')} did not change" if still else ""
    return f"weights:\n{format_table(rows, right=(1, 2, 3, 4))}{more}"
