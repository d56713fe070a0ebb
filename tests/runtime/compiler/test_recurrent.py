"""Recurrent layers in programs: what the contract of every layer does not reach, because its layers are small."""

import numpy as np
import pytest

from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.compiler.kernels._products import QUICK
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.layers import Mode
from tests.runtime.compiler.both import CLOSE, Both, assert_close

WIDE = [("rnn", 300, 1), ("gru", 150, 3), ("lstm", 130, 4)]


@pytest.mark.parametrize(("word", "units", "gates"), WIDE)
def test_a_product_that_is_cut_into_rows_is_the_product(word: str, units: int, gates: int) -> None:
    batch = 2 * (QUICK // (units * units * gates)) + 3
    both = Both.of(f"input 4 -> onehot vocab=9 -> {word} {units} return=sequence -> dense 9 softmax", "float64")
    schedule = both.rewritten(batch, frozenset({"lanes"}))
    (lane,) = assemble(schedule, "float64", False).lanes.values()
    last = f"[{2 * -(-batch // 3)}:{batch}]"
    assert f"np.dot({word}1_h_t{last}, {word}1_hidden_weight, out={word}1_product{last})" in lane.text
    both.assert_planned_is_plain(schedule, *both.schedules(batch))


@pytest.mark.parametrize(
    "layer", ["rnn 5", "rnn 5 relu", "gru 4", "gru 4 bias=no", "lstm 3", "lstm 3 layers=2", "gru 2 layers=3"]
)
def test_a_state_that_is_carried_moves_on_as_it_is_defined_to(layer: str) -> None:
    both = Both.of(f"input 6x2 -> {layer} return=sequence -> {layer} -> dense 3 softmax", "float64")
    network, schedule = both.network, both.rewritten(4, training=False)
    states = [
        {node.name: np.zeros((4, node.layer.carries(node.input_shape))) for node in network.spec.nodes[:2]}
        for _ in "ab"
    ]
    first, second = both.batch(4), both.batch(4, seed=1)
    arrays = network.parameter_arena.flat, None, network.buffer_arena.flat
    plan = assemble(schedule, "float64", False)
    bound = BoundProgram(plan, *arrays, first.x.dtype, None, None, None, states[0], executor=IN_TURN)
    for batch in (first, second):
        logits, _ = network.program.forward(batch.x, Mode(states=states[1]))
        plain = network.program.with_head(logits)
        bound.samples[...] = batch.x
        assert_close(bound(), plain, CLOSE["float64"])
    for name, state in states[0].items():
        assert state.any(), name
        assert_close(state, states[1][name], CLOSE["float64"])
