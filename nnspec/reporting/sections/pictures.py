"""The pictures of a run, each with what one sees on it in words, and tables of the same numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from nnspec.cli.format import format_metric
from nnspec.reporting.blocks import Block, Image, Paragraph, Section, Table
from nnspec.reporting.images import figure_image
from nnspec.reporting.run import ReportedRun
from nnspec.runtime.arrays import Array
from nnspec.runtime.errors import RuntimeFault
from nnspec.runtime.explain.scales import occlude_by_scale
from nnspec.runtime.infer.evaluation import class_probabilities, first_correct
from nnspec.runtime.infer.network import Network
from nnspec.runtime.metrics import confusion_counts
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.views import PICTURES, PictureError, in_style
from nnspec.runtime.views.figures import FIGURES, Subject
from nnspec.runtime.views.occlusion import finding, page_count
from nnspec.spec_lang.check.spec import Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 60
"""The most evaluations in a table; of more, evenly spaced ones."""

MOST_CLASSES = 30
"""The most classes whose counts are a table too."""

MOST_PAGES = 3

PER_CLASS = 3
"""The images of a class whose occlusion is drawn."""

MOST_WINDOWS = 28
"""The most positions of the window in a row."""


def drawn(draw: "Callable[[], Sequence[Figure]]", alt: str, caption: str = "") -> list[Image]:
    """Return the figures that a function draws, for light and for dark screens; none where there is nothing to draw."""
    try:
        figures = {}
        for style in ("light", "dark"):
            with in_style(style):
                figures[style] = draw()
    except (PictureError, RuntimeFault):
        return []
    pairs = zip(figures["light"][:MOST_PAGES], figures["dark"][:MOST_PAGES], strict=True)
    pages = min(len(figures["light"]), MOST_PAGES)
    return [
        figure_image(light, dark, f"{alt} Page {number} of {pages}." if pages > 1 else alt, caption)
        for number, (light, dark) in enumerate(pairs, 1)
    ]


def of_subject(name: str, subject: Subject, alt: str, caption: str = "") -> list[Image]:
    """Return the pictures of a name; none where the subject has none."""
    return drawn(lambda: FIGURES[name](subject), alt, caption) if name in FIGURES else []


def graph(run: ReportedRun) -> Section:
    """Return the graph with its shapes, and the layers as a table."""
    spec = run.spec
    words = f"The network as a graph, from the input of {spec.input} to the output of {spec.output_shape}."
    rows = [
        (node.name, node.layer.word, ", ".join(node.inputs), str(node.output_shape), f"{_size(node):,}")
        for node in spec.nodes
    ]
    total = ("all", "", "", "", f"{spec.parameter_count:,}")
    heading = ("layer", "kind", "reads", "output shape", "parameters")
    table = Table(f"Layers, after an input of {spec.input}", heading, [*rows, total], right=(4,), folded=len(rows) > 12)
    return Section("graph", "The network", [*of_subject("graph", run.subject, words), table])


def _size(node: Node) -> int:
    return sum(parameter.size for parameter in node.parameters().values())


def curves(run: ReportedRun) -> Section | None:
    """Return loss and metrics over the steps, and the evaluations as a table."""
    history = {name: s for name, s in run.saved.state.history.items() if s.values and name != "lr"}
    if not history:
        return None
    said = [_course(name, series.steps, series.values) for name, series in history.items()]
    words = f"Curves over {run.saved.state.step:,} training steps. {' '.join(said)}"
    pictures = of_subject("curves", run.subject, words)
    names = list(history)
    steps = sorted({step for series in history.values() for step in series.steps})
    shown = steps if len(steps) <= MOST_ROWS else [steps[int(i)] for i in np.linspace(0, len(steps) - 1, MOST_ROWS)]
    by_step = {name: dict(zip(series.steps, series.values, strict=True)) for name, series in history.items()}
    rows = [
        (f"{step:,}", *(format_metric(name, by_step[name][step]) if step in by_step[name] else "" for name in names))
        for step in shown
    ]
    some = f", {len(shown)} of {len(steps)}" if len(shown) < len(steps) else ""
    heading = ("step", *(name.replace("_", " ") for name in names))
    table = Table(f"Evaluations{some}", heading, rows, right=range(1, len(heading)), folded=True)
    return Section("curves", "Curves", [*pictures, table])


def _course(name: str, steps: Sequence[int], values: Sequence[float]) -> str:
    said, first, last = name.replace("_", " "), format_metric(name, values[0]), format_metric(name, values[-1])
    if len(values) == 1:
        return f"{said}: {last}, at one evaluation."
    low, high = int(np.argmin(values)), int(np.argmax(values))
    ends = f"lowest {format_metric(name, values[low])} at step {steps[low]:,}"
    if "loss" not in name:
        ends = f"highest {format_metric(name, values[high])} at step {steps[high]:,}"
    return f"{said}: from {first} to {last}, {ends}."


def confusion(run: ReportedRun) -> Section | None:
    """Return the confusion matrix of a classifier, recall and precision of each class, and the counts as a table.

    Where each pixel has a class, pixels are counted.
    """
    names, shape = run.network.classes, run.spec.output_shape
    if run.data is None or names is None or shape is None or shape.sequence:
        return None
    split, samples = run.split
    counts, counted = confusion_counts(run.outputs, samples.targets, len(names)), run.subject.counted
    right, total = int(np.trace(counts)), int(counts.sum())
    words = (
        f"Confusion matrix of {len(names)} classes on the {split} split: {right:,} of {total:,} {counted} are right. "
        f"{_commonest(counts, names)}"
    )
    blocks: list[Block] = [*of_subject("confusion", run.subject, words), _classes(counts, names, counted)]
    if len(names) <= MOST_CLASSES:
        rows = [(name, *(f"{count:,}" for count in row)) for name, row in zip(names, counts.tolist(), strict=True)]
        heading = ("true class", *(f"as {name}" for name in names))
        blocks.append(Table("Counts by true and predicted class", heading, rows, range(1, len(heading)), folded=True))
    return Section("confusion", "Confusion", blocks)


def _commonest(counts: np.ndarray, names: Sequence[str]) -> str:
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    if not wrong.any():
        return "There is no error."
    row, column = divmod(int(wrong.argmax()), len(names))
    return f"The most frequent error: {names[row]} taken for {names[column]}, {int(wrong[row, column]):,} times."


def _classes(counts: np.ndarray, names: Sequence[str], counted: str) -> Table:
    """Return the number, recall and precision of each class, the lowest recall first where there are many."""
    of_class, predicted, right = counts.sum(axis=1), counts.sum(axis=0), np.diagonal(counts)
    rows = []
    order = range(len(names)) if len(names) <= MOST_CLASSES else np.argsort(right / np.maximum(of_class, 1))
    for i in list(order)[:MOST_CLASSES]:
        recall = f"{100 * right[i] / of_class[i]:.1f} %" if of_class[i] else "–"
        precision = f"{100 * right[i] / predicted[i]:.1f} %" if predicted[i] else "–"
        rows.append((names[i], f"{of_class[i]:,}", recall, precision))
    some = f", the {MOST_CLASSES} with the lowest recall" if len(names) > MOST_CLASSES else ""
    return Table(f"Classes{some}", ("class", counted, "recall", "precision"), rows, right=(1, 2, 3))


def calibration(run: ReportedRun) -> Section | None:
    """Return how often the network is right by how certain it is."""
    if run.data is None:
        return None
    words = (
        f"Reliability diagram on the {run.split[0]} split: how often predictions are right, by how certain they are."
    )
    pictures = of_subject("calibration", run.subject, words)
    return Section("calibration", "Calibration", pictures) if pictures else None


def predictions(run: ReportedRun) -> Section | None:
    """Return truth and prediction over time, of a network of series, or of images, of one that gives images."""
    if run.data is None:
        return None
    what = "for some samples" if len(run.spec.output_shape or ()) == 3 else "over time"
    words = f"Truth and prediction {what} on the {run.split[0]} split."
    pictures = of_subject("predictions", run.subject, words)
    return Section("predictions", "Predictions", pictures) if pictures else None


def weights(run: ReportedRun) -> Section | None:
    """Return the weights of the first layer before and after training."""
    initial = _initial(run)
    first, last = replace(run.subject, network=initial, beside=run.network), replace(run.subject, beside=initial)
    after = of_subject("weights", last, "Weights of the first layer after training.", "after training")
    if not after:
        return None
    before = of_subject("weights", first, "Weights of the first layer before training.", "before training")
    return Section("weights", "First-layer weights", [*before, *after])


def _initial(run: ReportedRun) -> Network:
    """Return the network as it was before the first step: from its seed, or from the weights that it began with."""
    if run.folder.initial.exists():
        return load_checkpoint(run.folder.initial).network
    network = Network(run.spec, run.network.preprocessing, run.network.dtype)
    network.initialize(run.spec.train.seed)
    return network


def features(run: ReportedRun) -> Section | None:
    """Return the feature maps of one sample."""
    if run.data is None:
        return None
    words = "Feature maps of one sample: what each channel of each layer answers to it."
    pictures = of_subject("features", run.subject, words)
    return Section("features", "Feature maps of one sample", pictures) if pictures else None


def occlusion(run: ReportedRun) -> Section | None:
    """Return where in the images of each class the network looks."""
    shape, names = run.spec.input, run.network.classes
    if run.data is None or shape is None or shape.as_image() is None or names is None:
        return None
    if len(run.spec.output_shape or ()) != 1:  # a class for each pixel
        return None
    words = (
        f"Images of {len(names)} classes, and beside each how the network's belief in its class changes where a "
        "window covers a part of it."
    )
    occluded = cache(partial(_occluded, run))  # measured once for light and dark
    pictures = drawn(lambda: occluded().pages(), words)
    if not pictures:
        return None
    how = f"A window is moved over each image; nnspec occlude {run.name} draws more of them, with other windows."
    return Section("occlusion", "Where it looks", [Paragraph(how), *pictures])


@dataclass(frozen=True)
class _Occluded:
    """Occlusion maps of some images, and what their pictures say of them."""

    run: ReportedRun
    images: Array
    labels: Array
    beliefs: Array
    maps: Mapping[str, Array]
    window: tuple[int, int]
    stride: tuple[int, int]

    def pages(self) -> "list[Figure]":
        """Draw the maps, ten classes on a page."""
        title = finding(self.run.spec.title, self.maps["probability"], self.beliefs, self.window)
        return [
            PICTURES["occlusion"](
                self.images, self.maps["drop"], self.labels, self.run.network.classes, self.beliefs, window=self.window,
                stride=self.stride, page_number=page, title=title, scale="drop", of_label="true class",
            )
            for page in range(min(page_count(self.labels), MOST_PAGES))
        ]  # fmt: skip


def _occluded(run: ReportedRun) -> _Occluded:
    """Occlude the first correctly classified images of each class."""
    _, samples = run.split
    network = run.network
    places = first_correct(network, samples, PER_CLASS)
    if not len(places):
        raise PictureError("no image is classified correctly")
    images, labels = samples.inputs[places], samples.targets[places].reshape(-1).astype(int)
    beliefs = class_probabilities(network.predict(images))[range(len(labels)), labels]
    stride = max(1, -(-max(images.shape[1:3]) // MOST_WINDOWS))
    window = min(max(3, stride), *images.shape[1:3])
    maps = occlude_by_scale(network, images, labels, window, stride)
    return _Occluded(run, images, labels, beliefs, maps, (window, window), (stride, stride))
