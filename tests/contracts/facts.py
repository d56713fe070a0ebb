"""The facts that a layer declares, measured: each check names the fact that is missing.

The checks take one layer on one shape. `test_facts` calls them for every layer of the language, and for layers made up
to fail them.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from tests.support.strategies import Case

Array = NDArray[Any]
BATCH = 6
LENGTHS = np.array([5, 3, 4, 1, 5, 2])
MORE = 3
LEAVE_OUT = "leave out the steps that are not in `Mode.real`, and declare `skips_padding = True`"


def mode_of(case: Case, training: bool = True) -> Mode:
    """The mode of a layer by itself, with the same random numbers at each call."""
    draws = case.word.draws(case.shape) if training else None
    drawn = np.random.default_rng(5).random((BATCH, *draws), np.float32) if draws is not None else None
    return Mode(training, drawn=drawn)


def step(case: Case, x: Array, d_y: Array, mode: Mode, arrays: dict[str, Array]) -> dict[str, Array]:
    """The output and all gradients of one training step of a layer; its buffers stay as they are."""
    return step_and_buffers(case, x, d_y, mode, arrays)[0]


def step_and_buffers(
    case: Case, x: Array, d_y: Array, mode: Mode, arrays: dict[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The output and all gradients of one training step of a layer, and its buffers after it."""
    fresh = {name: array.copy() for name, array in arrays.items()}
    y, backward = build(case.word, case.shape, fresh)(x, mode)
    d_x, gradients = backward(d_y)
    return {"y": y, "d_x": d_x, **gradients}, {name: fresh[name] for name in case.word.buffers(case.shape)}


def check_draws(case: Case) -> None:
    """A layer whose random numbers are given computes the same twice."""
    arrays, x, _ = _given(case)
    forward = build(case.word, case.shape, {name: array.copy() for name, array in arrays.items()})
    first, second = (forward(x, mode_of(case))[0] for _ in range(2))
    if not np.array_equal(first, second):
        raise AssertionError(
            f"{case.word.word} draws random numbers of its own: declare `draws`, and take them from `Mode.drawn`"
        )


def check_mixes_samples(case: Case) -> None:
    """A step on a batch is the sum of steps on its lanes, unless the layer declares otherwise."""
    arrays, x, d_y = _given(case)
    mode = mode_of(case)
    whole = step(case, x, d_y, mode, arrays)
    lanes = []
    for part in (slice(0, 4), slice(4, BATCH)):
        own = replace(mode, drawn=None if mode.drawn is None else mode.drawn[part])
        lanes.append(step(case, x[part], d_y[part], own, arrays))
    together = {name: np.concatenate([lane[name] for lane in lanes]) for name in ("y", "d_x")}
    together |= {name: np.sum([lane[name] for lane in lanes], 0) for name in whole if name not in together}
    mixes = not all(_close(together[name], whole[name]) for name in whole)
    if mixes and case.word.mixes_samples is not True:
        raise AssertionError(f"lanes of {case.word.word} differ from the whole batch: declare `mixes_samples = True`")


def check_says_mixes_samples(case: Case) -> None:
    """A layer of the language says whether it mixes samples: one that says nothing is never cut into lanes."""
    if case.word.mixes_samples is None:
        raise AssertionError(
            f"{case.word.word} does not say whether it mixes samples: declare `mixes_samples = False`, or `True`"
        )


def check_mixes_steps(case: Case) -> None:
    """At inference an output at a step follows from that step alone, unless the layer declares otherwise."""
    if not (case.shape.sequence and case.word.output_shape(case.shape).sequence):
        return
    arrays, x, _ = _given(case)
    forward = build(case.word, case.shape, arrays)
    changed = x.copy()
    changed[:, 1] += 0.25
    before, after = forward(x, Mode())[0], forward(changed, Mode())[0]
    others = np.arange(before.shape[1]) != 1
    mixes = before.shape[1] != case.shape[0] or not _close(before[:, others], after[:, others])
    if mixes and case.word.mixes_steps is not True:
        raise AssertionError(f"a step of {case.word.word} depends on other steps: declare `mixes_steps = True`")


