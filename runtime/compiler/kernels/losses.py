"""The end of a training program: the loss of a lane's samples and the gradient of the network's output."""

from collections.abc import Callable
from typing import Any

from nnspec.runtime.compiler.kernels._single import softmax_of_one
from nnspec.runtime.compiler.program.instructions import Assign
from nnspec.runtime.compiler.program.layout import as_laid, as_samples, is_steps
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.schedule import FEW_CLASSES, ExecutionSchedule
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.losses import CrossEntropy, Loss

LOSS_KERNELS: Registry[Callable[[Any, ExecutionSchedule, ProgramWriter, Ref], Ref | None]] = Registry(__name__)
"""Kernels of losses, by their class of word; the other losses run their plain form."""

loss_kernel = LOSS_KERNELS.implements

LOSS, D_SAMPLES = Local("loss"), Local("d_samples")
"""Variables: the lane's share of the loss, and the gradient that a plain loss returns."""


def write_loss(schedule: ExecutionSchedule, w: ProgramWriter, z: Ref) -> Ref:
    """Set `loss`, the lane's share of the batch's mean; return the gradient of z."""
    if type(schedule.loss) in LOSS_KERNELS and not schedule.weighted:
        d_z = LOSS_KERNELS[type(schedule.loss)](schedule.loss, schedule, w, z)
        if d_z is not None:
            return d_z
    return _plain(schedule.loss, schedule, w, z)


@loss_kernel(CrossEntropy)
def cross_entropy(word: CrossEntropy, schedule: ExecutionSchedule, w: ProgramWriter, z: Ref) -> Ref | None:
    """loss = −mean log p[true] = mean (log Σ exp(z) − z[true]), p = softmax(z); d_z = (p − onehot) / batch, over z.

    Smoothing s subtracts (1 − s) z[true] + s mean z in the loss, and (1 − s) onehot + s / classes in the gradient.
    """
    smoothing = word.smoothing
    if is_steps(schedule.output_shape):
        return _each_step(w, _overwritable(w, z), smoothing)
    if len(z.shape) != 2:
        return None
    z = _overwritable(w, z)  # (classes, samples)
    if w.samples == 1 and z.size <= FEW_CLASSES:
        return _single(w, z, smoothing)
    row, total = w.buffer("row", (w.samples,)), w.buffer("total", (w.samples,))
    place = w.buffer("place", (w.samples,), dtype="intp")  # of the true class in the flat logits
    truth = w.buffer("truth", (w.samples,))
    offset = w.once("offset", f"np.arange({w.samples})")
    flat = w.view("logits", z.reshape(-1))
    batch, share = w.scalar("batch", float(w.batch)), w.scalar("share", (1 - smoothing) / w.batch)
    stride = w.once("stride", f"np.asarray({w.samples}, np.intp)")
    w.max(z, axis=0, out=row)
    w.subtract(z, row, out=z)
    w.multiply(_targets(w), stride, out=place)
    w.add(place, offset, out=place)
    w.take(flat, place, out=truth)
    if smoothing:
        spread = w.buffer("spread", (w.samples,))
        w.sum(z, axis=0, out=spread)
        _smooth(w, truth, spread, smoothing, z.shape[0])
    w.exp(z, out=z)
    w.sum(z, axis=0, out=total)
    w.log(total, out=row)
    w.subtract(row, truth, out=row)
    w.assign(LOSS, formula(f"float(np.add.reduce({{}})) / {w.batch}", row))
    w.multiply(total, batch, out=total)
    w.divide(z, total, out=z)
    if smoothing:
        w.subtract(z, w.scalar("each", smoothing / (z.shape[0] * w.batch)), out=z)
    w.take(flat, place, out=truth)
    w.subtract(truth, share, out=truth)
    w.put(truth, place, out=flat)
    return z


def _smooth(w: ProgramWriter, truth: Ref, spread: Operand, smoothing: float, classes: int) -> None:
    """Turn z[true] into (1 − s) z[true] + s mean z; `spread` is Σ z of each sample, and is overwritten."""
    w.multiply(truth, w.scalar("kept", 1 - smoothing), out=truth)
    w.multiply(spread, w.scalar("smoothing", smoothing / classes), out=spread)
    w.add(truth, spread, out=truth)


def _single(w: ProgramWriter, z: Ref, smoothing: float) -> Ref:
    """The same for one sample of a few classes, in Python numbers."""
    flat = w.view("logits", z.reshape(-1))
    true = w.local("true")
    w.assign(true, formula("int(targets[0])"))
    one = softmax_of_one(w, flat)
    slope = w.local("slope")
    mean = f" / {w.batch}" if w.batch > 1 else ""
    if smoothing:
        each = smoothing / z.size
        w.assign(
            LOSS,
            formula(
                f"(log({{}}) + {{}} - {1 - smoothing!r} * {{}} - {each!r} * sum({{}})){mean}",
                *(one.total, one.top, one.row[true], one.row),
            ),
        )
        w.assign(slope, formula(f"[(power / {{}} - {each!r}){mean} for power in {{}}]", one.total, one.powers))
    else:
        w.assign(LOSS, formula(f"(log({{}}) + {{}} - {{}}){mean}", one.total, one.top, one.row[true]))
        w.assign(slope, formula(f"[power / {{}}{mean} for power in {{}}]", one.total, one.powers))
    w.emit(Assign((slope[true],), (1 - smoothing) / w.batch, "-="))
    w.assign(flat[:], slope)
    return z


