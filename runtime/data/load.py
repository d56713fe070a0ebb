"""Loading data: from a word of a spec, or arrays, to checked splits."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.data.measure import first_nonfinite_index
from nnspec.runtime.data.preprocessing import Normalize, Preprocessing, Task
from nnspec.runtime.data.samples import Samples, numbered_places, rectangular
from nnspec.runtime.data.split import Data, Split, data_digest
from nnspec.runtime.data.target_encoding import EncodedTargets, encode_targets
from nnspec.runtime.errors import DataError
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary import data as words

SOURCES: Registry[Callable[[Any, Path], Samples]] = Registry("nnspec.runtime.data")
"""The reader of every data source, (the word, the folder where its paths begin) → samples, by its class of word."""

reads = SOURCES.implements


def load_data(word: words.DataSource, folder: Path | None, classification: bool) -> Data:
    """Return the data of a spec, split, with the preprocessing of its training split.

    Paths in the word are relative to `folder`, the spec's own; None is the current folder. With `classification`
    whole-number targets are class numbers, without it they are numbers to predict. Text targets are always classes.
    Raises DataError where a file is missing, damaged, or not as the word says.
    """
    samples = SOURCES[type(word)](word, folder or Path())
    shares = word.split
    if samples.test is not None and len(shares) == 3:
        raise DataError(f"{samples.name} has a test split of its own; write two shares, as split=75/25", exit_code=2)
    inputs, test_inputs = _inputs(samples)
    targets, test_targets, classes = _targets(samples, classification)
    seed = None if samples.ordered else word.seed
    train, validation, test = _divide(Split(inputs, targets), shares, seed, samples.name)
    if test_inputs is not None and test_targets is not None:
        test = Split(test_inputs, test_targets)
    return _finish(samples, (train, validation, test), word.normalize, classes, classification)


def data_from_arrays(
    x: ArrayLike,
    y: ArrayLike,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    classification: bool,
    normalize: Normalize = "none",
    split: tuple[float, ...] | None = None,
    seed: int = 0,
    steps: bool = False,
) -> Data:
    """Return data from arrays: x (samples, …) of numbers, y (samples,) or (samples, outputs) of numbers or text.

    `validation` is another such pair. Without it, `split` may give shares, as (75, 25), and `seed` then decides which
    samples are held back; without both there is no validation split. Arrays are copied only if they are split. Targets
    are read as `load_data` reads them; with `steps` there is one for each step of a sequence, classes (samples, time),
    −1 after its end, or numbers (samples, time, outputs). Raises DataError for shapes that disagree and for values that
    cannot be used.
    """
    held = None
    if validation is not None:
        if split is not None:
            raise DataError("give validation samples or shares to hold back, not both", exit_code=2)
        held = Samples(
            "validation",
            rectangular(validation[0], "validation samples"),
            rectangular(validation[1], "validation targets"),
            numbered_places("validation"),
            steps=steps,
        )
    x, y = rectangular(x, "samples"), rectangular(y, "targets")
    samples = Samples("data", x, y, numbered_places("data"), test=held, steps=steps)
    inputs, held_inputs = _inputs(samples)
    targets, held_targets, classes = _targets(samples, classification)
    train, valid, test = _divide(Split(inputs, targets), split or (1.0,), seed, samples.name)
    if held_inputs is not None and held_targets is not None:
        valid = Split(held_inputs, held_targets)
    return _finish(samples, (train, valid, test), normalize, classes, classification)


def _targets(samples: Samples, classification: bool) -> EncodedTargets:
    """Return the encoded targets. Targets of steps are encoded already, and symbols are their classes."""
    if not samples.steps:
        return encode_targets(samples, classification)
    if samples.symbols is not None and not classification:
        raise DataError(
            f"{samples.name} is text, and the symbol after each step is a class: end the network in softmax with loss "
            "cross_entropy"
        )
    return EncodedTargets(samples.targets, samples.test.targets if samples.test is not None else None, samples.symbols)


def _inputs(samples: Samples) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the checked inputs of a source and of its test split, which have the same shape."""
    inputs, test = _as_inputs(samples), samples.test
    if test is None:
        return inputs, None
    test_inputs = _as_inputs(test)
    if test_inputs.shape[1:] != inputs.shape[1:]:
        test_by, by = ("x".join(map(str, array.shape[1:])) for array in (test_inputs, inputs))
        raise DataError(f"the samples of {test.name} are {test_by}, and those of {samples.name} {by}")
    return inputs, test_inputs


def _as_inputs(samples: Samples) -> NDArray[Any]:
    """Return the inputs (samples, …) as finite numbers in native byte order; images of bytes get a channel axis."""
    inputs, name = samples.inputs, samples.name
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
        raise DataError(f"{samples.place(place[0])} has {inputs[place]} at [{within}]: samples must be finite")
    return inputs[..., None] if inputs.ndim == 3 and inputs.dtype.kind in "bu" else inputs


def _divide(
    whole: Split, shares: tuple[float, ...], seed: int | None, name: str
) -> tuple[Split, Split | None, Split | None]:
    """Divide samples into training, validation and test by their shares.

    One permutation of all samples by PCG64(seed) decides: its first samples are the validation split, the next ones the
    test split, the rest the training split; each keeps the order of the source. A share above 0 gets at least one
    sample, and is otherwise rounded to the nearest whole number of samples. Without a seed the splits are consecutive
    in the order of the source: training, validation, test.
    """
    total, count = sum(shares), len(whole)
    wanted = [max(1, int(np.floor(count * share / total + 0.5))) if share > 0 else 0 for share in shares[1:]]
    if count - sum(wanted) < 1:
        written = "/".join(f"{share:g}" for share in shares)
        few = "1 sample in {} is" if count == 1 else f"{count} samples in {{}} are"
        raise DataError(
            f"{few.format(name)} too few to split {written}: nothing is left for the training split; give more, or "
            "hold nothing back with split=100/0"
        )
    if not sum(wanted):
        return whole, None, None
    if seed is None:
        ends = np.cumsum([count - sum(wanted), *wanted])
        cut = [Split(whole.inputs[i:j], whole.targets[i:j]) if j > i else None for i, j in pairwise(ends)]
        return Split(whole.inputs[: ends[0]], whole.targets[: ends[0]]), cut[0], cut[1] if len(cut) > 1 else None
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    *held, rest = np.split(order, np.cumsum(wanted))
    splits = [_take(whole, np.sort(chosen)) if chosen.size else None for chosen in held]
    return _take(whole, np.sort(rest)), splits[0], splits[1] if len(splits) > 1 else None


def _take(whole: Split, chosen: NDArray[Any]) -> Split:
    return Split(whole.inputs[chosen], whole.targets[chosen])


def _finish(
    samples: Samples,
    splits: tuple[Split, Split | None, Split | None],
    normalize: Normalize,
    classes: tuple[str, ...] | None,
    classification: bool,
) -> Data:
    train, validation, test = splits
    task: Task = "classification" if classification else "regression"
    preprocessing = Preprocessing.fit(train.inputs, normalize, task, classes, samples.features, samples.symbols)
    named: dict[str, Split | None] = {"train": train, "validation": validation, "test": test}
    return Data(samples.name, train, validation, test, preprocessing, data_digest(named, preprocessing))
