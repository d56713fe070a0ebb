"""How samples enter a program: laid out, and normalized to (x − shift) / scale."""

from dataclasses import replace

from nnspec.runtime.compiler.program.layout import as_laid, laid_out
from nnspec.runtime.compiler.program.operands import NUMBER, Local, Operand, Ref, expression, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.schedule import ExecutionSchedule

MANY = 16
"""Samples that are worth a copy before they are normalized: conversion is twice as fast without gaps in memory."""


def write_input(schedule: ExecutionSchedule, w: ProgramWriter, normalized: bool) -> Ref:
    """Lay out and normalize the samples, (samples, *shape) in the type of the data; return the result."""
    shape, features = schedule.input_shape, schedule.input_shape.size
    w.comment(f"the samples: {shape}")
    if schedule.splits_samples:
        return _write_split(schedule, w, normalized)
    samples = Ref("samples", (w.samples, *shape))
    if len(shape) == 1 or schedule.flat_samples:
        rows = w.buffer("x_rows", (w.samples, features + 1), 1)
        target = w.view("x_samples", rows[:, :features], contiguous=False)
        with_one = w.view("x_1", rows.T, contiguous=False)  # (features + 1, samples)
        x = replace(w.view("x", with_one[:features], contiguous=False), overwritable=False, with_one=with_one)
        flat: Operand = samples.reshape(w.samples, features)
        if w.training:  # a step of inference has samples of its own at each call
            flat = w.view("samples_flat", flat)
        write_normalized(schedule, w, normalized, flat, target)
        return x
    x = w.buffer("x", laid_out(shape, w.samples)).kept()
    write_normalized(schedule, w, normalized, as_laid(samples, shape), x, rows=False)
    return x


def _write_split(schedule: ExecutionSchedule, w: ProgramWriter, normalized: bool) -> Ref:
    """Write some inputs of all samples, (inputs / lanes, batch)."""
    lanes, features = len(w.lanes), schedule.input_shape.size
    every = Ref("samples", (w.batch, features)).reshape(w.batch, lanes, features // lanes)
    rows = w.buffer("x_rows", (w.batch, features // lanes))
    write_normalized(schedule, w, normalized, w.view("samples_own", every[:, NUMBER], contiguous=False), rows)
    return replace(w.view("x", rows.T, contiguous=False), overwritable=False)


def write_normalized(
    schedule: ExecutionSchedule, w: ProgramWriter, normalized: bool, samples: Operand, out: Ref, rows: bool = True
) -> None:
    """out ← (samples − shift) / scale, each sample a row of numbers or in the layout of `laid_out`.

    Many images are transposed before they are converted, and many rows with gaps between them are converted in an array
    of their own.
    """
    if not normalized:
        w.copy(samples, out=out, casting="same_kind")
        return
    shift, scale = (_constant(schedule, w, name, rows) for name in ("shift", "scale"))
    shape, place = schedule.input_shape, out
    if w.samples * schedule.block >= MANY and rows and not out.contiguous:
        place = w.buffer("x_apart", out.shape)
    elif w.samples * schedule.block >= MANY and not rows:
        turned = w.once("samples_turned", formula("empty({}.shape, samples.dtype)", out), out.shape)
        w.bytes += 4 * w.samples * shape.size
        w.copy(samples, out=turned)
        samples = turned
    w.subtract(samples, shift, out=place, casting="same_kind")
    w.divide(place, scale, out=out)


def _constant(schedule: ExecutionSchedule, w: ProgramWriter, name: str, rows: bool) -> Ref:
    """Return the shift or the scale: one number, or one for each number of a sample."""
    shape = (1, *schedule.input_shape)
    each: Operand = replace(formula("np.broadcast_to({}, {})", Local(name), expression(str(shape))), shape=shape)
    each = each.reshape(-1) if rows else as_laid(each, schedule.input_shape)
    if schedule.splits_samples:
        each = each.reshape(len(w.lanes), -1)[NUMBER]
    choice = formula(f"{name}.reshape(()) if {name}.size == 1 else {{}}", each)
    return w.view(f"x_{name}", choice, contiguous=False)
