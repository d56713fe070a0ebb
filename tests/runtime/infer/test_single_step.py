"""Networks one step at a time."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.single_step import SingleStepNetwork

TEXT = "input 6x2\n{}\ninit xavier"


@pytest.mark.parametrize(
    "layers",
    [
        "lstm 3 return=sequence -> gru 2 return=sequence -> dense 1",
        "conv 1 x4 tanh -> dropout 0.5 -> rnn 3 return=sequence -> layernorm -> dense 1",
        "lstm 3 layers=3 dropout=0.2 return=sequence -> gru 2 layers=2 recurrent_dropout=0.4 return=sequence",
        "(rnn 3 return=sequence | lstm 2 return=sequence) -> batchnorm -> dense 2 tanh",
    ],
)
def test_step_after_step_gives_what_the_whole_sequence_gives(layers: str) -> None:
    network = nnspec.compile(TEXT.format(layers), dtype="float64")
    x = np.random.default_rng(1).normal(size=(2, 6, 2))
    step = SingleStepNetwork(network)
    for sequence, answers in zip(x, network.predict(x), strict=True):
        step.restart()
        np.testing.assert_allclose([step(point) for point in sequence], answers, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("lstm 3 reverse=yes return=sequence -> dense 1", "lstm1 reads from the end"),
        ("flatten -> dense 1", "needs all steps at once"),
        ("conv 3 x2 -> dense 1", "needs all steps at once"),
        ("conv 3 x2 pad=same -> dense 1", "needs all steps at once for conv1"),
        ("dropout 0.5 -> conv 1 x2 stride=2 -> rnn 2", "needs all steps at once for conv1"),
        ("rnn 3 return=sequence -> globalavgpool -> dense 1", "needs all steps at once for globalavgpool1"),
    ],
)
def test_what_needs_all_steps_at_once_is_told(layers: str, said: str) -> None:
    with pytest.raises(nnspec.NetworkError, match=said):
        SingleStepNetwork(nnspec.compile(TEXT.format(layers)))
