"""nnspec: the planned step by itself, and `nnspec.train` as users call it, with data drawn and the loss logged."""

import re
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import nnspec
from benchmarks.figures import WITHOUT
from benchmarks.peers.worker import Tasks, serve
from benchmarks.workloads import Workload, batches, names, pieces, raw, weights
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import Programs, plan_of_spec, with_lanes
from nnspec.runtime.train.environment import environment
from nnspec.runtime.train.events import silent
from nnspec.runtime.train.loop import Trainer
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper

FEWEST = 8
"""Steps of a run whose first one is to be taken off."""

ROOT = Path(__file__).parents[2]

SETTINGS = re.compile(r"^(data|augment|optimizer|schedule|train)\b.*$", re.MULTILINE)
"""Lines of a spec's file that a workload says by itself."""

ENDLESS = 10**9
"""More steps than any timing makes."""


def spec(workload: Workload, train: str = f"train {ENDLESS} iterations", data: str = "") -> str:
    """The workload as a text of the language."""
    optimizer = f"optimizer {workload.optimizer}" if workload.optimizer else ""
    lines = (
        f"input {workload.steps or f'{workload.side}x{workload.side}x1'}" if not data or not workload.steps else "",
        SETTINGS.sub("", (ROOT / workload.file).read_text(encoding="utf-8")) if workload.file else workload.network,
        data,
        f"augment {workload.augment}" if workload.augment else "",
        optimizer,
        f"{train} batch={workload.batch}",
    )
    return "\n".join(line for line in lines if line)


def network(workload: Workload) -> Network:
    """The workload's network with its first weights."""
    open_lanes = nnspec.compile(spec(workload))
    made = Network(with_lanes(open_lanes.spec), open_lanes.preprocessing)
    made.set_parameters(weights(workload))
    return made


class Planned:
    """The planned step over batches of float32, one after another: forward, backward, update.

    `without` names rewrites of the plan to leave out.
    """

    def __init__(self, workload: Workload, without: frozenset[str] = frozenset()):
        self.plain = partial(Planned, replace(workload, augment=""), without)
        self.augmented = bool(workload.augment)
        x, y = (array.reshape(-1, *array.shape[2:]) for array in batches(workload))
        data = data_from_arrays(x, y, classification=True, steps=bool(workload.steps))
        self.network = network(workload)
        n = self.network.programs
        self.network.programs = Programs(n.graph, n.loss, n.parameters, n.buffers, n.preprocessing, without, n.lanes)
        state = initial_state(self.network, len(data.train), 0)
        state.order = np.arange(len(data.train))
        self.stepper = Stepper(state, data, ENDLESS)

    def check(self, steps: int) -> list[float]:
        """The losses as the step returns them, without augmentation, which every peer draws for itself."""
        if self.augmented:
            return self.plain().check(steps)
        losses: list[float] = []
        with self.stepper.ready():
            while len(losses) < steps:
                losses += self.stepper.advance(steps - len(losses))
        return losses

    def time(self, steps: int) -> float:
        """Blocks of steps where the plan has them, after a first step that allocates the buffers."""
        advance, made = self.stepper.advance, 0
        with self.stepper.ready():
            advance(1)
            began = time.perf_counter()
            while made < steps:
                made += len(advance(steps - made))
            return time.perf_counter() - began


