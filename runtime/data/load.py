"""Loading data: from a word of a spec, or arrays, to checked splits."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.data.array_likes import take
from nnspec.runtime.data.division import HowToDivide, Rows, divide
from nnspec.runtime.data.fitted.measure import first_nonfinite_index
from nnspec.runtime.data.fitted.preprocessing import Normalize, Preprocessing, Task
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.data.samples import Samples, Unencoded
from nnspec.runtime.data.split import Data, DataDigest, Split
from nnspec.runtime.data.target_encoding import EncodedTargets, encode_targets
from nnspec.runtime.data.weights import training_weights, weights_of
from nnspec.runtime.errors import DataError
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary import data as words
from nnspec.spec_lang.vocabulary.statements import Weights

if TYPE_CHECKING:
    from nnspec.runtime.data.tables.encoding import ColumnEncoding

SOURCES: Registry[Callable[[Any, Path], Samples]] = Registry("nnspec.runtime.data.sources")
"""The reader of every data source, (the word, the folder where its paths begin) → samples, by its class of word."""

reads = SOURCES.implements


def load_data(
    word: words.DataSource,
    folder: Path | None,
    classification: bool,
    weights: Weights | None = None,
    known: Preprocessing | None = None,
) -> Data:
    """Return the data of a spec, split, with the preprocessing of its training split.

    Paths in the word are relative to `folder`, the spec's own; None is the current folder. With `classification`
    whole-number targets are class numbers, without it they are numbers to predict. Text targets are always classes.
    `weights` says how training samples are weighted. With `known`, the preprocessing of a network, the columns of a
    table are encoded as it encodes them. Raises DataError where a file is missing, damaged, or not as the word says.
    """
    encoding = known.encoding() if known is not None else None
    if encoding is not None:
        from nnspec.spec_lang.vocabulary.data_tables import Table

        if isinstance(word, Table):
            word = word.reading(encoding.names, encoding.text_columns())
        else:
            encoding = None
    samples = SOURCES[type(word)](word, folder or Path())
    return _data(samples, _sharing(word), word.normalize, classification, weights, encoding)


def load_given(
    word: words.DataSource, given: Arrays, classification: bool, steps: bool, weights: Weights | None = None
) -> Data:
    """Return the data that a program gives, split and normalized as the word says. Raises as `data_from_arrays` does.

    With `steps` there is a target for each step of a sequence. `weights` says how training samples are weighted.
    """
    return _data(given.samples(steps), _sharing(word), word.normalize, classification, weights)


@dataclass(frozen=True)
class Sharing:
    """How samples are shared out among the splits.

    Arguments:
        shares: of training, validation and, if there are three, test.
        seed: of the permutation of the samples.
        in_time: whether the splits are cut in the order of the source.
        stratified: whether each split has the classes in the proportions of the source.
        fold: the number of the fold to validate on, counted from 1, and the number of folds.
    """

    shares: tuple[float, ...]
    seed: int = 0
    in_time: bool = False
    stratified: bool = False
    fold: tuple[int, int] | None = None

    def without(self, held: Collection[str], name: str) -> "Sharing":
        """Return what remains to be shared where the source has some splits of its own."""
        shares = self.shares
        if "test" in held and len(shares) == 3:
            raise DataError(f"{name} has a test split of its own; write two shares, as split=75/25", exit_code=2)
        if "validation" not in held:
            return self
        if self.fold is not None:
            raise DataError(f"{name} has a validation split of its own, and folds= makes another: leave one out", 2)
        return replace(self, shares=(shares[0], 0.0, *shares[2:]))


def _sharing(word: words.DataSource) -> Sharing:
    fold = (word.fold or 1, word.folds) if word.folds is not None else None
    return Sharing(word.split, word.seed, word.in_time, word.stratified, fold)


def data_from_arrays(
    x: Any,
    y: Any,
    validation: tuple[Any, Any] | None = None,
    *,
    classification: bool,
    normalize: Normalize = "none",
    split: tuple[float, ...] | None = None,
    seed: int = 0,
    steps: bool = False,
    weights: Weights | None = None,
    sample_weight: ArrayLike | None = None,
) -> Data:
    """Return data from arrays: x (samples, …) of numbers, y (samples,) or (samples, outputs) of numbers or text.

    Either may be a data frame, as of pandas or Polars, or a series. The columns of x are then encoded as those of a
    table in a file: categories, dates and missing values too.

    `validation` is another such pair. Without it, `split` may give shares, as (75, 25), and `seed` then decides which
    samples are held back; without both there is no validation split. Arrays are copied only if they are split. Targets
    are read as `load_data` reads them; with `steps` there is one for each step of a sequence, classes (samples, time),
    −1 after its end, or numbers (samples, time, outputs). `weights` says how training samples are weighted, and
    `sample_weight` (samples,) multiplies that. Raises DataError for shapes that disagree and for values that cannot be
    used.
    """
    if validation is not None and split is not None:
        raise DataError("give validation samples or shares to hold back, not both", exit_code=2)
    samples = Arrays(x, y, validation, sample_weight).samples(steps)
    return _data(samples, Sharing(split or (1.0,), seed), normalize, classification, weights)


def _data(
    samples: Samples,
    sharing: Sharing,
    normalize: Normalize,
    classification: bool,
    weights: Weights | None = None,
    encoding: "ColumnEncoding | None" = None,
) -> Data:
    """Check samples, encode their targets, share them out and learn the preprocessing of the training split."""
    arrays = None if isinstance(samples.inputs, Unencoded) else _inputs(samples)
    targets, held_targets, classes, gaps = _targets(samples, classification)
    sharing = sharing.without(dict(samples.held()), samples.name)
    division = divide(len(samples.inputs), _how(samples, sharing, targets, classes), samples.name)
    each = weights_of(samples, weights)
    warnings: tuple[str, ...] = ()
    if arrays is None:
        from nnspec.runtime.data.tables.encoded import encoded_samples

        unused = weights.column if weights is not None else None
        samples, encoding, warnings = encoded_samples(samples, division.train, encoding, unused)
        arrays = _inputs(samples)
    inputs, held_inputs = arrays
    whole = Split(inputs, targets, times=samples.times)
    splits: dict[str, Split | None] = {}
    for name, rows in division.splits():
        splits[name] = _take(whole, rows) if rows is not None else None
    for name, split in samples.held():
        splits[name] = Split(held_inputs[name], held_targets[name], times=split.times)
    train = splits["train"]
    assert train is not None
    if weights is not None or each is not None:
        balanced = weights is not None and weights.classes == "balanced"
        own = each[division.train] if each is not None else None
        train = replace(train, weights=training_weights(samples.name, own, train.targets, classes, balanced))
        splits["train"] = train
    task: Task = "classification" if classification else "regression"
    preprocessing = Preprocessing.fit(train.inputs, normalize, task, classes, samples.features, samples.symbols)
    if encoding is not None:
        preprocessing = preprocessing.with_columns(encoding)
    preprocessing = replace(preprocessing, picture_fit=samples.picture_fit)
    hashed = DataDigest(splits, preprocessing)
    held_back = splits["validation"], splits["test"]
    notes = samples.notes + tuple(note for _, split in samples.held() for note in split.notes)
    return Data(samples.name, train, *held_back, preprocessing, hashed, notes, warnings, gaps)


def _how(samples: Samples, sharing: Sharing, targets: NDArray[Any], classes: tuple[str, ...] | None) -> HowToDivide:
    """Return what decides the division of these samples."""
    if sharing.stratified and (classes is None or targets.ndim > 1):
        raise DataError(f"stratified=yes needs one class for each sample, and the targets of {samples.name} are not", 2)
    in_order = samples.ordered or sharing.in_time
    if in_order and (sharing.stratified or samples.groups is not None):
        what = "stratified=yes" if sharing.stratified else "group="
        raise DataError(f"{samples.name} is split in order of time, so {what} has no effect: leave one out", 2)
    if samples.groups is not None and samples.groups.shape != (len(targets),):
        shape = samples.groups.shape
        raise DataError(f"the groups of {samples.name} have the shape {shape}: give one for each of {len(targets):,}")
    return HowToDivide(
        sharing.shares,
        None if in_order else sharing.seed,
        targets if sharing.stratified else None,
        samples.groups,
        sharing.fold,
        samples.gap,
    )


def _take(whole: Split, rows: Rows) -> Split:
    times = whole.times[rows] if whole.times is not None else None
    return Split(take(whole.inputs, rows), whole.targets[rows], times=times)


def _targets(samples: Samples, classification: bool) -> EncodedTargets:
    """Return the encoded targets. Targets of steps are encoded already, and symbols are their classes."""
    if not samples.steps:
        return encode_targets(samples, classification)
    if samples.symbols is not None and not classification:
        raise DataError(
            f"{samples.name} is text, and the symbol after each step is a class: end the network in softmax with loss "
            "cross_entropy"
        )
    held = {name: split.targets for name, split in samples.held()}
    return EncodedTargets(samples.targets, held, samples.symbols)


def _inputs(samples: Samples) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return the checked inputs of a source and of the splits of its own, which have the same shape."""
    inputs, held = _as_inputs(samples), {}
    for name, split in samples.held():
        held[name] = _as_inputs(split)
        if held[name].shape[1:] != inputs.shape[1:]:
            held_by, by = ("x".join(map(str, array.shape[1:])) for array in (held[name], inputs))
            raise DataError(f"the samples of {split.name} are {held_by}, and those of {samples.name} {by}")
    return inputs, held


def _as_inputs(samples: Samples) -> NDArray[Any]:
    """Return the inputs (samples, …) as finite numbers in native byte order; images of bytes get a channel axis."""
    inputs: NDArray[Any] = samples.inputs
    name = samples.name
    if inputs.dtype.kind not in "buif":
        raise DataError(f"the samples of {name} are {inputs.dtype}: they must be numbers")
    if inputs.ndim < 2:
        raise DataError(
            f"the samples of {name} have the shape {inputs.shape}: they need at least two axes, (samples, features)"
        )
    if not len(inputs):
        raise DataError(f"{name} has no samples")
    if not inputs.size:
        raise DataError(f"the samples of {name} are empty: their shape is {inputs.shape}")
    if not inputs.dtype.isnative:
        inputs = inputs.astype(inputs.dtype.newbyteorder("="))
    place = first_nonfinite_index(inputs)
    if place is not None:
        within = ", ".join(map(str, place[1:]))
        raise DataError(
            f"{samples.place(place[0])} has {inputs[place[0]][place[1:]]} at [{within}]: samples must be finite"
        )
    return inputs.reshape((*inputs.shape, 1)) if inputs.ndim == 3 and inputs.dtype.kind in "bu" else inputs
