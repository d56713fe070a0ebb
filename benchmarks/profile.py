"""Where the time of a training step goes, line by line of its program.

    python -m benchmarks.profile W4
    python -m benchmarks.profile specs/mnist_best.nnspec --batch 64
    python -m benchmarks.profile "input 28x28 -> dense 512 relu -> dense 10 softmax" --batch 128 --samples float32

A spec that names its data meets those; another one, and every workload, meets random bytes that are normalized by the
batch as `nnspec train` does it (`--samples float32` leaves that out).
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.instrument import BOOKS, Book, cost_of_a_clock, instrumented
from benchmarks.peers.ours import spec as text_of
from benchmarks.workloads import WORKLOADS
from nnspec.runtime.arena import Arena
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.data import Data, data_from_arrays
from nnspec.runtime.data.fitted.preprocessing import Normalize
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.infer import program_cache
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import Programs, steps_are_plain_sgd
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request


@dataclass(frozen=True)
class Cost:
    """What a line costs: microseconds a step (a sample's, in blocks), how often a step runs it, how fast it is."""

    part: str
    text: str
    microseconds: float
    calls: float
    rate: str


@dataclass(frozen=True)
class Profile:
    """A step's microseconds in all, of its program and of its optimizer, and of each line.

    What is left of a step belongs to drawing the batch and the loop around it. Lines are timed one by one, so their sum
    is a little off the program's own time; of two lanes, which run side by side, the mean is reported.
    """

    batch: int
    lanes: tuple[int, ...]
    block: int
    step: float
    program: float
    optimizer: float
    lines: tuple[Cost, ...]

    def parts(self) -> dict[str, float]:
        """Microseconds by what the lines belong to, in the order of the program."""
        total: dict[str, float] = {}
        for line in self.lines:
            total[line.part] = total.get(line.part, 0.0) + line.microseconds
        rest = self.step - self.program - self.optimizer
        return {**total, "optimizer": self.optimizer, "drawing samples and the loop around": max(0.0, rest)}


class Watched(Programs):
    """Programs whose lines are timed."""

    def plan(self, *arguments: Any, **more: Any) -> Plan:
        """The plan that the network has, with clocks in it."""
        return instrumented(super().plan(*arguments, **more))


def profile(spec: Spec, data: Data, seconds: float = 1.0) -> Profile:
    """Time a spec's training step: whole, in its parts, and line by line, each for about this number of seconds."""
    network = Network(spec, data.preprocessing)
    network.initialize(0)
    state = initial_state(network, len(data.train), 0)
    stepper = Stepper(state, data, 1e9)
    batch = spec.train.batch
    with stepper.ready():
        whole = _fastest(lambda: len(stepper.advance(10**9)), seconds)
        gradients = Arena(spec.parameters(), network.dtype)
        plain = steps_are_plain_sgd(spec)
        inputs, targets = network.programs.as_samples(data.train.inputs), data.train.targets

        def bound(programs: Programs) -> Callable[[], Any]:
            """A call of the bound program, on the first samples of the data."""
            program = programs.training(batch, gradients, inputs, targets, state.dropout_random, plain)
            block = program.plan.schedule.block
            some = np.arange(len(program.samples)) % len(inputs)
            program.samples[...], program.targets[...] = inputs[some], targets[some]
            return (lambda: program.block([0.0] * block)) if block > 1 else program

        own = stepper.program(batch)
        block = own.plan.schedule.block
        step = partial(own.block, [0.0] * block) if block > 1 else partial(own, summed=False)
        alone = _fastest(lambda: _called(step, block), seconds)
        optimizer = 0.0
        if block == 1:
            optimizer = _fastest(lambda: _called(lambda: stepper.move(own, 0.0, 2, 0.0), 1), seconds / 4)
        n = network.programs
        BOOKS.clear()
        with patch.object(program_cache, "executor_for", lambda _: IN_TURN):  # each alone, as in a process of its own
            run = bound(Watched(n.graph, n.loss, n.parameters, n.buffers, n.preprocessing))
        run()
        books = list(BOOKS)
        passes = _passes(run, books, max(20, int(seconds / (alone * block))))
    schedule = network.programs.plan(batch, "train", plain).schedule
    return Profile(
        batch, tuple(schedule.lanes), block, whole * 1e6, alone * 1e6, optimizer * 1e6, _costs(books, passes, block)
    )


def _called(call: Callable[[], Any], steps: int) -> int:
    call()
    return steps


def _fastest(advance: Callable[[], int], seconds: float) -> float:
    """Seconds a step of the fastest tenth of a time: of what the machine can do when idle."""
    advance()
    found: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(found) < 10:
        began = time.perf_counter()
        steps = advance()
        found.append((time.perf_counter() - began) / steps)
    found.sort()
    return found[len(found) // 10]


def _passes(run: Callable[[], Any], books: list[Book], calls: int) -> np.ndarray:
    """Nanoseconds of every line in every call, the mean over the lanes, whose lines are the same: (calls, lines)."""
    run()
    passes = np.empty((calls, len(books[0].lines)))
    for number in range(calls):
        for book in books:
            book.clear()
        run()
        passes[number] = np.mean([book.spent for book in books], axis=0)
    return passes


def _costs(books: list[Book], passes: np.ndarray, block: int) -> tuple[Cost, ...]:
    """Each line in the fastest tenth of its calls, less what the clocks took."""
    clock = cost_of_a_clock()
    costs = []
    for number, (line, spent) in enumerate(zip(books[0].lines, np.quantile(passes, 0.1, axis=0), strict=True)):
        calls = books[0].calls[number]
        alone = max(0.0, float(spent) - calls * clock)
        rate = books[0].rate(number, alone / calls) if calls else ""
        costs.append(Cost(line.part, line.text, alone / block / 1e3, calls / block, rate))
    return tuple(costs)


def format_profile(found: Profile, most: int) -> str:
    """The profile as text: its parts, then its most costly lines."""
    lanes = f"{' + '.join(map(str, found.lanes))} samples" + (" side by side" if len(found.lanes) > 1 else "")
    shape = f"blocks of {found.block} steps" if found.block > 1 else lanes
    rest = found.step - found.program - found.optimizer
    rows = [
        f"a step of {found.batch} takes {found.step:,.1f} µs ({shape}): "
        f"program {found.program:,.1f}, optimizer {found.optimizer:,.1f}, the rest {rest:,.1f}",
        "",
    ]
    rows += [f"{value:10,.1f} µs {100 * value / found.step:5.1f} %  {part}" for part, value in found.parts().items()]
    rows += ["", f"the {most} most costly lines", ""]
    for line in sorted(found.lines, key=lambda line: -line.microseconds)[:most]:
        times = "" if line.calls == 1 else f"{line.calls:g}x" if line.calls > 1 else f"1/{1 / line.calls:.0f}"
        share = 100 * line.microseconds / found.step
        rows.append(
            f"{line.microseconds:10,.1f} µs {share:5.1f} % {times:>4}  {line.rate:>18}  {line.text}  # {line.part}"
        )
    return "\n".join(rows)


def request_of(name: str, batch: int | None) -> Request:
    """The spec of a workload's name, a file or a text, with another batch where one is given."""
    settings = {"train.batch": str(batch)} if batch is not None else {}
    workload = WORKLOADS.get(name.upper() if name.upper() in WORKLOADS else name)
    return Request(text_of(workload) if workload is not None else name, settings)


def data_for(request: Request, kind: str) -> tuple[Spec, Data]:
    """The checked spec, and its data or as many random samples as a profile needs."""
    spec = request.check()
    if spec.data is not None:
        return check_with_data(request)
    if spec.input is None or spec.output_shape is None:
        raise SystemExit("the spec says neither its data nor its input; write a line such as input 28x28x1")
    x: np.ndarray
    y: np.ndarray
    random = np.random.default_rng(0)
    count = max(64, 4 * spec.train.batch)
    if spec.output_shape.sequence:
        shape, symbols = (count, *spec.input), spec.output_shape[-1]
        x, y = random.integers(0, symbols, shape), random.integers(0, symbols, shape)
        return spec, data_from_arrays(x, y, classification=True, steps=True)
    x = random.integers(0, 256, (count, *spec.input)).astype(np.uint8)
    if kind == "float32":
        x = (x / 255).astype(np.float32)
    x[0], x[1] = 0, 255 if kind == "uint8" else 1
    y = (
        random.integers(0, spec.output_shape.size, count)
        if spec.classification
        else random.random((count, *spec.output_shape))
    )
    normalize: Normalize = "unit" if kind == "uint8" else "none"
    return spec, data_from_arrays(x, y, classification=spec.classification, normalize=normalize)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profile", description="Where a training step's time goes."
    )
    parser.add_argument("spec", metavar="SPEC", help="a spec's file, its text, or a workload such as W4")
    parser.add_argument("--batch", type=int, metavar="N", help="samples in a batch instead of the spec's")
    parser.add_argument(
        "--samples", choices=("uint8", "float32"), default="uint8", help="what random samples are made of"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each part is timed")
    parser.add_argument("--lines", type=int, default=25, metavar="N", help="how many lines are listed")
    parser.add_argument("--json", action="store_true", help="print one object for programs")
    given = parser.parse_args()
    spec, data = data_for(request_of(given.spec, given.batch), given.samples)
    found = profile(spec, data, given.seconds)
    if given.json:
        print(json.dumps({**asdict(found), "parts": found.parts()}))
    else:
        print(format_profile(found, given.lines))


if __name__ == "__main__":
    main()
