"""The kept results of the specs of sequences, and the section of docs/experiments.md that shows it."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.experiments.ngrams import fitted
from benchmarks.experiments.shipped import (
    RESULTS,
    SEEDS,
    Experiment,
    comments,
    length,
    missing_runs,
    read_kept,
    spread,
    table,
    write_kept,
)
from nnspec.runtime.data import Data, Split
from nnspec.runtime.data.sources.characters import decode_text
from nnspec.runtime.data.sources.series import sine
from nnspec.runtime.train.spec_and_data import spec_data
from nnspec.spec_lang.vocabulary.sequence_sources import Sine

KEPT = RESULTS / "sequences.json"
DINOS = Experiment("dinos")
NAMES = (DINOS, Experiment("dinos_transformer"))
"""The experiments of the names."""

SERIES = {
    Experiment("sine_dense", "relu_output"): "ten points",
    Experiment("sine_dense"): "ten points",
    Experiment("sine_rnn"): "ten points",
    Experiment("sine_rnn", "stateful"): "every point before",
}
"""The experiments of the sine, and what each sees of it when it predicts a point."""

DRAWN = 1000
"""Names drawn from each network, at temperature 1."""


@dataclass(frozen=True)
class Result:
    """A run. `figures` by name: rmse and rolled of a series, bits, new and well_formed of names, all of the test split.

    `samples` are names that were drawn, by the seed that drew them; `seconds` are those of training alone.
    """

    digest: str
    figures: Mapping[str, float]
    seconds: float
    machine: str
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)


Results = Mapping[tuple[Experiment, int], Result]


def picture(experiment: Experiment) -> str:
    """The name of the picture of an experiment, in docs/pictures."""
    return f"{experiment.name.replace('/', '_')}.png"


def read_results(path: Path = KEPT) -> dict[tuple[Experiment, int], Result]:
    """The kept results whose specs say the same as when they ran."""
    return read_kept(path, Result, (*SERIES, *NAMES))


def write_results(results: Results, path: Path = KEPT) -> None:
    """Keep the results."""
    write_kept(results, path)


@dataclass(frozen=True)
class Floor:
    """RMSE on the test split of the sine: of its own noise, and of least squares on windows as the specs have them."""

    noise: float
    least_squares: float


@cache
def floor() -> Floor:
    """The baselines of the sine."""
    spec = Experiment("sine_rnn").check()
    assert isinstance(spec.data, Sine)
    data = spec_data(spec)
    assert data.test is not None
    noise = sine(spec.data) - sine(spec.data.model_copy(update={"noise": 0.0}))

    def columns(split: Split) -> np.ndarray:
        return np.concatenate([split.inputs[..., 0], np.ones((len(split), 1))], axis=1)

    weights = np.linalg.lstsq(columns(data.train), data.train.targets, rcond=None)[0]
    missed = columns(data.test) @ weights - data.test.targets
    return Floor(*(float(np.sqrt(np.mean(np.square(x)))) for x in (noise[-len(data.test) :], missed)))


@dataclass(frozen=True)
class Counted:
    """Bits per character of names that were held out, by counting: of three letters, and of the best number."""

    trigram: float
    best: float
    n: int
    names: int
    characters: int
    new: float
    well_formed: float


@cache
def counted() -> Counted:
    """The baselines of the names."""
    data = spec_data(DINOS.check())
    train, validation, test = (as_symbols(split) for _, split in data.splits())
    models = [fitted(train, validation, n, len(vocabulary(data))) for n in range(3, 8)]
    best = min(models, key=lambda model: model.bits(validation))
    spelling = Spelling.of(data)
    learnt, names = set(as_names(data, train)), as_names(data, test)
    new = statistics.fmean(name not in learnt for name in names)
    well_formed = statistics.fmean(spelling.accepts(name) for name in names)
    characters = sum(map(len, test))
    return Counted(models[0].bits(test), best.bits(test), len(best.counts), len(test), characters, new, well_formed)


def vocabulary(data: Data) -> Sequence[str]:
    """The characters of names."""
    assert data.preprocessing.vocabulary is not None
    return data.preprocessing.vocabulary


def as_symbols(split: Split) -> list[list[int]]:
    """The names of a split, each with its end."""
    return [row[row >= 0].tolist() for row in split.targets]


def as_names(data: Data, symbols: Sequence[Sequence[int]]) -> list[str]:
    """Names in letters, without their ends."""
    return [decode_text(name[:-1], vocabulary(data)) for name in symbols]


@dataclass(frozen=True)
class Spelling:
    """What names that were learnt look like: every two characters in a row, with the ends, and their lengths."""

    pairs: frozenset[str]
    lengths: range

    @classmethod
    def of(cls, data: Data) -> "Spelling":
        """The spelling of the training names."""
        names = as_names(data, as_symbols(data.train))
        lengths = [len(name) for name in names]
        pairs = frozenset(pair for name in names for pair in _pairs(name))
        return cls(pairs, range(min(lengths), max(lengths) + 1))

    def accepts(self, name: str) -> bool:
        """Whether a name is well formed: of a length that was seen, begun, spelt and ended with pairs that were."""
        return len(name) in self.lengths and self.pairs.issuperset(_pairs(name))


def _pairs(name: str) -> list[str]:
    return [first + second for first, second in pairwise(f"\n{name}\n")]


def section(results: Results) -> str:
    """The section of docs/experiments.md: what the results are, nothing typed by hand."""
    runs = {e: [results[e, seed] for seed in SEEDS if (e, seed) in results] for e in (*SERIES, *NAMES)}
    parts = [
        "## Sequences",
        "`python -m benchmarks.experiments.sequences` trains these with the same seeds, draws the pictures of seed "
        f"{SEEDS[0]}, and writes this section. Figures are medians, in parentheses the lowest and the highest.",
        "### The sine wave",
        _sine_text(),
        table(
            ("model", "sees", "trained for", "test rmse", "vs least squares", "rolled forward", "seconds"),
            [
                ("the noise itself", "", "", f"{floor().noise:.4f}", "", "", ""),
                ("least squares", "ten points", "", f"{floor().least_squares:.4f}", "", "", ""),
                *(_series_row(experiment, runs[experiment]) for experiment in SERIES),
            ],
        ),
        "\n".join(f"- **{e.name}**: {comments(e.path)[e.variant]}" for e in SERIES if e.variant),
        table(
            (e.name for e in SERIES if e.variant is None or e.spec == "sine_dense"),
            [[_shown(e) for e in SERIES if e.variant is None or e.spec == "sine_dense"]],
        ),
        f"sine_rnn/stateful, which has seen enough of the sine to extrapolate it:\n\n"
        f"{_shown(Experiment('sine_rnn', 'stateful'))}",
        "### The dinosaurs",
        _names_text(),
        table(
            ("model", "trained for", "bits per character", "new", "well formed", "seconds"),
            [
                ("trigram", "", f"{counted().trigram:.3f}", "", "", ""),
                (f"the best n-gram, n = {counted().n}", "", f"{counted().best:.3f}", "", "", ""),
                *(_names_row(experiment, runs[experiment]) for experiment in NAMES),
                ("the held-out names themselves", "", "", _share(counted().new), _share(counted().well_formed), ""),
            ],
        ),
        *_samples_text(runs[DINOS]),
    ]
    return "\n\n".join(parts)


def _sine_text() -> str:
    spec = Experiment("sine_rnn").check()
    assert isinstance(spec.data, Sine)
    return (
        f"The next point of sin({spec.data.frequency:g} t) with noise of deviation {spec.data.noise:g}, "
        f"{spec.data.length:,} points split in time order. RMSE is on the test split, the last fifth. The noise in it "
        "is the floor; least squares is the best linear function of windows of ten, fitted on the training split. "
        "*Rolled forward* is RMSE where the network reads its own output after the first quarter of the test split: "
        "one that loses the phase is no better than one that always predicts zero, which has 0.7."
    )


def _series_row(experiment: Experiment, results: Sequence[Result]) -> tuple[str, ...]:
    cells = (experiment.link, SERIES[experiment], length(experiment.check()))
    if not results:
        return *cells, missing_runs(0), "", "", ""
    rmse, rolled = ([result.figures[name] for result in results] for name in ("rmse", "rolled"))
    relative = f"{100 * (statistics.median(rmse) / floor().least_squares - 1):+.1f} %"
    return *cells, _spread_of_runs(rmse, 4), relative, spread(rolled, 2), _seconds(results)


def _names_text() -> str:
    return (
        f"Dinosaur names, letter by letter; {counted().names} of them, {counted().characters:,} characters with "
        "their ends, were held out by the split. The n-grams are interpolated Kneser–Ney; their discounts, and n, are "
        "those that predict the validation names best. "
        f"From each network {DRAWN:,} names were sampled at temperature 1. *New* names are not training names. *Well "
        "formed* names have the length of some training name, and each pair of adjacent characters, beginning and end "
        "included, occurs in some training name."
    )


def _names_row(experiment: Experiment, results: Sequence[Result]) -> tuple[str, ...]:
    cells = (experiment.link, length(experiment.check()))
    if not results:
        return *cells, missing_runs(0), "", "", ""
    bits, new, formed = ([result.figures[name] for result in results] for name in ("bits", "new", "well_formed"))
    return *cells, _spread_of_runs(bits, 3), *(_share(statistics.median(v)) for v in (new, formed)), _seconds(results)


def _samples_text(results: Sequence[Result]) -> list[str]:
    if not results or not results[0].samples:
        return []
    lines = [f"- `--seed {seed}`: {', '.join(names)}" for seed, names in results[0].samples.items()]
    title = "Two seeds of `nnspec sample` give different names; each was run twice, and gave the same names again:"
    return [title, "\n".join(lines)]


def _spread_of_runs(values: Sequence[float], digits: int) -> str:
    return "; ".join(filter(None, (spread(values, digits), missing_runs(len(values)))))


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _seconds(results: Sequence[Result]) -> str:
    return f"{statistics.median(result.seconds for result in results):.1f}"


def _shown(experiment: Experiment) -> str:
    return f"![truth and prediction of {experiment.name}](pictures/{picture(experiment)})"
