"""Weights of PyTorch's modules in the networks of specs: the same outputs, from a state_dict and from files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import nnspec
from nnspec.exchange.weights.files.safetensors import write_safetensors

TOLERANCE = 1e-12  # both in float64


class Stages(nn.Module):
    """Modules and a function of them: what the layers do between each other in nnspec."""

    def __init__(self, compute: Callable[..., torch.Tensor], **modules: nn.Module):
        super().__init__()
        self.compute = compute
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.compute(self, x)


def image_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 8, (2, 3), groups=2, bias=False),
        nn.PReLU(),
        nn.GroupNorm(2, 8),
        nn.Flatten(),
        nn.Dropout(),
        nn.BatchNorm1d(16),
        nn.PReLU(16),
        nn.Linear(16, 7),
        nn.Sigmoid(),
        nn.Linear(7, 3),
    )


def generator() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 48),
        nn.BatchNorm1d(48),
        nn.ReLU(),
        nn.Unflatten(1, (6, 2, 4)),
        nn.ConvTranspose2d(6, 4, 3, stride=2, groups=2),
        nn.InstanceNorm2d(4, affine=True),
        nn.Conv2d(4, 8, 2, groups=4),
        nn.Conv2d(8, 3, 1),
    )


def sequence_network() -> nn.Module:
    def compute(s: nn.Module, x: torch.Tensor) -> torch.Tensor:
        y = s.gru(s.lstm(s.embed(x))[0])[0]
        y = s.norm(s.attention(y, y, y, need_weights=False)[0])
        return s.out(s.rnn(y)[0][:, -1])

    return Stages(
        compute,
        embed=nn.Embedding(11, 4),
        lstm=nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True),
        gru=nn.GRU(10, 4, batch_first=True),
        attention=nn.MultiheadAttention(4, 2, batch_first=True),
        norm=nn.LayerNorm(4),
        rnn=nn.RNN(4, 3, 2, batch_first=True),
        out=nn.Linear(3, 2),
    )


def steps_network() -> nn.Module:
    return Stages(
        lambda s, x: s.out(torch.relu(s.norm(s.conv(x.transpose(1, 2)))).flatten(1)),
        conv=nn.Conv1d(2, 4, 3), norm=nn.BatchNorm1d(4), out=nn.Linear(16, 3),
    )  # fmt: skip


def row_of_steps() -> nn.Module:
    return Stages(
        lambda s, x: s.out(s.gru(x)[0].flatten(1)), gru=nn.GRU(2, 3, batch_first=True, bias=False), out=nn.Linear(18, 3)
    )


def branches() -> nn.Module:
    return Stages(
        lambda s, x: s.out(torch.cat([s.left(x).flatten(1), s.right(x.flatten(1))], 1)),
        left=nn.Conv2d(3, 2, 3), right=nn.Linear(108, 4), out=nn.Linear(36, 3),
    )  # fmt: skip


CASES = {
    "an image": (
        "input 6x6x3\nconv 3x3 x4 stride=2 pad=1 relu -> batchnorm -> conv 2x3 x8 groups=2 bias=no -> prelu "
        "-> groupnorm 2 -> flatten -> dropout 0.5 -> batchnorm -> prelu shared=no -> dense 7 sigmoid -> dense 3",
        image_network,
        (6, 6, 3),
    ),
    "a generator": (
        "input 6\ndense 48 -> batchnorm -> relu -> reshape 2x4x6 -> transposed 3x3 x4 stride=2 groups=2 "
        "-> instancenorm learned=yes -> separable 2x2 x3 multiplier=2",
        generator,
        (6,),
    ),
    "symbols": (
        "input 7\nembed 4 vocab=11 -> lstm 5 layers=2 return=sequence bidirectional=yes -> gru 4 return=sequence "
        "-> attention 2 -> layernorm -> rnn 3 return=sequence -> rnn 3 -> dense 2",
        sequence_network,
        (7,),
    ),
    "steps with channels first": (
        "input 6x2 sequence\nconv 3 x4 -> batchnorm -> relu -> flatten -> dense 3", steps_network, (6, 2),
    ),
    "steps with channels last": (
        "input 6x2 sequence\ngru 3 return=sequence bias=no -> flatten -> dense 3", row_of_steps, (6, 2),
    ),
    "branches": ("input 6x6x3\n(conv 3x3 x2 -> flatten | flatten -> dense 4) -> dense 3", branches, (6, 6, 3)),
}  # fmt: skip


def filled(module: nn.Module) -> nn.Module:
    """The module in float64 with random weights and running averages everywhere."""
    module = module.double().eval()
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2) if "running_var" in name else nn.init.normal_(tensor, 0, 0.5)
    return module


def samples(shape: tuple[int, ...], symbols: bool) -> np.ndarray:
    random = np.random.default_rng(4)
    return random.integers(0, 11, (5, *shape)) if symbols else random.normal(size=(5, *shape))


def answers(module: nn.Module, x: np.ndarray) -> np.ndarray:
    given = torch.as_tensor(x).movedim(-1, 1) if x.ndim == 4 else torch.as_tensor(x)
    with torch.no_grad():
        out = module(given)
    return np.asarray((out.movedim(1, -1) if out.ndim == 4 else out).numpy())


@pytest.mark.parametrize("name", CASES)
def test_a_network_computes_what_its_module_does(name: str) -> None:
    torch.manual_seed(1)
    spec, make, shape = CASES[name]
    module = filled(make())
    x = samples(shape, "vocab" in spec)
    imported = nnspec.import_weights(spec, module.state_dict(), dtype="float64")
    if name == "branches":  # a flattened image beside a convolution of it: both orders meet in the last layer
        assert imported.steps[-2].how.startswith("transposed, rows from channels, rows, columns")
    assert np.abs(imported.network.predict(x) - answers(module, x)).max() < TOLERANCE
    named = [name for step in imported.steps for name in step.theirs]
    floats = {name for name, tensor in module.state_dict().items() if tensor.is_floating_point()}
    assert set(named) == floats  # every array of the file is in the table


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_files_are_as_the_state_dict(suffix: str, tmp_path: Path) -> None:
    spec, make, _ = CASES["an image"]
    module = filled(make())
    path = tmp_path / f"w{suffix}"
    if suffix == ".safetensors":
        path.write_bytes(write_safetensors({k: v.numpy() for k, v in module.state_dict().items()}, {"format": "pt"}))
    else:
        torch.save(module.state_dict(), path)
    from_file, direct = nnspec.import_weights(spec, path), nnspec.import_weights(spec, module.state_dict())
    assert from_file.network.to_bytes() == direct.network.to_bytes()


def test_the_weights_in_a_checkpoint_of_a_training_are_found(tmp_path: Path) -> None:
    module = nn.Linear(3, 2)
    torch.save(
        {"epoch": 3, "model_state_dict": module.state_dict(), "optimizer_state_dict": {"lr": 1.0}}, tmp_path / "c.pt"
    )
    imported = nnspec.import_weights("input 3\ndense 2", tmp_path / "c.pt")
    assert any(
        "the weights are its 'model_state_dict'; left out: epoch, optimizer_state_dict" in n for n in imported.notes
    )


@pytest.mark.parametrize(
    "spec",
    [
        "input 6x6x2\nconv 3x3 x4 relu -> batchnorm -> flatten -> dense 5 relu -> dense 3 softmax",
        "input 7\nembed 4 vocab=11 -> lstm 5 return=sequence -> gru 3 bidirectional=yes -> dense 2",
        "input 8x4 sequence\n(attention 2 + skip) -> layernorm -> globalavgpool -> dense 2",
    ],
)
def test_a_module_that_was_written_for_pytorch_comes_back(spec: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    network = nnspec.compile(spec, seed=3)
    nnspec.export(network, "torch", tmp_path / "net")
    imported = nnspec.import_weights(spec, tmp_path / "net.safetensors")
    for name, array in {**network.parameters, **network.buffers}.items():
        assert np.array_equal({**imported.network.parameters, **imported.network.buffers}[name], array), name


def test_what_is_left_over_in_a_file_is_said() -> None:
    arrays = {"a.weight": np.ones((2, 3)), "a.bias": np.ones(2), "other.weight": np.ones(4)}
    imported = nnspec.import_weights("input 3\na: dense 2", arrays)
    assert "left over in the file: other.weight" in imported.notes


def test_a_whole_module_in_a_file_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2), tmp_path / "whole.pt")
    with pytest.raises(nnspec.ExchangeError, match="is not a file of weights alone"):
        nnspec.import_weights("input 3\ndense 2", tmp_path / "whole.pt")
