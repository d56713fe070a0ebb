"""The worst mistakes: the samples on which the network is most certain of a wrong answer, or furthest off."""

from collections.abc import Sequence

import numpy as np

from nnspec.reporting.blocks import Block, Card, Cards, Paragraph, Section, Table
from nnspec.reporting.images import sample_image
from nnspec.reporting.run import ReportedRun
from nnspec.runtime.errors import DataError, NetworkError
from nnspec.runtime.infer.baseline import TargetKind, target_kind
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.sampling import TextGenerator

MOST = 12
"""The most samples that are shown."""

FEATURES = 8
"""The most columns of a table that are shown of a sample."""

TEXTS = 10

_TIE = "\N{NO-BREAK SPACE}"
"""Between a class and its probability, which stay on one line."""


def mistakes(run: ReportedRun) -> Section | None:
    """Return the worst mistakes, by what the targets are; None where there is no single answer for a sample."""
    if run.data is None:
        return None
    kind, output = target_kind(run.network), run.spec.output_shape or ()
    if len(output) == 3:
        return _images(run)
    if kind is TargetKind.CLASSES and len(output) == 1:
        return _classes(run)
    if kind is TargetKind.SYMBOLS:
        return _texts(run)
    if len(output) == 1 and kind in (TargetKind.NUMBERS, TargetKind.SERIES, TargetKind.LABELS):
        return _numbers(run, kind)
    return None


def _classes(run: ReportedRun) -> Section:
    split, samples = run.split
    names = run.network.classes or ()
    beliefs = run.outputs if run.spec.loss.scores else class_probabilities(run.outputs)
    truth = samples.targets.reshape(-1).astype(np.int64)
    wrong = np.flatnonzero(beliefs.argmax(axis=-1) != truth)
    number = f"{len(wrong):,} of {len(truth):,} samples of the {split} split are classified wrongly."
    if not wrong.size:
        return _section([Paragraph(number.replace("0 of", "None of"))])
    certain = beliefs[wrong].max(axis=-1) - beliefs[wrong, truth[wrong]]
    worst = wrong[np.argsort(-certain, kind="stable")[:MOST]]
    caption = "Those in which the network is most certain of a wrong class, the most certain first."
    blocks: list[Block] = [Paragraph(f"{number} {caption}")]
    if _is_image(run):
        cards = [_card(run, int(i), names[truth[i]], _top(run, beliefs[i], names)) for i in worst]
        return _section([*blocks, Cards("The worst mistakes", cards)])
    rows = [
        (
            f"{i:,}",
            names[truth[i]],
            ", ".join(f"{name}{_TIE}({share})" for name, share in _top(run, beliefs[i], names)[:2]),
        )
        for i in worst.tolist()
    ]
    return _section([*blocks, _with_features(run, worst, ("sample", "truth", "belief"), rows)])


def _card(run: ReportedRun, index: int, truth: str, beliefs: Sequence[tuple[str, str]]) -> Card:
    belief = ", ".join(f"{name}{_TIE}({share})" for name, share in beliefs)
    alt = f"Sample {index}: truth {truth}, the network believes {belief}."
    picture = sample_image(run.split[1].inputs[index], run.network.preprocessing, alt)
    return Card([picture], [("sample", f"{index:,}"), ("truth", truth), ("belief", belief)])


