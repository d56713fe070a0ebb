"""What plan accepts, train trains: random specs with random data."""

import random
from pathlib import Path

import numpy as np

import nnspec
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.registry import words
from tools.soak.experiments import Tally, experiment, tries

SAMPLES = 12

_LAYERS = (
    "dense 4 relu", "dense 3", "conv 3x3 x2 relu", "conv 3 x2 pad=same", "maxpool 2", "avgpool 2", "flatten",
    "globalavgpool", "globalmaxpool", "batchnorm", "layernorm", "dropout 0.5", "lstm 3", "gru 3 return=sequence",
    "rnn 2 return=sequence", "tanh", "(dense 4 + dense 4 relu)", "(skip | tanh)", "softmax", "reshape 2x2x1",
)  # fmt: skip
_ENDS = ("", " softmax", " sigmoid", " tanh", " relu")
_SHAPES: tuple[tuple[int, ...], ...] = ((4,), (6, 6, 1), (5, 3), (6, 6), (8, 8, 2))


def random_case(chance: random.Random) -> tuple[str, Arrays]:
    """Return the text of a spec and arrays for it; the two may not fit each other."""
    layers = [chance.choice(_LAYERS) for _ in range(chance.randrange(4))]
    outputs = chance.choice((1, 2, 3))
    lines = [" -> ".join([*layers, f"dense {outputs}{chance.choice(_ENDS)}"])]
    if chance.random() < 0.5:
        lines.append(f"loss {chance.choice(tuple(words('loss')))}")
    if chance.random() < 0.5:
        lines.append(f"metrics {', '.join(chance.sample(tuple(words('metric')), chance.choice((1, 2))))}")
    if chance.random() < 0.4:
        watched = chance.choice(("loss", "validation_loss", "accuracy", "validation_rmse", "val_loss", "f1"))
        lines.append(f"early_stop monitor={watched}")
    lines.append(f"optimizer {chance.choice(tuple(words('optimizer')))}")
    lines.append("train 3 iterations batch=4")
    shape = chance.choice(_SHAPES)
    numbers = np.random.default_rng(chance.randrange(1 << 30))
    x = numbers.normal(size=(SAMPLES, *shape)).astype(np.float32)
    steps = (shape[0],) if chance.random() < 0.3 else ()
    kind = chance.choice(("class", "labels", "numbers", "number"))
    whole = kind in ("class", "labels")
    size = (SAMPLES, *steps) if kind in ("class", "number") else (SAMPLES, *steps, outputs)
    classes = chance.choice((2, 3)) if kind == "class" else 2
    y = numbers.integers(0, classes, size) if whole else numbers.normal(size=size)
    return "\n".join(lines), Arrays(x, y, (x, y) if chance.random() < 0.6 else None)


@experiment("a spec and data that plan accepts train three steps and are measured", soak=20_000)
def accepted(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Check random specs with random data as plan does, and train those that it accepts."""
    tally, refused, chance = Tally(), 0, random.Random(seed)
    for number in tries(count, seconds):
        while True:
            text, arrays = random_case(chance)
            try:
                check_with_data(Request(text), arrays)
                break
            except nnspec.NNSpecError:
                refused += 1
            except Exception as error:  # a fault of the check itself
                tally.count(False, f"{text!r} {arrays.x.shape} {np.shape(arrays.y)}: {error!r}")
        try:
            nnspec.train(text, data=(arrays.x, arrays.y), validation=arrays.validation, seed=number)
            tally.count(True)
        except Exception as error:
            tally.count(
                False, f"{text!r} {arrays.x.shape} {np.shape(arrays.y)} {np.asarray(arrays.y).dtype}: {error!r}"
            )
    tally.notes.append(f"{refused:,} others were refused")
    return tally