class Trained:
    """`nnspec.train` on the package's digits or names, into a run folder; its own figure of the speed of training.

    The first step of a run makes the program's buffers. It is taken off, as that of the peers, which keep theirs.
    """

    def __init__(self, workload: Workload):
        self.workload = workload

    def check(self, steps: int) -> list[float]:
        """The same trainer from the common weights, over raw bytes in the common order."""
        count = self.workload.cycle * self.workload.batch
        if self.workload.steps:
            data = data_from_arrays(*pieces(count, self.workload.steps), classification=True, steps=True)
        else:
            data = data_from_arrays(*raw(count), classification=True, normalize="unit")
        workload = replace(self.workload, augment="")
        checked = nnspec.check(spec(workload, f"train {steps} iterations evaluate_every=1"))
        trained = Network(checked, data.preprocessing)
        trained.set_parameters(weights(workload))
        state = initial_state(trained, len(data.train), 0)
        state.order = np.arange(len(data.train))
        Trainer(state, data, None, silent).run()
        return state.history["loss"].values

    def time(self, steps: int) -> float:
        """Seconds of training in a run of its own; without reading data, evaluating and saving."""
        made = max(steps, FEWEST)
        whole = self._seconds(made + 1)
        return max(whole - self._seconds(1), whole / 5) * steps / made

    def _seconds(self, steps: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            data = "data mnist_sample normalize=unit"
            if self.workload.steps:
                file = Path(folder) / "names.txt"
                file.write_text(names(), encoding="utf-8")
                data = f'data text "{file}" window={self.workload.steps}'
            text = spec(self.workload, f"train {steps} iterations evaluate_every={steps}", data)
            end = nnspec.train(text, out=Path(folder) / "run").end
        return float(steps * self.workload.batch / end["samples_per_second"])


class Predicted:
    """`network.predict` as users call it."""

    def __init__(self, workload: Workload):
        self.network = network(workload)
        self.x, _ = batches(workload)

    def answer(self, i: int) -> np.ndarray:
        """The probabilities of the i-th batch, (batch, classes)."""
        return self.network.predict(self.x[i])

    def check(self, steps: int) -> list[float]:
        """The probabilities of the first sample of each batch."""
        return [float(p) for i in range(steps) for p in self.answer(i % len(self.x))[0]]

    def time(self, steps: int) -> float:
        """One batch after the other."""
        answer, cycle = self.answer, len(self.x)
        with self.threads():
            began = time.perf_counter()
            for i in range(steps):
                answer(i % cycle)
            return time.perf_counter() - began

    def threads(self) -> AbstractContextManager[object]:
        """Nothing to be set: `predict` does it at each call."""
        return nullcontext()


class PlannedPrediction(Predicted):
    """The bound program alone: a batch copied into its place, one call."""

    def __init__(self, workload: Workload):
        super().__init__(workload)
        self.program, _ = self.network.programs.carrying("outputs", workload.batch, self.x.dtype)

    def answer(self, i: int) -> np.ndarray:
        """The probabilities of the i-th batch, overwritten by the next call."""
        self.program.samples[...] = self.x[i]
        answers: np.ndarray = self.program()
        return answers

    def threads(self) -> AbstractContextManager[object]:
        """BLAS as the plan has it, set once."""
        return fixed_threads(1)


class Occluded:
    """`nnspec.occlude` over all images."""

    def __init__(self, workload: Workload):
        self.network = network(workload)
        x, y = batches(workload)
        self.x, self.y = x[0], y[0]

    def check(self, steps: int) -> list[float]:
        """Numbers from all over the maps."""
        maps = nnspec.occlude(self.network, self.x, self.y, window=3)
        return [float(value) for value in maps.ravel()[::101]]

    def time(self, steps: int) -> float:
        """All maps, again and again."""
        began = time.perf_counter()
        for _ in range(steps):
            nnspec.occlude(self.network, self.x, self.y, window=3)
        return time.perf_counter() - began


class Call:
    """A whole call of `nnspec.train` for an epoch, on arrays, or on a file and with a folder for the run."""

    def __init__(self, workload: Workload, file: bool):
        self.workload = workload
        self.folder = tempfile.TemporaryDirectory()
        arrays = raw(workload.samples)
        self.arrays = None if file else arrays  # a run on a file has its samples in memory once
        self.file = Path(self.folder.name) / "samples.npz" if file else None
        if self.file is not None:
            np.savez(self.file, x=arrays[0], y=arrays[1])

    def check(self, steps: int) -> list[float]:
        """Nothing to compare: each peer draws in an order of its own."""
        return []

    def time(self, steps: int) -> float:
        """Call after call, each a run of its own."""
        data = f'data npz "{self.file}" split=100/0 normalize=unit' if self.file is not None else ""
        text = spec(self.workload, "train 1 epochs", data)
        began = time.perf_counter()
        for i in range(steps):
            if self.file is not None:
                nnspec.train(text, out=Path(self.folder.name) / f"run-{began}-{i}")
            else:
                nnspec.train(text, data=self.arrays, settings={"data.normalize": "unit"})
        return time.perf_counter() - began


class Gemm:
    """A product of two square matrices of float32 on all cores."""

    def __init__(self, workload: Workload):
        random = np.random.default_rng(0)
        self.a, self.b, self.c = (random.standard_normal((workload.batch,) * 2, np.float32) for _ in range(3))

    def check(self, steps: int) -> list[float]:
        """Nothing to compare."""
        return []

    def time(self, steps: int) -> float:
        """One product after the other."""
        began = time.perf_counter()
        for _ in range(steps):
            np.dot(self.a, self.b, out=self.c)
        return time.perf_counter() - began


def tasks(workload: Workload) -> Tasks:
    """`train` and `predict` are what users call; `planned` is the program by itself, also without each rewrite."""
    match workload.kind:
        case "train":
            as_used: Tasks = {"train": lambda: Trained(workload)} if workload.side == 28 else {}
            plan = plan_of_spec(with_lanes(nnspec.check(spec(workload))))
            less = {f"{WITHOUT}{name}": partial(Planned, workload, frozenset({name})) for name in plan.schedule.applied}
            return {"planned": lambda: Planned(workload), **as_used, **less}
        case "first":
            return {"planned": lambda: Planned(workload)}
        case "predict":
            return {"planned": lambda: PlannedPrediction(workload), "predict": lambda: Predicted(workload)}
        case "occlude":
            return {"occlude": lambda: Occluded(workload)}
        case "epoch":
            return {
                "epoch": lambda: Call(workload, file=True),
                "arrays": lambda: Call(workload, file=False),
            }
        case "gemm":
            return {"gemm": lambda: Gemm(workload)}


def about() -> dict[str, str]:
    """NumPy, its BLAS and the kernel that BLAS chose for this machine."""
    here = environment()
    return {
        "nnspec": nnspec.__version__,
        "NumPy": str(here["numpy"]),
        "BLAS": f"{here['blas']} {here['blas_version']}, kernel {here['blas_kernel']}",
    }


if __name__ == "__main__":
    serve(about, tasks)