def _top(run: ReportedRun, beliefs: np.ndarray, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the three most probable classes with their probabilities, or with their scores under a loss of scores."""
    order = np.argsort(-beliefs, kind="stable")[:3].tolist()
    if run.spec.loss.scores:
        return [(names[i], f"score{_TIE}{beliefs[i]:.3g}") for i in order]
    return [(names[i], f"{100 * beliefs[i]:.1f}{_TIE}%") for i in order if beliefs[i] >= 0.001]


def _numbers(run: ReportedRun, kind: TargetKind) -> Section:
    split, samples = run.split
    answers = run.outputs.reshape(len(samples), -1)
    truth = samples.targets.reshape(len(samples), -1).astype(np.float64)
    if truth.shape != answers.shape:
        return _section([Paragraph("The targets are not a number for each output.")])
    spread = np.maximum(truth.std(axis=0), np.finfo(np.float64).tiny) if kind is not TargetKind.LABELS else 1.0
    error = np.abs(answers - truth)
    worst = np.argsort(-(error / spread).max(axis=1), kind="stable")[:MOST]
    many = answers.shape[1] > 1
    rows = []
    for i in worst.tolist():
        column = int((error[i] / spread).argmax())
        shown = (
            f"{truth[i, column]:.4g}",
            f"{answers[i, column]:.4g}",
            f"{answers[i, column] - truth[i, column]:+.3g}",
        )
        rows.append((f"{i:,}", *((_output_name(run, column),) if many else ()), *shown))
    heading = ("sample", *(("output",) if many else ()), "truth", "prediction", "error")
    words = f"The samples of the {split} split whose prediction is furthest from the truth, the furthest first."
    right = range(2 if many else 1, len(heading))
    return _section([Paragraph(words), _with_features(run, worst, heading, rows, right)])


def _output_name(run: ReportedRun, column: int) -> str:
    names = run.network.preprocessing.classes or ()
    return names[column] if column < len(names) else str(column)


def _with_features(
    run: ReportedRun,
    worst: np.ndarray,
    heading: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
) -> Table:
    """Return a table of samples with their first columns, where samples are rows of numbers."""
    shape, inputs = run.spec.input or (), run.split[1].inputs
    names = run.network.preprocessing.features
    caption = "The worst mistakes"
    if len(shape) == 1 and names is not None and len(names) == shape[0]:
        shown = names[:FEATURES]
        rows = [
            (*row, *(f"{value:.4g}" for value in np.asarray(inputs[i], np.float64)[:FEATURES]))
            for row, i in zip(rows, worst.tolist(), strict=True)
        ]
        right = (*right, *range(len(heading), len(heading) + len(shown)))
        heading = (*heading, *shown)
        if len(names) > FEATURES:
            caption += f", with the first {FEATURES} of {len(names)} columns"
    return Table(caption, heading, rows, right)


def _images(run: ReportedRun) -> Section:
    """Return input, target and output of the samples whose output is furthest off, where outputs are images."""
    split, samples = run.split
    answers = run.outputs
    truth = samples.targets
    if truth.shape == answers.shape[:-1] and answers.shape[-1] > 1 and truth.dtype.kind in "bui":
        shares = [float(np.mean(a.argmax(axis=-1) == t)) for a, t in zip(answers, truth, strict=True)]
        off = [1 - share for share in shares]
        said = [f"{100 * share:.1f} % of the pixels right" for share in shares]
        answers = answers.argmax(axis=-1)
    else:
        flat = truth.reshape(answers.shape).astype(np.float64)
        off = [float(np.sqrt(np.mean(np.square(a - t)))) for a, t in zip(answers, flat, strict=True)]
        said = [f"root mean squared error {error:.3g}" for error in off]
    cards = []
    preprocessing = run.network.preprocessing
    for i in np.argsort(-np.array(off), kind="stable")[: MOST // 2].tolist():
        pictures = [
            sample_image(
                np.asarray(array[i]).astype(np.float64), preprocessing, f"Sample {i}: {what}.", what == "input"
            )
            for what, array in (("input", samples.inputs), ("target", truth), ("output", answers))
        ]
        cards.append(Card(pictures, [("sample", f"{i:,}"), ("input, target, output", said[i])]))
    words = f"The samples of the {split} split whose output is furthest off, the furthest first."
    return _section([Paragraph(words), Cards("The worst mistakes", cards)])


def _texts(run: ReportedRun) -> Section | None:
    """Return texts that a network of text generates."""
    try:
        generator = TextGenerator(run.network, 0)
        texts = ["".join(generator.generate()) for _ in range(TEXTS if generator.lines else 1)]
    except (DataError, NetworkError):
        return None
    rows = [(f"{number}", text) for number, text in enumerate(texts, 1)]
    words = f"nnspec sample {run.name} --seed 0 prints them too."
    table = Table(f"{len(texts)} generated at temperature 1", ("number", "text"), rows)
    return Section("texts", "Generated text", [Paragraph(words), table])


def _is_image(run: ReportedRun) -> bool:
    shape = run.spec.input
    return shape is not None and shape.as_image() is not None


def _section(blocks: Sequence[Block]) -> Section:
    return Section("mistakes", "Worst mistakes", blocks)
