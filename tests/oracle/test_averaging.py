"""The average of the weights against PyTorch's AveragedModel, step by step."""

import numpy as np
import pytest

from nnspec.runtime.train.averaging import update
from nnspec.spec_lang.vocabulary.statements import Ema
from tests.contracts.runs import checked, data_for, stepper_of

torch = pytest.importorskip("torch")


def test_the_average_is_that_of_pytorchs_averaged_model() -> None:
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    spec = checked("input 4\ndense 5 relu -> batchnorm -> dense 3 softmax\nema decay=0.8 warmup=no")
    state = stepper_of(spec, data_for(spec)).state
    assert state.averaged is not None
    flat = state.network.parameter_arena.flat
    theirs = torch.nn.Linear(flat.size, 1, bias=False)
    random = np.random.default_rng(0)
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(flat.copy()))
    averaged = AveragedModel(theirs, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    averaged.update_parameters(theirs)  # the first is a copy, as ours is of the initial weights
    for step in range(1, 12):
        flat += random.normal(size=flat.size).astype(np.float32)
        with torch.no_grad():
            theirs.weight.copy_(torch.from_numpy(flat.copy()))
        averaged.update_parameters(theirs)
        update(Ema(decay=0.8, warmup=False), state.averaged, state.network, step)
        expected = averaged.module.weight.detach().numpy().ravel()
        np.testing.assert_allclose(state.averaged.parameter_arena.flat, expected, rtol=1e-5, atol=1e-6)
