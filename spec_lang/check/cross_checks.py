"""Checks across statements: the last layer, the loss, the data, the state, and the memory of the machine."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from nnspec.spec_lang.check.spec import Node, Spec
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings
from nnspec.spec_lang.report.units import in_bytes
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.grammar import is_name
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.data import DataSource
from nnspec.spec_lang.vocabulary.losses import CrossEntropy, Loss
from nnspec.spec_lang.vocabulary.shape import Shape


def same_sample(given: Shape, known: Sequence[int]) -> bool:
    """Return whether an input line and the data agree: 28x28 is 28x28x1, and a flat row matches an image."""

    def trimmed(shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(shape[:-1]) if len(shape) == 3 and shape[-1] == 1 else tuple(shape)

    return trimmed(given) == trimmed(known) or (len(given) == 1 and given.size == Shape(known).size)


def check_classes(
    output: Shape,
    last: str,
    loss: Loss,
    data: DataSource | None,
    classes: int | None,
    end: Span,
    written: Span | None,
    found: Findings,
) -> None:
    """Report a network whose outputs, or whose loss, do not match the classes of the data.

    `end` is the last layer, whose activation is `last`; `written` is the loss line, None without one.
    """
    classes = classes if classes is not None else data.classes if data is not None else None
    fits = output[-1:] == (classes,)
    if classes is None or loss.labels or (fits and loss.classes):
        return
    source = data.word if data is not None else "the data"
    layer = f"conv 1x1 x{classes}" if len(output) == 3 and not output.sequence else f"dense {classes}"
    help = f"write {layer} softmax as the last layer"
    if classes == 256 and len(output) == 3:
        help = "give y > 127 where the targets are pictures in black and white"
    if loss.classes:
        outputs = f"{output[-1]} outputs" if output else "a single number"
        found.say("E303", f"the network ends in {outputs}, {source} has {classes} classes", end, help)
        return
    message = f"the loss {loss.word} compares {loss.compares}, and {source} has {classes} classes"
    if written is not None:
        help = (
            f"write loss {CrossEntropy.word}"
            if fits and last == CrossEntropy.head
            else f"{help}, and loss {CrossEntropy.word}"
        )
    found.say("E303", message, written or end, help)


def check_targets(data: DataSource, loss: Loss, place: Span, found: Findings) -> None:
    """Report scaled targets under a loss that compares no numbers."""
    if data.targets == "zscore" and not loss.numbers:
        message = f"targets=zscore scales numbers to predict, and {loss.word} compares {loss.compares}"
        found.say("E303", message, place, "leave targets= out, or write loss mse behind a linear last layer")


def with_target_scaling(data: DataSource, layers: Iterable[Layer]) -> DataSource:
    """Return data of numbers to predict with the default of `targets`: zscore if the outputs can be any number.

    A sigmoid, tanh or relu at the end was chosen for the numbers as they are, and could not reach scaled ones.
    """
    known = (layer.unbounded() for layer in reversed(tuple(layers)))
    scales = next((unbounded for unbounded in known if unbounded is not None), False)
    return data.model_copy(update={"targets": "zscore" if scales else "none"})


def check_state(spec: Spec, place: Span, found: Findings) -> None:
    """Report stateful=yes in a network that cannot keep a state from batch to batch."""
    if not spec.train.stateful or not spec.nodes:
        return
    recurrent = [node for node in spec.nodes if node.layer.recurrent]
    if not recurrent:
        found.say(
            "E303", "stateful=yes, and no layer keeps a state", place, "leave it out, or write an rnn, gru or lstm"
        )
    backwards = [node for node in recurrent if not node.layer.carries(node.input_shape)]
    if backwards:
        message = f"stateful=yes, and {backwards[0].name} reads from the end, where what follows is not known yet"
        found.say("E303", message, backwards[0].span, "leave out stateful=yes, or let it read forwards alone")


def check_augment(spec: Spec, known: Sequence[int] | None, place: Span, found: Findings) -> None:
    """Report augmentation of samples that are not images; `known` is the shape of a sample of the data."""
    if spec.input is None or len(spec.input) == 3:
        return
    help = "leave it out, or train on images"
    one_by_one = spec.data is not None and (spec.data.symbolic or spec.data.windowed)
    if len(spec.input) == 2 and not one_by_one:
        help = f"write input {spec.input}x1 if a sample is an image of one channel, else leave augment out"
    elif known is not None and len(known) == 3:
        help = f"write input {Shape(known)}"
    message = f"augment changes images, height x width x channels, and a sample is {spec.input}"
    found.say("E305", message, place, help)


def check_memory(spec: Spec, found: Findings) -> None:
    """Report a network whose training needs more than the memory of this machine, as computed from shapes."""
    needed, there = spec.memory_bytes(), physical_memory()
    if there is None or needed <= there:
        return
    largest = max(spec.nodes, key=lambda node: max(_parameters(node), node.output_shape.size))
    message = f"training this network takes at least {in_bytes(needed)}, this machine has {in_bytes(there)}"
    notes = (
        f"{largest.name} alone has {_parameters(largest):,} parameters and makes {largest.output_shape.size:,} numbers",
    )
    found.add(Diagnostic("E401", message, largest.span, notes, "make it smaller, or the batch"))


def _parameters(node: Node) -> int:
    return sum(parameter.size for parameter in node.parameters().values())


def physical_memory() -> int | None:
    """Return the memory of the machine or of its container, in bytes, None if unknown."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, int(Path(limit).read_text()))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return memory


def default_network_name(source: Source) -> str:
    """Return the name of a network without a network statement: the name of its file."""
    stem = os.path.basename(source.name).removesuffix(".nnspec")
    name = "".join(c if c.isalnum() else "_" for c in stem)
    if source.folder is None or not name.strip("_"):
        return "network"
    return name if is_name(name) else f"_{name}"
