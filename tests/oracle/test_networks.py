"""Whole networks with blocks, repeats and branches against the same ones in PyTorch: the loss and every gradient."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from nnspec.runtime.arena import Arena
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import Batch, Both, Outcome, in_lanes

Tensors = Mapping[str, torch.Tensor]

RESIDUAL = """input 8x8x2
block res(w) = (
  conv 3x3 x$w pad=same bias=no -> batchnorm -> relu -> conv 3x3 x$w pad=same bias=no -> batchnorm + skip
) -> relu
conv 3x3 x4 -> maxpool 2 -> batchnorm -> relu -> repeat 2 (res 4) -> globalavgpool -> dense 3 softmax"""

INCEPTION = """input 8x7x3
block inception(a, b) = (
    conv 1x1 x$a relu
  | conv 1x1 x$b relu -> conv 3x3 x$b pad=same relu
  | conv 1x1 x2 -> conv 5x5 x2 pad=same tanh
  | maxpool 3 stride=1 pad=same -> conv 1x1 x$a
)
inception 2 3 -> maxpool 2 -> inception 3 2 -> avgpool 2 -> dense 4 softmax"""

LENET = Path(__file__).parents[2] / "specs" / "lenet5.nnspec"


def conv(x: torch.Tensor, p: Tensors, name: str, pad: int = 0) -> torch.Tensor:
    weight = p[f"{name}/weight"].permute(3, 2, 0, 1)
    return functional.conv2d(x, weight, p.get(f"{name}/bias"), padding=pad)


def norm(x: torch.Tensor, p: Tensors, name: str) -> torch.Tensor:
    return functional.batch_norm(x, None, None, p[f"{name}/weight"], p[f"{name}/bias"], training=True)


def dense(x: torch.Tensor, p: Tensors, name: str) -> torch.Tensor:
    """An image is flattened as the samples are: by rows, columns, channels."""
    rows = x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x
    return functional.linear(rows, p[f"{name}/weight"].T, p[f"{name}/bias"])


def residual(x: torch.Tensor, p: Tensors) -> torch.Tensor:
    x = torch.relu(norm(functional.max_pool2d(conv(x, p, "conv1"), 2), p, "batchnorm1"))
    for block in ("res1", "res2"):
        inside = torch.relu(norm(conv(x, p, f"{block}/conv1", 1), p, f"{block}/batchnorm1"))
        x = torch.relu(norm(conv(inside, p, f"{block}/conv2", 1), p, f"{block}/batchnorm2") + x)
    return dense(x.mean((2, 3)), p, "dense1")


def inception(x: torch.Tensor, p: Tensors) -> torch.Tensor:
    def block(x: torch.Tensor, name: str) -> torch.Tensor:
        branches = (
            torch.relu(conv(x, p, f"{name}/conv1")),
            torch.relu(conv(torch.relu(conv(x, p, f"{name}/conv2")), p, f"{name}/conv3", 1)),
            torch.tanh(conv(conv(x, p, f"{name}/conv4"), p, f"{name}/conv5", 2)),
            conv(functional.max_pool2d(x, 3, 1, 1), p, f"{name}/conv6"),
        )
        return torch.cat(branches, 1)

    x = block(functional.max_pool2d(block(x, "inception1"), 2), "inception2")
    return dense(functional.avg_pool2d(x, 2), p, "dense1")


def lenet(x: torch.Tensor, p: Tensors) -> torch.Tensor:
    """LeNet-5 on digits of 32x32."""
    x = functional.pad(x, (2, 2, 2, 2))
    assert x.shape[2:] == (32, 32)
    x = functional.avg_pool2d(torch.tanh(conv(x, p, "conv1")), 2)
    x = functional.avg_pool2d(torch.tanh(conv(x, p, "conv2")), 2)
    return dense(torch.tanh(dense(torch.tanh(dense(x, p, "dense1")), p, "dense2")), p, "dense3")


def theirs(both: Both, batch: Batch, answer: Callable[[torch.Tensor, Tensors], torch.Tensor]) -> Outcome:
    """The loss and the gradients of PyTorch, in one row as ours are."""
    arrays = both.network.parameter_arena
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    x = torch.tensor(batch.x).permute(0, 3, 1, 2)
    loss = functional.cross_entropy(answer(x, tensors), torch.tensor(batch.y))
    loss.backward()
    gradients = Arena(both.network.spec.parameters(), np.dtype("float64"))
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        gradients[name][...] = tensor.grad.numpy()
    return Outcome(float(loss.detach()), gradients.flat, both.network.buffer_arena.flat)


@pytest.mark.parametrize(
    ("both", "answer"),
    [
        (Both.of(RESIDUAL), residual),
        (Both.of(INCEPTION), inception),
        (Both.from_spec(Request(LENET).check(Shape((28, 28, 1)), 10)), lenet),
    ],
    ids=["residual", "inception", "lenet5"],
)
@pytest.mark.parametrize("size", [2, 5])
def test_a_step_is_pytorchs_as_it_is_defined_and_as_it_is_planned(
    both: Both, answer: Callable[[torch.Tensor, Tensors], torch.Tensor], size: int
) -> None:
    batch = both.batch(size)
    expected = theirs(both, batch, answer)
    lanes = in_lanes(both.rewritten(size))
    assert len(lanes.lanes) == 2
    for ours in (both.plain(batch), both.planned(batch), both.planned(batch, lanes)):
        assert ours.loss == pytest.approx(expected.loss, rel=1e-8)
        np.testing.assert_allclose(ours.gradients, expected.gradients, rtol=0, atol=1e-8)
