"""Plan → a program that runs: the text compiled, its buffers made, one thread a lane."""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from runtime.arrays import Array, empty, full
from runtime.compiler.assemble import Plan
from runtime.graph import reads_symbols
from runtime.layers import Forward, Mode, build
from runtime.layers.symbols import padding_of
from runtime.losses import LossFunction, build_loss
from runtime.padding import behind_strides
from spec_lang.bind import bind as bind_word
from spec_lang.parse import parse
from spec_lang.shape import Shape
from spec_lang.source import Source
from spec_lang.syntax import Call, Pipeline
from spec_lang.word import Word, layers, words

Step = Callable[..., Any]


class Bound:
    """A plan over arrays: fill `samples` (and `targets`), call, and read the answer.

    `samples` is (batch, *input shape) in the type the data come in, `targets` (batch, …). A training program writes the
    batch's gradients into `gradients` and gives the loss; another one gives outputs that the next call overwrites.
    `states` are what its layers carry from one call to the next, (batch, numbers) by layer; each call moves them on.
    """

    def __init__(
        self,
        plan: Plan,
        parameters: Array,
        gradients: Array | None,
        buffers: Array,
        sample_type: np.dtype[Any],
        target: tuple[tuple[int, ...], np.dtype[Any]] | None,
        normalization: tuple[Array, Array] | None,
        random: np.random.Generator | None,
        states: Mapping[str, Array] | None = None,
    ):
        draft = plan.draft
        self.plan = plan
        self.blas_threads = None if draft.one_thread_anyway() else draft.blas_threads
        self.quiet = copy_context()  # where numbers may overflow without a warning
        self.quiet.run(np.seterr, all="ignore")
        batch = draft.batch * draft.block
        self.samples = np.zeros((batch, *draft.input_shape), sample_type)
        self.targets = np.zeros((batch, *target[0]), target[1]) if target is not None else np.zeros(0)
        self._random = random
        symbolic = reads_symbols((node.layer, node.inputs) for node in draft.nodes)
        strided = behind_strides(draft.nodes) if symbolic else {}
        self._padding = np.zeros(batch, np.intp) if symbolic else None
        self._draws = _draws(plan)
        self._steps: list[Step] = []
        self._meetings = max(lane.meetings for lane in plan.lanes.values())
        together: dict[str, Array] = {}
        self._gradients = [gradients] if gradients is not None else []
        shift, scale = normalization if normalization is not None else (None, None)
        start = 0
        for i, size in enumerate(draft.lanes):
            if i and gradients is not None:
                self._gradients.append(full(gradients.shape, 0, gradients.dtype))
            part = slice(start, start + size * draft.block)
            make = _compiled(plan.lanes[size].text)
            step = make(
                parameters,
                self._gradients[i] if gradients is not None else None,
                buffers,
                self.samples[part],
                self.targets[part],
                {name: drawn[part] for name, drawn in self._draws.items()},
                Mode(
                    draft.training,
                    random,
                    self._padding[part] if self._padding is not None else None,
                    {name: state[part] for name, state in (states or {}).items()},
                    strided=strided,
                ),
                shift,
                scale,
                together,
                i,
            )
            self._steps.append(step)
            start += size

    def block(self, rates: Sequence[float]) -> list[float]:
        """Steps of plain SGD on the first samples, one each, at these rates; their losses. See rewrites.blocks."""
        losses: list[float] = self._steps[0](rates)
        return losses

    def __call__(self) -> Any:
        """One step over the samples that stand in `samples`."""
        if self._padding is not None:
            self._padding[...] = padding_of(self.samples)
        if self._random is not None:
            for drawn in self._draws.values():
                self._random.random(out=drawn, dtype=np.float32)
        if len(self._steps) == 1:
            return self._steps[0]()
        results = self._results()
        if self._gradients:
            for other in self._gradients[1:]:
                np.add(self._gradients[0], other, out=self._gradients[0])
            return sum(results)
        return np.concatenate(results)

    def _results(self) -> list[Any]:
        """What each lane gives. From one meeting to the next lanes touch nothing in common."""
        if not self._meetings:
            return run_together(self._steps)
        lanes = [step() for step in self._steps]
        for _ in range(self._meetings):
            run_together([lane.__next__ for lane in lanes])
        return run_together([lane.__next__ for lane in lanes])


def run_together(steps: list[Step]) -> list[Any]:
    """The results of steps that touch nothing in common, one thread each, in their order."""
    waiting = [_workers().submit(step) for step in steps[1:]]
    first = steps[0]()
    return [first, *(future.result() for future in waiting)]


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="nnspec-lane")


def _draws(plan: Plan) -> Mapping[str, Array]:
    """An array of uniform numbers for each dropout, (batch, *shape), in the order of the layers."""
    draft = plan.draft
    if not draft.training:
        return {}
    return {
        node.name: np.ones((draft.batch, *node.output_shape), np.float32)
        for node in draft.nodes
        if node.layer.word == "dropout" and getattr(node.layer, "probability", 0) > 0
    }


@cache
def _compiled(text: str) -> Callable[..., Step]:
    """The `lane` function of a program's text. The text is our own: names from a spec reach it as identifiers."""
    space: dict[str, Any] = dict(PROGRAM_NAMES)
    exec(compile(text, "<nnspec program>", "exec"), space)
    made: Callable[..., Step] = space["lane"]
    return made


def plain_layer(text: str, shape: tuple[int, ...], arrays: Mapping[str, Array], sequence: bool = False) -> Forward:
    """The plain forward of a layer from its line in the language: what a program calls where no kernel is written."""
    return build(_word(text, layers()), Shape(shape, sequence), arrays)


def plain_loss(text: str) -> LossFunction:
    """The plain loss from its words in the language."""
    word: Any = _word(text, words("loss"))
    return build_loss(word)


def _word(text: str, known: Mapping[str, type[Word]]) -> Word:
    statements, found = parse(Source("<program>", text))
    match statements:
        case [Pipeline(stages=(Call() as call,))] if not found:
            word, found = bind_word(known[call.word], call.arguments, call.span)
            if word is not None:
                return word
    raise ValueError(f"{text!r} is no layer: {found}")


PROGRAM_NAMES = {
    "np": np,
    "exp": math.exp,
    "log": math.log,
    "as_strided": as_strided,
    "empty": empty,
    "full": full,
    "plain_layer": plain_layer,
    "plain_loss": plain_loss,
}
"""What the text of a program may use."""
