"""The end of a training program: the loss of a lane's samples and the gradient of what the network gave."""

from collections.abc import Callable
from typing import Any

from nnspec.runtime.compiler.schedule import FEW_CLASSES, ExecutionSchedule
from nnspec.runtime.compiler.writer import INDENT, Ref, Writer, as_laid, as_samples, is_steps
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.losses import CrossEntropy, Loss

LOSS_KERNELS: Registry[Callable[[Any, ExecutionSchedule, Writer, Ref], Ref | None]] = Registry(__name__)
"""Losses that are written out, by their class of word; the others run their plain form."""

loss_kernel = LOSS_KERNELS.implements


def write_loss(schedule: ExecutionSchedule, w: Writer, z: Ref) -> Ref:
    """Lines that set `loss`, the lane's share of the batch's mean, and the gradient of z."""
    if type(schedule.loss) in LOSS_KERNELS:
        d_z = LOSS_KERNELS[type(schedule.loss)](schedule.loss, schedule, w, z)
        if d_z is not None:
            return d_z
    return _plain(schedule.loss, schedule, w, z)


@loss_kernel(CrossEntropy)
def cross_entropy(word: CrossEntropy, schedule: ExecutionSchedule, w: Writer, z: Ref) -> Ref | None:
    """Softmax and its loss as one: −log p = log Σ exp(z) − z[true], and the gradient p − onehot, in the place of z."""
    if is_steps(schedule.output_shape):
        return _each_step(w, _own(w, z))
    if len(z.shape) != 2:
        return None
    z = _own(w, z)
    if w.samples == 1 and z.size <= FEW_CLASSES:
        return _single(w, z)
    row = w.buffer("row", (w.samples,))
    total = w.buffer("total", (w.samples,))
    place = w.buffer("place", (w.samples,), dtype="intp")
    truth = w.buffer("truth", (w.samples,))
    offset = w.name("offset")
    w.setup.append(f"{offset} = np.arange({w.samples})")
    flat = w.view("logits", f"{z.name}.reshape(-1)", (z.size,))
    stride, batch, share = w.name("stride"), w.scalar("batch", float(w.batch)), w.scalar("share", 1 / w.batch)
    w.setup.append(f"{stride} = np.asarray({w.samples}, np.intp)")
    w.do(f"np.maximum.reduce({z.name}, axis=0, out={row.name})")
    w.do(f"np.subtract({z.name}, {row.name}, out={z.name})")
    w.do(f"np.multiply(targets, {stride}, out={place.name})")
    w.do(f"np.add({place.name}, {offset}, out={place.name})")
    w.do(f"np.take({flat.name}, {place.name}, out={truth.name}, mode='clip')")
    w.do(f"np.exp({z.name}, out={z.name})")
    w.do(f"np.add.reduce({z.name}, axis=0, out={total.name})")
    w.do(f"np.log({total.name}, out={row.name})")
    w.do(f"np.subtract({row.name}, {truth.name}, out={row.name})")
    w.do(f"loss = float(np.add.reduce({row.name})) / {w.batch}")
    w.do(f"np.multiply({total.name}, {batch}, out={total.name})")
    w.do(f"np.divide({z.name}, {total.name}, out={z.name})")
    w.do(f"np.take({flat.name}, {place.name}, out={truth.name}, mode='clip')")
    w.do(f"np.subtract({truth.name}, {share}, out={truth.name})")
    w.do(f"np.put({flat.name}, {place.name}, {truth.name}, mode='clip')")
    return z


def _single(w: Writer, z: Ref) -> Ref:
    """The same for one sample of a few classes, in Python's own numbers: cheaper than array operations on ten."""
    flat = w.view("logits", f"{z.name}.reshape(-1)", (z.size,)).name
    true, row, top, powers, total, slope = map(w.name, ("true", "row", "top", "powers", "total", "slope"))
    w.do(f"{true} = int(targets[0])")
    w.do(f"{row} = {flat}.tolist()")
    w.do(f"{top} = max({row})")
    w.do(f"{powers} = [exp(value - {top}) for value in {row}]")
    w.do(f"{total} = sum({powers})")
    w.do(f"loss = (log({total}) + {top} - {row}[{true}])" + (f" / {w.batch}" if w.batch > 1 else ""))
    w.do(f"{slope} = [power / {total}{f' / {w.batch}' if w.batch > 1 else ''} for power in {powers}]")
    w.do(f"{slope}[{true}] -= {1 / w.batch!r}")
    w.do(f"{flat}[:] = {slope}")
    return z


