from pathlib import Path

import numpy as np

from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.source import Source

SPEC = "dense 10 softmax\ndata mnist_sample\ntrain 20 iterations batch=8 evaluate_every=10\noptimizer sgd lr=0.5"


def test_a_watcher_sees_the_weights_before_the_first_step_and_after_each_evaluation(tmp_path: Path) -> None:
    seen: list[np.ndarray] = []

    def watch(network: Network) -> None:
        seen.append(network.parameters["dense1/weight"].copy())

    run = train(Request(Source("spec", SPEC)), tmp_path / "run", watch=watch, until=10)
    assert len(seen) >= 2 and not np.array_equal(seen[0], seen[-1])
    assert np.array_equal(seen[-1], run.network.parameters["dense1/weight"])
    before = len(seen)
    run = resume(tmp_path / "run", watch=watch)
    assert np.array_equal(seen[before], seen[before - 1])  # it goes on with the weights of the stop
    assert np.array_equal(seen[-1], run.network.parameters["dense1/weight"])
