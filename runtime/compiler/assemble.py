"""ExecutionSchedule → plan: every node's kernel written down, forward and then backward, for each size of lane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nnspec.runtime.compiler.kernels import KERNELS, Backward, KernelContext
from nnspec.runtime.compiler.kernels.losses import write_loss
from nnspec.runtime.compiler.kernels.plain import write_plain
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.compiler.signature import lane_header
from nnspec.runtime.compiler.writer import INDENT, Ref, Writer, as_laid, as_samples, as_text, laid_out
from nnspec.spec_lang.check.spec import INPUT

MANY = 16
"""Samples that are worth a copy of their own before they are normalized."""


@dataclass(frozen=True)
class Form:
    """How a node is computed: "planned" or "plain", the shape in memory of what it gives (see `writer.laid_out`), and
    the bytes of what it works on, forward and back."""

    kind: str
    laid: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class LaneText:
    """The program of one lane: its text, the bytes of its buffers, and how each node is computed.

    Where lanes have `meetings`, a step is a generator: it yields so many times, and at last what it gives. `common`
    has the shapes of what all lanes see of each other then.
    """

    text: str
    bytes: int
    forms: Mapping[str, Form]
    meetings: int = 0
    common: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The program of a schedule as text, one for each size of lane. Nothing is allocated yet."""

    schedule: ExecutionSchedule
    dtype: str
    normalized: bool
    lanes: Mapping[int, LaneText]

    @property
    def bytes(self) -> int:
        """What all lanes' buffers take, beside parameters, gradients and slots."""
        return sum(self.lanes[size].bytes for size in self.schedule.lanes)


def assemble(schedule: ExecutionSchedule, dtype: str, normalized: bool) -> Plan:
    """The plan of a schedule. `normalized` says whether samples are shifted and scaled first."""
    if schedule.block > 1:
        return Plan(schedule, dtype, normalized, {1: _block(schedule, dtype, normalized)})
    return Plan(
        schedule, dtype, normalized, {size: _lane(schedule, size, dtype, normalized) for size in set(schedule.lanes)}
    )


def _lane(schedule: ExecutionSchedule, samples: int, dtype: str, normalized: bool) -> LaneText:
    w = Writer(samples, schedule.lanes, dtype, schedule.training)
    walk = Walk(schedule, w)
    end = walk.forward(
        schedule.nodes, {INPUT: _input(schedule, w, normalized)}, {INPUT: schedule.training and schedule.first_gradient}
    )
    if schedule.training:
        walk.backward(end)
        result = "loss"
    else:
        result = _outputs(schedule, w, end)
    return LaneText(
        _text(w, result, f"{samples} of {schedule.batch} samples"), w.bytes, walk.forms, w.meetings, w.common
    )


class Walk:
    """Kernels written one after another, and their backward passes in the opposite order."""

    def __init__(self, schedule: ExecutionSchedule, writer: Writer):
        self.schedule = schedule
        self.writer = writer
        self.forms: dict[str, Form] = {}
        self._wanted: dict[str, bool] = {}
        self._backwards: list[tuple[ScheduledNode, Backward]] = []

    def forward(self, nodes: Sequence[ScheduledNode], values: dict[str, Ref], wanted: dict[str, bool]) -> Ref:
        """Write these nodes from the values they begin with; `wanted` says which of those need a gradient."""
        w, end = self.writer, next(iter(values.values()))
        self._wanted = dict(wanted)
        for node in nodes:
            inputs = [_shared(self.schedule, name, values[name]) for name in node.inputs]
            needs = [self._wanted[name] for name in node.inputs]
            learns = bool(node.layer.parameters(node.input_shapes[0]))
            self._wanted[node.name] = w.training and (any(needs) or learns)
            w.do(f"# {node.name}: {node.layer.word} -> {node.output_shape}")
            site, before = KernelContext(self.schedule, node, w, inputs, needs), w.bytes
            written = KERNELS[type(node.layer)](node.layer, site) if type(node.layer) in KERNELS else None
            end, backward = written if written is not None else write_plain(site)
            kind = "planned" if written is not None else "plain"
            self.forms[node.name] = Form(kind, end.shape, w.bytes - before)
            values[node.name] = end
            self._backwards.append((node, backward))
        return end

    def backward(self, end: Ref) -> dict[str, Ref]:
        """Write the loss and the way back; returns the gradients of the values that the walk began with."""
        w = self.writer
        w.do("# the loss")
        d_end = write_loss(self.schedule, w, end)
        waiting = {self._backwards[-1][0].name if self._backwards else INPUT: d_end}
        for node, backward in reversed(self._backwards):
            d_y = waiting.pop(node.name, None)
            if d_y is None or not self._wanted[node.name]:
                continue
            before = w.bytes
            w.do(f"# back through {node.name}")
            for name, d_x in zip(node.inputs, backward(d_y), strict=True):
                if d_x is None:
                    continue
                if name in waiting:
                    total = w.buffer(f"d_{name}_sum", d_x.shape)
                    w.do(f"np.add({waiting[name].name}, {d_x.name}, out={total.name})")
                    d_x = total
                waiting[name] = d_x
            form = self.forms[node.name]
            self.forms[node.name] = replace(form, bytes=form.bytes + w.bytes - before)
        return waiting


