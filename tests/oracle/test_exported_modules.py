"""Modules for PyTorch: every layer, merge and shipped spec goes out and computes the same, or is refused by name."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.exchange.export import Leaving, ways
from nnspec.exchange.ways.torch import difference
from nnspec.runtime.infer.drawn import drawn_samples
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import Both
from tests.runtime.compiler.test_kernels import CASES, MERGES, OVER_TIME
from tests.support.shipped_specs import with_its_data
from tests.support.strategies import Case

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

SPECS = sorted(Path("specs").glob("*.nnspec"))

REFUSED = {
    OVER_TIME[-1]: "maxpool1: maxpool over texts of different lengths",
}
"""Networks that cannot go, and why."""


def exported(network: Network, folder: Path) -> Any:
    """The written file, as a module of Python; the way out has run it already and compared it."""
    samples = drawn_samples(network, 6)
    if network.preprocessing.input_shape and network.program.graph.nodes and np.issubdtype(samples.dtype, np.integer):
        samples[1, samples.shape[1] // 2 :] = -1  # padding
    made = ways()["torch"].make(Leaving(network, "net", samples))
    for suffix, content in made.content.items():
        (folder / f"net{suffix}").write_bytes(content)
    return runpy.run_path(str(folder / "net.py"))


def random_network(text: str, shape: Shape | None = None) -> Network:
    return Both.of(text, "float32", shape).network


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_layer_computes_the_same_in_pytorch(case: Case, tmp_path: Path) -> None:
    exported(random_network(case.text, case.shape), tmp_path)


@pytest.mark.parametrize("sign", words("merge"))
@pytest.mark.parametrize("text", MERGES)
def test_every_merge_computes_the_same_in_pytorch(text: str, sign: str, tmp_path: Path) -> None:
    exported(random_network(text.format(sign)), tmp_path)


@pytest.mark.parametrize("text", OVER_TIME)
def test_windows_over_time_compute_the_same_in_pytorch_or_are_refused_by_name(text: str, tmp_path: Path) -> None:
    if text in REFUSED:
        with pytest.raises(nnspec.ExchangeError, match=REFUSED[text]):
            exported(random_network(text), tmp_path)
    else:
        exported(random_network(text), tmp_path)


PADDED = (
    "input 9 -> embed 4 vocab=5 -> {} 3 return=sequence -> dense 5 softmax",
    "input 9 -> embed 4 vocab=5 -> {} 3 -> dense 5 softmax",
    "input 9 -> onehot vocab=5 -> {} 3 reverse=yes return=sequence -> dense 5 softmax",
    "input 9 -> embed 4 vocab=5 -> {} 3 layers=2 bidirectional=yes -> dense 5 softmax",
)


@pytest.mark.parametrize("word", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("text", PADDED)
def test_padded_steps_leave_the_state_as_it_is(text: str, word: str, tmp_path: Path) -> None:
    exported(random_network(text.format(word)), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "input 9 -> embed 4 vocab=5 -> batchnorm -> attention 2 -> globalavgpool -> dense 5 softmax",
        "input 9 -> embed 4 vocab=5 -> conv 3 x4 relu -> globalmaxpool -> dense 5 softmax",
        "input 9 -> e: embed 4 vocab=5 -> lstm 4 return=sequence -> dense 5 as=e softmax",
        "input 6 -> a: dense 6 relu -> b: dense 6 as=a -> dense 6 as=a softmax",
        "input 6x6x2 -> forward: conv 3x3 x2 pad=same -> class: conv 3x3 x2 pad=same as=forward -> dense 3",
        "input 6 -> a: dense 6 relu -> batchnorm -> dense 3 softmax\nfreeze a",
        "input 6x5x2 -> batchnorm -> conv 3x3 x2 -> batchnorm -> dense 3\nfreeze batchnorm*",
    ],
)
def test_padding_ties_names_and_frozen_layers_go_along(text: str, tmp_path: Path) -> None:
    exported(random_network(text), tmp_path)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_computes_the_same_in_pytorch(path: Path, tmp_path: Path) -> None:
    exported(nnspec.compile(with_its_data(path, tmp_path), seed=1), tmp_path)


@pytest.mark.parametrize("loss", words("loss"))
def test_a_module_trains_on_with_the_loss_that_its_file_names(loss: str, tmp_path: Path) -> None:
    """The line of the file's first comment, executed: a step of SGD lowers it, and it is nnspec's own loss."""
    head = {"softmax": " softmax", "sigmoid": " sigmoid"}.get(words("loss")[loss]().head, "")
    both = Both.of(f"input 4 -> dense 8 tanh -> dropout 0.5 -> dense 3{head}\nloss {loss}", "float32")
    file = exported(both.network, tmp_path)
    (line,) = (line for line in file["__doc__"].splitlines() if line.strip().startswith("loss = "))
    if "…" in line:
        assert loss in line
        return
    batch = both.batch(6)
    module = file["load"]().double()
    classes = both.network.spec.loss.classes
    space = {"F": torch.nn.functional, "module": module, "x": torch.from_numpy(batch.x)}
    space["y"] = torch.from_numpy(batch.y.astype(np.int64 if classes else np.float64))
    exec(line.strip(), space)
    expected, _ = both.network.loss_and_gradients(batch.x, batch.y)
    assert space["loss"].item() == pytest.approx(expected, rel=1e-4)
    before = space["loss"].item()
    space["loss"].backward()
    torch.optim.SGD(module.parameters(), lr=0.01).step()
    exec(line.strip(), space)
    assert space["loss"].item() < before
    module.train()
    assert not torch.equal(module(space["x"]), module(space["x"])), "dropout draws"


def test_preprocessing_target_scaling_and_class_names_are_inside(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(2000, 3, (40, 4))
    y = x.sum(axis=1, keepdims=True) * 10
    run = nnspec.train("dense 8 tanh -> dense 1\ndata arrays normalize=zscore\ntrain 2 epochs", data=(x, y))
    module = exported(run.network, tmp_path)["load"]()
    with torch.no_grad():
        assert difference(module(torch.from_numpy(x)).numpy(), run.network.predict(x)) < 1e-5


def test_a_module_is_written_where_pytorch_is_missing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = nnspec.compile("input 4 -> dense 3 softmax", seed=1)
    whole = nnspec.export(network, "torch", tmp_path / "whole")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    made = nnspec.export(network, "torch", tmp_path / "net")
    assert "was not run" in made.notes[0] and made.paths[1].read_bytes() == whole.paths[1].read_bytes()
