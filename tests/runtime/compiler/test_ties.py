"""Programs of networks whose layers share weights: the planned step is the plain one."""

import pytest

from tests.runtime.compiler.both import Both

SHARING = [
    "input 6\nembed 8 vocab=11 -> lstm 8 return=sequence -> dense 11 softmax as=embed1",
    "input 6\nembed 8 vocab=11 -> gru 8 -> dense 11 softmax as=embed1",
    "input 12 -> dense 5 tanh -> dense 12 as=dense1",
    "input 12 -> dense 5 tanh bias=no -> dense 12 as=dense1 bias=no",
    "input 5 -> dense 5 relu -> dense 5 relu as=dense1 -> dense 5 as=dense1 -> dense 3 softmax",
    "input 6x4 -> gru 4 layers=2 return=sequence -> gru 4 layers=2 as=gru1 -> dense 3 softmax",
    "input 8x8x3\nconv 3x3 x3 pad=same relu -> conv 3x3 x3 pad=same as=conv1 -> maxpool 2 -> dense 3 softmax",
    "input 6x4\nconv 3 x4 pad=same -> conv 3 x4 pad=same as=conv1 -> layernorm -> dense 4 -> dense 4 as=dense1",
]


@pytest.mark.parametrize("text", SHARING)
def test_a_step_of_layers_that_share_weights_is_the_plain_one(text: str) -> None:
    both = Both.of(text, "float64")
    both.assert_planned_is_plain(both.rewritten(7), *both.schedules(7))


def test_single_samples_of_plain_sgd_are_no_block_where_weights_are_shared() -> None:
    both = Both.of("input 200 -> dense 60 relu -> dense 200 as=dense1\noptimizer sgd lr=0.1\ntrain batch=1", "float64")
    assert "blocks" not in both.rewritten(1).applied