def _block(schedule: ExecutionSchedule, dtype: str, normalized: bool) -> LaneText:
    """Steps of single samples, a block of them at once: see rewrites.blocks."""
    first, rest, steps = schedule.nodes[0], schedule.nodes[1:], schedule.block
    features, units = first.input_shapes[0].size, first.output_shape.size
    w = Writer(1, (1,), dtype, True)
    start, _ = schedule.parameters[f"{first.name}/weight"]
    biased = f"{first.name}/bias" in schedule.parameters
    inputs = features + biased
    tail = start + inputs * units
    samples = w.buffer("x", (steps, inputs), 1)
    target = w.view("x_samples", f"x[:, :{features}]", (steps, features))
    weight = w.view(first.name, f"parameters[{start}:{tail}].reshape({inputs}, {units})", (inputs, units)).name
    products, likeness = w.buffer("products", (steps, units)).name, w.buffer("likeness", (steps, steps)).name
    moves, correction = w.buffer("moves", (steps, units), 0).name, w.buffer("correction", (units,)).name
    change = w.buffer("change", (inputs, units)).name
    for name, expression in {
        "product_of": f"list({products})",
        "likeness_to": f"[{likeness}[t, :t] for t in range({steps})]",
        "moves_before": f"[{moves}[:t] for t in range({steps})]",
        "move_of": f"list({moves})",
        "target_of": f"[targets[t:t + 1] for t in range({steps})]",
        "others": f"parameters[{tail}:]",
        "d_others": f"gradients[{tail}:]",
        "step_size": f"np.zeros((), np.{dtype})",
        "back": f"np.zeros((), np.{dtype})",
    }.items():
        w.setup.append(f"{name} = {expression}")
    z = w.rows(f"{first.name}_z", units)
    row = w.view(f"{z.name}_row", f"{z.name}.reshape(-1)", (units,)).name
    own = w.bytes
    before = _normalizing(schedule, w, normalized, f"samples.reshape({steps}, {features})", target.name, rows=True)
    before += [
        f"np.dot({samples.name}, {weight}, out={products})",
        f"np.dot({samples.name}, {samples.name}.T, out={likeness})",
        f"if len(rates) < {steps}:",
        f"{INDENT}{moves}.fill(0)",
        "losses = []",
        "for t, rate in enumerate(rates):",
    ]
    w.do(f"np.dot(likeness_to[t], moves_before[t], out={correction})")
    w.do(f"np.add(product_of[t], {correction}, out={row})")
    w.do("targets = target_of[t]")
    walk = Walk(schedule, w)
    end = walk.forward(rest, {first.name: z}, {first.name: True})
    d_z = walk.backward(end)[first.name]
    w.do("losses.append(loss)")
    w.do("step_size[()] = rate")
    w.do("np.negative(step_size, out=back)")
    w.do(f"np.multiply({d_z.name}.reshape(-1), back, out=move_of[t])")
    w.do("np.multiply(d_others, step_size, out=d_others)")
    w.do("np.subtract(others, d_others, out=others)")
    after = [f"np.dot({samples.name}.T, {moves}, out={change})", f"np.add({weight}, {change}, out={weight})"]
    w.step = [*before, *(f"{INDENT}{line}" for line in w.step), *after]
    text = _text(w, "losses", f"{steps} steps of one sample each, at these rates", "rates")
    return LaneText(text, w.bytes, {first.name: Form("planned", (units, 1), own), **walk.forms})