def _each_step(w: Writer, z: Ref) -> Ref:
    """The same for every step of sequences, (time, samples, classes); steps of padding, whose class is below zero, have
    neither loss nor gradient and are not counted. Lanes meet to count the others."""
    time, samples, classes = z.shape
    rows = time * samples
    logits = w.reshaped("logits_rows", z, (rows, classes)).name
    flat = w.view("logits", f"{z.name}.reshape(-1)", (z.size,)).name
    column = w.buffer("column", (rows, 1)).name  # the largest number of each row, then its loss
    row = w.view("row", f"{column}.reshape(-1)", (rows,)).name
    total = w.buffer("total", (rows, 1)).name
    turned = w.buffer("logits_turned", (classes, rows)).name
    ones = w.buffer("ones", (classes, 1), 1).name
    truth = w.buffer("truth", (rows,)).name
    true = w.buffer("true", (time, samples), dtype="intp").name
    place = w.buffer("place", (rows,), dtype="intp").name
    real = w.buffer("real", (rows,), dtype="bool").name
    start, first, count, share = map(w.name, ("start", "first", "count", "share"))
    w.setup += [
        f"{start} = np.arange({rows}) * {classes}",
        f"{first} = np.asarray(0, np.intp)",
        f"{share} = np.zeros((), {column}.dtype)",
    ]
    w.do(f"np.copyto({true}, targets.T)")
    w.do(f"np.greater_equal({true}.reshape(-1), {first}, out={real})")
    own = w.name("own")
    w.do(f"{own} = int(np.count_nonzero({real}))")
    if len(w.lanes) > 1:
        counts, place_of_own = w.together("counts", (1,))
        w.do(f"{place_of_own}[0] = {own}")
        w.meet()
        w.do(f"{count} = max(int(np.add.reduce({counts}, axis=None)), 1)")
    else:
        w.do(f"{count} = max({own}, 1)")
    w.do(f"{share}[()] = 1 / {count}")
    w.do(f"np.maximum({true}, {first}, out={true})")
    w.do(f"np.add({true}.reshape(-1), {start}, out={place})")
    w.do(f"np.copyto({turned}, {logits}.T)")
    w.do(f"np.maximum.reduce({turned}, axis=0, out={row})  # along rows, which is five times as fast as across")
    w.do(f"np.subtract({logits}, {column}, out={logits})")
    w.do(f"np.take({flat}, {place}, out={truth}, mode='clip')")
    w.do(f"np.exp({logits}, out={logits})")
    w.do(f"np.dot({logits}, {ones}, out={total})")
    w.do(f"np.log({total}, out={column})")
    w.do(f"np.subtract({row}, {truth}, out={row})")
    w.do(f"np.divide({share}, {total}, out={total})")
    w.do(f"np.multiply({logits}, {total}, out={logits})")
    w.do(f"np.take({flat}, {place}, out={truth}, mode='clip')")
    w.do(f"np.subtract({truth}, {share}, out={truth})")
    w.do(f"np.put({flat}, {place}, {truth}, mode='clip')")
    w.do(f"if {own} < {rows}:")
    w.do(f"{INDENT}np.multiply({row}, {real}, out={row})")
    w.do(f"{INDENT}np.multiply({logits}, {real}[:, None], out={logits})")
    w.do(f"loss = float(np.add.reduce({row})) / {count}")
    return z


def _own(w: Writer, z: Ref) -> Ref:
    """The logits where they may be overwritten: their own array, or a copy where a layer needs it for its gradient."""
    if z.free and z.solid:
        return z
    copy = w.buffer("d_outputs", z.shape)
    w.do(f"np.copyto({copy.name}, {z.name})")
    return copy


def _plain(word: Loss, schedule: ExecutionSchedule, w: Writer, z: Ref) -> Ref:
    """The loss as it is defined, over (samples, *shape), weighted by the lane's share of the batch."""
    function = w.name("loss_of")
    w.setup.append(f"{function} = plain_loss({written(word)!r})")
    d_z = w.planes("d_outputs", schedule.output_shape)
    laid = as_laid("d_samples", schedule.output_shape)
    w.do(f"loss, d_samples = {function}({as_samples(z.name, schedule.output_shape)}, targets)")
    w.do(f"loss *= {w.samples / w.batch!r}")
    w.do(f"np.multiply({laid}, {w.scalar('share', w.samples / w.batch)}, out={d_z.name})")
    return d_z