def check_padding(case: Case) -> None:
    """Other padded steps, and more of them, change no output at a real step, no gradient and no buffer."""
    longer = _longer(case)
    if longer is None:
        return
    mixing = case.word.mixes_samples is True
    if mixing and not case.word.skips_padding:
        raise AssertionError(f"{case.word.word} mixes samples, padded steps too: {LEAVE_OUT}")
    arrays, _, _ = _given(case)
    random = np.random.default_rng(2)
    x = random.normal(size=(BATCH, longer.shape[0], *case.shape[1:]))
    time, output = case.shape[0], longer.word.output_shape(longer.shape)
    d_y = random.normal(size=(BATCH, *output))
    kept = min(case.word.output_shape(case.shape)[0], output[0]) if output.sequence else None
    lengths = np.minimum(LENGTHS, time)
    real = np.arange(time) < lengths[:, None]
    if output.sequence:
        d_y[np.arange(output[0]) >= _steps(case, lengths)[:, None]] = 0
    drawn = _drawn(longer)
    found, buffers = [], []
    for one, more in ((case, 0), (longer, longer.shape[0] - time)):
        draws = one.word.draws(one.shape)
        own = None if drawn is None or draws is None else drawn[(slice(None), *map(slice, draws))]
        mode = Mode(True, padding=time + more - lengths, drawn=own)
        given = x[:, : time + more].copy()
        given[:, :time][~real] += more
        outcome, after = step_and_buffers(one, given, d_y[:, :kept] if more == 0 else d_y, mode, arrays)
        found.append(outcome)
        buffers.append(after)
    short, long = found
    same = _close(short["d_x"][real], long["d_x"][:, :time][real])
    outputs = [short["y"], long["y"][:, :kept]]
    if output.sequence:
        shown = np.arange(kept or 0) < _steps(case, lengths)[:, None]
        outputs = [y[shown] for y in outputs]
    same &= _close(*outputs) and all(_close(short[name], long[name]) for name in short if name not in ("y", "d_x"))
    same &= all(_close(buffers[0][name], buffers[1][name]) for name in buffers[0])
    if not same and (mixing or case.word.skips_padding):
        raise AssertionError(f"padding changes what {case.word.word} computes: {LEAVE_OUT}")
    if not same:
        raise AssertionError(f"padding changes what {case.word.word} computes: declare `mixes_steps = True`")


def check_elementwise(case: Case) -> None:
    """A layer that declares itself elementwise, or monotone, is."""
    if not (case.word.elementwise or case.word.monotone):
        return
    x = np.sort(np.random.default_rng(1).normal(size=(1, 60)).astype(np.float32))
    forward = build(case.word, Shape((60,)), {})
    y = forward(x, Mode())[0]
    if case.word.elementwise and not np.array_equal(forward(x[:, ::-1], Mode())[0], y[:, ::-1]):
        raise AssertionError(f"{case.word.word} looks at more than one number: remove `elementwise = True`")
    if case.word.monotone and (np.diff(y) < 0).any():
        raise AssertionError(f"{case.word.word} falls somewhere: remove `monotone = True`")


CHECKS = (
    check_draws,
    check_mixes_samples,
    check_says_mixes_samples,
    check_mixes_steps,
    check_padding,
    check_elementwise,
)


def _given(case: Case) -> tuple[dict[str, Array], Array, Array]:
    random = np.random.default_rng(1)
    arrays, x = case.arrays(random), case.samples(random, BATCH)
    return arrays, x, random.normal(size=(BATCH, *case.word.output_shape(case.shape)))


def _longer(case: Case) -> Case | None:
    """The layer on a longer sequence; None where it has other arrays there, or no sequence to lengthen."""
    if not case.shape.sequence:
        return None
    shape = Shape((case.shape[0] + MORE, *case.shape[1:]), sequence=True)
    same = case.word.parameters(shape) == case.word.parameters(case.shape)
    before, after = case.word.output_shape(case.shape), case.word.output_shape(shape)
    same &= before[before.sequence :] == after[after.sequence :]
    return replace(case, shape=shape) if same else None


def _drawn(case: Case) -> Array | None:
    draws = case.word.draws(case.shape)
    return np.random.default_rng(5).random((BATCH, *draws), np.float32) if draws is not None else None


def _steps(case: Case, lengths: Array) -> Array:
    """How many steps come out of sequences of these lengths."""

    def after(length: int) -> int:
        try:
            return case.word.output_shape(Shape((length, *case.shape[1:]), sequence=True))[0]
        except Misfit:
            return 0

    return np.array([after(int(length)) for length in lengths])


def _close(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-10, atol=1e-12)