def _each_step(w: ProgramWriter, z: Ref, smoothing: float) -> Ref:
    """The same for every step of sequences, (time, samples, classes).

    Steps of padding, whose class is below zero, have neither loss nor gradient and are not counted.
    """
    time, samples, classes = z.shape
    rows = time * samples
    logits = w.reshaped("logits_rows", z, (rows, classes))
    flat = w.view("logits", z.reshape(-1))
    column = w.buffer("column", (rows, 1))  # the largest number of each row, then its loss
    row = w.view("row", column.reshape(-1))
    total = w.buffer("total", (rows, 1))
    turned = w.buffer("logits_turned", (classes, rows))
    ones = w.buffer("ones", (classes, 1), 1)
    truth = w.buffer("truth", (rows,))
    true = w.buffer("true", (time, samples), dtype="intp")
    place = w.buffer("place", (rows,), dtype="intp")
    real = w.buffer("real", (rows,), dtype="bool")
    start = w.once("start", f"np.arange({rows}) * {classes}")
    first = w.once("first", "np.asarray(0, np.intp)")
    share = w.constant("share", f"np.zeros((), {column}.dtype)", ())
    own, count = _count_real(w, true, real, first)
    w.assign(share[()], formula("1 / {}", count))
    w.maximum(true, first, out=true)
    w.add(true.reshape(-1), start, out=place)
    w.copy(logits.T, out=turned)
    w.max(turned, axis=0, out=row, comment="over rows, five times as fast as over columns")
    w.subtract(logits, column, out=logits)
    w.take(flat, place, out=truth)
    if smoothing:
        spread = w.buffer("spread", (rows, 1))
        w.dot(logits, ones, out=spread)
        _smooth(w, truth, spread.reshape(-1), smoothing, classes)
    w.exp(logits, out=logits)
    w.dot(logits, ones, out=total)
    w.log(total, out=column)
    w.subtract(row, truth, out=row)
    w.divide(share, total, out=total)
    w.multiply(logits, total, out=logits)
    if smoothing:
        each = w.constant("each", f"np.zeros((), {column}.dtype)", ())
        w.assign(each[()], formula(f"{smoothing / classes!r} / {{}}", count))
        w.subtract(logits, each, out=logits)
        w.assign(share[()], formula(f"{1 - smoothing!r} / {{}}", count))
    w.take(flat, place, out=truth)
    w.subtract(truth, share, out=truth)
    w.put(truth, place, out=flat)
    with w.when(formula(f"{{}} < {rows}", own)):
        w.multiply(row, real, out=row)
        w.multiply(logits, real[:, None], out=logits)
    w.assign(LOSS, formula("float(np.add.reduce({})) / {}", row, count))
    return z


def _count_real(w: ProgramWriter, true: Ref, real: Ref, first: Operand) -> tuple[Local, Local]:
    """Write the classes and which of them are real; return how many are in this lane, and in all lanes, at least 1."""
    own, count = w.local("own"), w.local("count")
    w.copy(_targets(w).T, out=true)
    w.greater_equal(true.reshape(-1), first, out=real)
    w.assign(own, formula("int(np.count_nonzero({}))", real))
    every = own if len(w.lanes) == 1 else formula("int(np.count_nonzero({} >= 0))", Local("every_target"))
    w.assign(count, formula("max({}, 1)", every))
    return own, count


def _overwritable(w: ProgramWriter, z: Ref) -> Ref:
    """Return the logits where they may be overwritten: the array itself, or a copy."""
    if z.overwritable and z.contiguous:
        return z
    copy = w.buffer("d_outputs", z.shape)
    w.copy(z, out=copy)
    return copy


def _targets(w: ProgramWriter) -> Ref:
    """Return the targets of this lane; their other axes do not matter."""
    return Ref("targets", (w.samples,))


def _plain(word: Loss, schedule: ExecutionSchedule, w: ProgramWriter, z: Ref) -> Ref:
    """Call the plain loss over (samples, *shape), weighted by the lane's share of the batch, or of its real steps."""
    shape = schedule.output_shape
    function = w.once("loss_of", formula("plain_loss({})", written(word)))
    d_z = w.planes("d_outputs", shape)
    d_samples = Local(D_SAMPLES.name, (w.samples, *shape))
    given = [as_samples(z, shape), _targets(w), *([Ref("weights", (w.samples,))] if schedule.weighted else [])]
    w.emit(Assign((LOSS, d_samples), formula(f"{{}}({', '.join(['{}'] * len(given))})", function, *given)))
    share: Operand | float = w.samples / w.batch
    factor = w.scalar("share", w.samples / w.batch)
    if word.skips_padding and is_steps(shape) and len(w.lanes) > 1:
        true = w.buffer("true", (shape[0], w.samples), dtype="intp")
        real = w.buffer("real", (shape[0] * w.samples,), dtype="bool")
        own, count = _count_real(w, true, real, w.once("first", "np.asarray(0, np.intp)"))
        share = w.local("part")
        w.assign(share, formula("{} / {}", own, count))
        w.assign(factor[()], share)
    w.emit(Assign((LOSS,), share, "*="))
    w.multiply(as_laid(d_samples, shape), factor, out=d_z)
    return d_z
