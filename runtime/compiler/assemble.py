"""Draft → plan: every node's kernel written down, forward and then backward, for each size of lane."""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.compiler.draft import Draft, DraftNode
from runtime.compiler.kernels import KERNELS, Backward, Site
from runtime.compiler.kernels.plain import write_plain
from runtime.compiler.losses import write_loss
from runtime.compiler.writer import INDENT, Ref, Writer, as_text, laid_out, sample_axes
from spec_lang.spec import INPUT


@dataclass(frozen=True)
class LaneText:
    """The program of one lane: its text, the bytes of its buffers, and how each node is computed."""

    text: str
    bytes: int
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """The program of a draft as text, one for each size of lane. Nothing is allocated yet."""

    draft: Draft
    dtype: str
    normalized: bool
    lanes: Mapping[int, LaneText]

    @property
    def bytes(self) -> int:
        """What all lanes' buffers take, beside parameters, gradients and slots."""
        return sum(self.lanes[size].bytes for size in self.draft.lanes)


def assemble(draft: Draft, dtype: str, normalized: bool) -> Plan:
    """The plan of a draft. `normalized` says whether samples are shifted and scaled first."""
    return Plan(draft, dtype, normalized, {size: _lane(draft, size, dtype, normalized) for size in set(draft.lanes)})


def _lane(draft: Draft, samples: int, dtype: str, normalized: bool) -> LaneText:
    w = Writer(samples, draft.batch, dtype, draft.training)
    forms: dict[str, str] = {}
    values: dict[str, Ref] = {INPUT: _input(draft, w, normalized)}
    backwards: list[tuple[DraftNode, Backward]] = []
    wanted = {INPUT: draft.training and draft.first_gradient}
    for node in draft.nodes:
        inputs = [_shared(draft, name, values[name]) for name in node.inputs]
        needs = [wanted[name] for name in node.inputs]
        wanted[node.name] = draft.training and (any(needs) or bool(node.layer.parameters(node.input_shapes[0])))
        w.do(f"# {node.name}: {node.layer.word} -> {node.output_shape}")
        site = Site(draft, node, w, inputs, needs)
        written = KERNELS[type(node.layer)](node.layer, site) if type(node.layer) in KERNELS else None
        forms[node.name] = "planned" if written is not None else "plain"
        values[node.name], backward = written if written is not None else write_plain(site)
        backwards.append((node, backward))
    end = values[draft.nodes[-1].name] if draft.nodes else values[INPUT]
    if draft.training:
        _backward(draft, w, end, backwards, wanted)
        result = "loss"
    else:
        result = _outputs(draft, w, end)
    return LaneText(_text(draft, w, result), w.bytes, forms)


def _input(draft: Draft, w: Writer, normalized: bool) -> Ref:
    """The samples, (samples, *shape) as the data give them, laid out and normalized."""
    shape = tuple(draft.input_shape)
    w.do(f"# the samples: {draft.input_shape}")
    if len(shape) == 1:
        rows = w.buffer("x_rows", (w.samples, shape[0] + 1), "ones")
        target = w.view("x_samples", f"{rows.name}[:, :{shape[0]}]", (w.samples, shape[0]), solid=False)
        with_one = w.view("x_1", f"{rows.name}.T", (shape[0] + 1, w.samples), solid=False)
        x = w.view("x", f"{with_one.name}[:{shape[0]}]", (shape[0], w.samples), solid=False)
        x = Ref(x.name, x.shape, free=False, solid=False, with_one=with_one.name)
        source, layout = "samples", ""
    else:
        image = len(shape) == 2 and not draft.input_shape.sequence
        laid = (1, *shape, w.samples) if image else laid_out(shape, w.samples)
        x = w.buffer("x", laid).kept()
        axes = sample_axes(len(shape))
        target = w.view("x_samples", f"{x.name}[0]" if image else x.name, laid[1:] if image else laid)
        source, layout = f"samples.transpose{axes}", _beside_samples(len(shape))
    if normalized:
        shift, scale = (
            w.view(f"x_{name}", f"np.broadcast_to({name}, {as_text(shape)}){layout}", target.shape, solid=False).name
            for name in ("shift", "scale")
        )
        w.do(f"np.subtract({source}, {shift}, out={target.name}, casting='same_kind')")
        w.do(f"np.divide({target.name}, {scale}, out={target.name})")
    else:
        w.do(f"np.copyto({target.name}, {source}, casting='same_kind')")
    return x


def _beside_samples(rank: int) -> str:
    """How what broadcasts against a sample broadcasts against laid-out ones."""
    return {0: "", 1: "", 2: "[..., None]", 3: ".transpose(2, 0, 1)[..., None]"}[rank]


def _shared(draft: Draft, name: str, ref: Ref) -> Ref:
    """An array that several nodes read is nobody's to overwrite."""
    return ref.kept() if len(draft.readers(name)) > 1 else ref


def _backward(
    draft: Draft, w: Writer, end: Ref, backwards: list[tuple[DraftNode, Backward]], wanted: Mapping[str, bool]
) -> None:
    w.do("# the loss")
    d_end = write_loss(draft, w, end)
    waiting = {draft.nodes[-1].name: d_end} if draft.nodes else {}
    for node, backward in reversed(backwards):
        d_y = waiting.pop(node.name, None)
        if d_y is None or not wanted[node.name]:
            continue
        w.do(f"# back through {node.name}")
        for name, d_x in zip(node.inputs, backward(d_y), strict=True):
            if d_x is None:
                continue
            if name in waiting:
                total = w.buffer(f"d_{name}_sum", d_x.shape)
                w.do(f"np.add({waiting[name].name}, {d_x.name}, out={total.name})")
                d_x = total
            waiting[name] = d_x


def _outputs(draft: Draft, w: Writer, end: Ref) -> str:
    """The name of the answers, (samples, *shape), the head applied."""
    shape = draft.output_shape
    if draft.head is not None:
        w.do(f"# {draft.head.word}")
        node = DraftNode("outputs", draft.head, (), (shape,), shape)
        site = Site(draft, node, w, [end], [False])
        kernel = KERNELS[type(draft.head)](draft.head, site) if type(draft.head) in KERNELS else None
        end, _ = kernel if kernel is not None else write_plain(site)
    axes = sample_axes(len(shape))
    back = tuple(axes.index(i) for i in range(len(axes)))
    return w.view("answers", f"{end.name}.transpose{back}" if shape else f"{end.name}[0]", (w.samples, *shape)).name


def _text(draft: Draft, w: Writer, result: str) -> str:
    """The lane as a function that makes its buffers once and gives back its step."""
    arguments = "parameters, gradients, buffers, samples, targets, draws, mode, shift, scale"
    body = [
        f"def lane({arguments}):",
        f'{INDENT}"""{w.samples} of {draft.batch} samples, (channels, height, width, samples) inside."""',
        *(f"{INDENT}{line}" for line in w.setup),
        "",
        f"{INDENT}def step():",
        *(f"{INDENT * 2}{line}" for line in w.step),
        f"{INDENT * 2}return {result}",
        "",
        f"{INDENT}return step",
    ]
    return "\n".join(body) + "\n"