def _input(schedule: ExecutionSchedule, w: Writer, normalized: bool) -> Ref:
    """The samples, (samples, *shape) as the data give them, laid out and normalized."""
    features = schedule.input_shape.size
    w.do(f"# the samples: {schedule.input_shape}")
    if len(schedule.input_shape) == 1 or schedule.flat_samples:
        rows = w.buffer("x_rows", (w.samples, features + 1), 1)
        target = w.view("x_samples", f"{rows.name}[:, :{features}]", (w.samples, features), solid=False)
        with_one = w.view("x_1", f"{rows.name}.T", (features + 1, w.samples), solid=False)
        x = w.view("x", f"{with_one.name}[:{features}]", (features, w.samples), solid=False)
        x = Ref(x.name, x.shape, free=False, solid=False, with_one=with_one.name)
        given = w.view("samples_flat", f"samples.reshape({w.samples}, {features})", (w.samples, features)).name
        w.step += _normalizing(schedule, w, normalized, given, target.name, rows=True)
    else:
        x = w.buffer("x", laid_out(schedule.input_shape, w.samples)).kept()
        w.step += _normalizing(schedule, w, normalized, as_laid("samples", schedule.input_shape), x.name, rows=False)
    return x


def _normalizing(
    schedule: ExecutionSchedule, w: Writer, normalized: bool, source: str, target: str, rows: bool
) -> list[str]:
    """The lines that bring raw samples into their place, each a row of numbers or laid out as an image is.

    What NumPy converts it reads and writes without gaps, which is twice as fast: images are turned as they come, and
    rows go through an array of their own.
    """
    if not normalized:
        return [f"np.copyto({target}, {source}, casting='same_kind')"]
    shape, many = schedule.input_shape, w.samples * schedule.block >= MANY
    shift, scale = (
        w.view(f"x_{name}", f"{name}.reshape(()) if {name}.size == 1 else {each}", (), solid=False).name
        for name in ("shift", "scale")
        for whole in [f"np.broadcast_to({name}, {as_text((1, *shape))})"]
        for each in [f"{whole}.reshape(-1)" if rows else as_laid(whole, shape)]
    )
    lines, place = [], target
    if many and rows:
        place = w.buffer("x_apart", (w.samples * schedule.block, shape.size)).name
    elif many:
        turned = w.name("samples_turned")
        w.setup.append(f"{turned} = empty({target}.shape, samples.dtype)")
        w.bytes += 4 * w.samples * shape.size
        lines.append(f"np.copyto({turned}, {source})")
        source = turned
    return [
        *lines,
        f"np.subtract({source}, {shift}, out={place}, casting='same_kind')",
        f"np.divide({place}, {scale}, out={target})",
    ]


def _shared(schedule: ExecutionSchedule, name: str, ref: Ref) -> Ref:
    """An array that several nodes read is nobody's to overwrite."""
    return ref.kept() if len(schedule.readers(name)) > 1 else ref


def _outputs(schedule: ExecutionSchedule, w: Writer, end: Ref) -> str:
    """The name of the answers, (samples, *shape), the head applied."""
    shape = schedule.output_shape
    if schedule.head is not None:
        w.do(f"# {schedule.head.word}")
        node = ScheduledNode("outputs", schedule.head, (), (shape,), shape)
        site = KernelContext(schedule, node, w, [end], [False])
        kernel = KERNELS[type(schedule.head)](schedule.head, site) if type(schedule.head) in KERNELS else None
        end, _ = kernel if kernel is not None else write_plain(site)
    return w.view("answers", as_samples(end.name, shape), (w.samples, *shape)).name


def _text(w: Writer, result: str, about: str, arguments: str = "") -> str:
    """The lane as a function that makes its buffers once and gives back its step."""
    body = [
        lane_header(),
        f'{INDENT}"""{about}; inside, an image is (channels, height, width, samples)."""',
        *([f"{INDENT}scratch = empty({w.scratch_size}, np.{w.dtype})"] if w.scratch_size else []),
        *(f"{INDENT}{line}" for line in w.setup),
        "",
        f"{INDENT}def step({arguments}):",
        *(f"{INDENT * 2}{line}" for line in w.step),
        f"{INDENT * 2}{'yield' if w.meetings else 'return'} {result}",
        "",
        f"{INDENT}return step",
    ]
    return "\n".join(body) + "\n"
