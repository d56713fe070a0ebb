"""Formatting numbers, shapes and tables for people."""

from collections.abc import Sequence

from nnspec.spec_lang.report.escapes import escaped


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
