"""An evaluation has the same bits whoever computes the lanes of its program."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.data import Split
from nnspec.runtime.execute import processors
from nnspec.runtime.infer.evaluation import evaluate, loss_and_outputs

SPECS = {
    "rows": "input 400\ndense 600 relu -> dense 10 softmax\nmetrics accuracy",
    "images": "input 28x28x1\nconv 3x3 x8 relu -> maxpool 2 -> dense 10 softmax\nmetrics accuracy",
    "places": "input 28x28x1\nconv 3x3 x8 relu pad=same -> conv 1x1 x3 softmax",
    "steps": "input 50x20 sequence\ngru 40 return=sequence -> dense 9 softmax",
}


@pytest.mark.parametrize("name", SPECS)
def test_threads_and_turns_give_the_same_loss_and_outputs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "STEP_WORTH_A_THREAD", 0)
    random, spec = np.random.default_rng(0), nnspec.check(SPECS[name])
    assert spec.input is not None and spec.output_shape is not None
    x = random.random((300, *spec.input), np.float32)
    split = Split(x, random.integers(0, spec.output_shape[-1], (300, *spec.output_shape[:-1])))
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(processors, "thread_count", lambda count=count: count)
        network = nnspec.compile(SPECS[name])
        found.append((*loss_and_outputs(network, split), evaluate(network, split)))
    for loss, outputs, measured in found[1:]:
        assert (loss, measured) == (found[0][0], found[0][2])
        assert outputs.tobytes() == found[0][1].tobytes()
