"""The memory of a save in addition to the network, and the growth during a long run."""

import gc
import tracemalloc
from pathlib import Path
from unittest.mock import patch

from nnspec import api
from nnspec.runtime.data import Data
from nnspec.runtime.train import loop as training
from nnspec.runtime.train.checkpointing import save_checkpoint
from nnspec.runtime.train.events import Event
from nnspec.runtime.train.state import State
from nnspec.runtime.train.step import Stepper
from tests.support.commands import no_fsync, write_data, write_spec
from tools.soak.experiments import Tally, experiment, tries

BLOCK = 4 * 2**20  # bytes: the block that is read and compared, and all else that does not grow with the network
STEPS_AN_INTERVAL = 500
GROWTH = 32 * 2**10  # bytes that 9,000 steps may add: the history of the evaluations


@experiment("a save needs no more memory than the size of the file that it writes, and 4 MiB", soak=6)
def room_for_a_save(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of networks, each half as large again as the one before; the smallest file has about 16 MB."""
    tally = Tally()
    for number in tries(count, seconds):
        width = int(1000 * 1.5**number)
        file = folder / f"{number}.h5"
        state = _trained(folder, width)
        with no_fsync():
            save_checkpoint(file, state, "", {})  # the second save finds a former file, as all but the first do
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            save_checkpoint(file, state, "", {})
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        size = file.stat().st_size
        tally.notes.append(f"a file of {size / 1e6:,.0f} MB: {(peak - before) / size:.2f} times its size")
        tally.count(peak - before <= size + BLOCK, f"{size:,} bytes, {peak - before:,} at the peak")
    return tally


def _trained(folder: Path, width: int) -> State:
    write_data(folder)
    network = f"dense {width} relu -> dense {width} relu -> dense 3 softmax"
    write_spec(folder, network, "optimizer adam", "schedule constant", "train 1 iterations batch=8")
    caught: list[State] = []

    class Watched(Stepper):
        def __init__(self, state: State, data: Data, unit: float) -> None:
            caught.append(state)
            super().__init__(state, data, unit)

    with no_fsync(), patch.object(training, "Stepper", Watched):
        api.train(str(folder / "net.nnspec"), folder / f"run{width}")
    return caught[0]


@experiment("memory is flat: from step 1,000 to step 10,000 of a run it grows by less than 32 KiB", soak=5)
def flat_memory(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of runs of 10,000 steps, with an evaluation and a save after every 500."""
    tally = Tally()
    write_data(folder)
    length = f"train 10000 iterations batch=8 evaluate_every={STEPS_AN_INTERVAL} seed={seed}"
    write_spec(folder, "dense 6 relu -> dropout 0.1 -> dense 3 softmax", "optimizer adam", "schedule cosine", length)
    for number in tries(count, seconds):
        sizes: dict[int, int] = {}

        def listen(event: Event, sizes: dict[int, int] = sizes) -> None:
            if event["event"] == "evaluation":
                gc.collect()
                sizes[event["step"]] = tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        with no_fsync():
            api.train(str(folder / "net.nnspec"), folder / f"run{number}", listen=listen)
        tracemalloc.stop()
        grown = max(sizes.values()) - sizes[2 * STEPS_AN_INTERVAL]
        tally.notes.append(f"{grown:,} bytes more at most")
        tally.count(grown < GROWTH and len(sizes) == 20, f"{sizes}")
    return tally
