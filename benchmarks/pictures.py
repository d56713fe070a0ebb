"""The two pictures of docs/performance.md, drawn from a run's results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks import figures
from benchmarks.drive import PEERS

COLOURS = {"nnspec": "#0b6e4f", "torch": "#c8553d", "jax": "#3d6fb6", "sklearn": "#b08900", "notes": "#8a8a8a"}
"""A colour for each peer, the same in every picture."""


def draw_comparison(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """How long a step takes in every workload, as a multiple of nnspec's: a dot for each peer."""
    shown = [result for result in results if figures.as_used(result) is not None]
    figure = Figure(figsize=(8, 0.42 * len(shown) + 1.5), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color=COLOURS["nnspec"], linewidth=2)
    for row, result in enumerate(shown):
        ours = figures.as_used(result)
        assert ours is not None
        axes.axhline(row, color="#eeeeee", linewidth=1, zorder=0)
        for peer in PEERS:
            theirs = figures.best(result, peer) if peer != "nnspec" else ours
            if theirs is not None:
                factor = figures.times_as_fast(theirs, ours)
                axes.plot(factor, row, "o", color=COLOURS[peer], markersize=9 if peer == "nnspec" else 7)
        goal = result.get("goal")
        if goal:
            axes.plot([goal, goal], [row - 0.3, row + 0.3], color="#222222", linewidth=1.2)
    for peer, known in PEERS.items():
        axes.plot([], [], "o", color=COLOURS[peer], label=known.title)
    axes.plot([], [], color="#222222", linewidth=1.2, label="goal for PyTorch")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_yticks(range(len(shown)), [result["name"] for result in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlabel("time, nnspec = 1 (logarithmic; further right is slower): of a step, or of a start or a call in W8")
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 1.0 + 0.9 / len(shown)),
        ncols=6,
        frameon=False,
        fontsize=8,
        columnspacing=1.0,
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    _save(figure, path)


def draw_scaling(growths: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Time against the size of the work, a panel for each measure of it, the slopes of their larger halves above."""
    columns = 3
    rows = -(-len(growths) // columns)
    figure = Figure(figsize=(9, 2.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, growth in zip(panels, growths, strict=False):
        _panel(axes, growth)
    for axes in panels[len(growths) :]:
        axes.set_axis_off()
    lines = {str(line.get_label()): line for axes in panels for line in axes.get_lines()}
    figure.legend(list(lines.values()), list(lines), loc="outside upper center", ncols=2, frameon=False)
    _save(figure, path)


def _panel(axes: Axes, growth: Mapping[str, Any]) -> None:
    for peer in ("torch", "nnspec"):
        timings = zip(growth["sizes"], (figures.best(result, peer) for result in growth["results"]), strict=True)
        found = [(size, 1e3 * timing.median) for size, timing in timings if timing is not None]
        if not found:
            continue
        sizes, milliseconds = zip(*found, strict=True)
        axes.plot(sizes, milliseconds, "o-", color=COLOURS[peer], label=PEERS[peer].title, markersize=4)
        steep = figures.growing(growth, peer)
        if steep is None:
            continue
        height = 0.9 if peer == "nnspec" else 0.98  # in the corner that rising lines leave free
        look: dict[str, Any] = {"va": "top", "color": COLOURS[peer], "fontsize": 8}
        axes.text(0.03, height, f"slope {steep:.2f}", transform=axes.transAxes, **look)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(0.08, 0.18)
    axes.set_xlabel(growth["name"])
    axes.set_ylabel("milliseconds", fontsize=8)
    axes.set_xticks(growth["sizes"], [f"{size:,}" for size in growth["sizes"]], fontsize=7)
    axes.minorticks_off()
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=120, facecolor="white")
