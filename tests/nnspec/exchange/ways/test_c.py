"""Networks in C: every layer, merge and shipped spec computes what the network does, under sanitizers."""

import re
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnspec
from nnspec.exchange.trial import trial_of
from nnspec.exchange.ways.c import AGREEMENT, difference, in_float64, says, toolchain
from nnspec.exchange.ways.c.calibration import measured, multipliers, quantum
from nnspec.exchange.ways.c.kernels import definitions, needed
from nnspec.exchange.ways.c.layers import C_LAYERS
from nnspec.exchange.ways.c.lower import UNPADDED, lowered
from nnspec.exchange.ways.c.lower8 import lowered_int8
from nnspec.exchange.ways.c.program import identifier
from nnspec.runtime.infer.drawn import drawn_samples
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.registry import layers, words
from tests.nnspec.exchange.ways.c_together import Prepared, answers_of
from tests.support.shipped_specs import with_its_data
from tests.support.spec_texts import cases
from tests.support.strategies import examples, networks

needs_compiler = pytest.mark.skipif(toolchain.compiler() is None, reason="no C compiler is on PATH")

SPECS = Path(__file__).parents[4] / "specs"

REFUSED = ("avgpool 2", "crop 1", "groupnorm 1", "instancenorm", "maxpool 2", "pad 1", "upsample 2")
"""Layers that are refused where they read symbols, which may be padded."""

MERGED = (
    "input 4x5x2 -> (conv 1x1 x3 | conv 3x3 x2 pad=same relu | skip) -> dense 3",
    "input 4x5x2 -> (conv 1x1 x2 + conv 3x3 x2 pad=same relu + skip) -> dense 3",
    "input 4x5x2 -> relu -> (skip + skip + conv 1x1 x2) -> relu -> dense 3",
    "input 4x5x2 -> (conv 1x1 x3 * conv 3x3 x3 pad=same tanh) -> dense 3",
    "input 4x5x2 -> conv 1x1 x3 -> (globalavgpool -> dense 3 sigmoid * skip) -> dense 3",
    "input 6x3 sequence -> (skip * globalmaxpool * dense 3) -> rnn 4 -> dense 1",
    "input 5 -> (dense 3 | dense 4 relu) -> (skip + dense 7) -> dense 2 softmax",
    "input 5 -> (skip + skip)\nloss mse",
    "input 6 -> embed 3 vocab=5 -> (gru 2 return=sequence | conv 3 x2 pad=same) -> lstm 3 bidirectional=yes -> dense 2",
)
"""Networks with branches."""

FOLDED = (
    "input 5x6x2 -> conv 3x3 x4 bias=no -> batchnorm -> relu -> depthwise 3x3 -> batchnorm -> dense 3",
    "input 5x6x2 -> separable 3x3 x4 -> batchnorm -> dense 6 bias=no -> batchnorm -> dense 2",
    "input 5x6x2 -> conv 3x3 x4 relu -> batchnorm -> transposed 2x2 x3 stride=2 -> batchnorm -> dense 2",
    "input 5x6x2 -> (conv 1x1 x2 -> batchnorm + skip) -> batchnorm -> dense 2",
    "input 6x3 sequence -> dense 4 -> batchnorm -> conv 2 x3 -> batchnorm -> gru 2 -> dense 1",
)
"""Networks with a batch normalization after layers that it can be part of, and after others."""

LONG = (
    "input 9 -> embed 3 vocab=5 -> conv 3 x4 stride=2 relu -> gru 3 layers=2 return=sequence -> globalavgpool",
    "input 9 -> embed 3 vocab=5 -> conv 4 x4 -> attention 2 causal=yes -> globalmaxpool -> dense 2 softmax",
    "input 9 -> embed 3 vocab=5 -> transposed 2 x4 stride=2 -> lstm 3 reverse=yes -> dense 2",
    "input 9 -> embed 3 vocab=5 -> positions learned -> layernorm -> attention 3 -> rnn 3 relu bidirectional=yes",
)
"""Networks over symbols, which are padded."""

IN_INT8 = (
    "input 8x8x2 -> conv 3x3 x4 pad=same relu -> maxpool 2 -> conv 3 x6 gelu -> avgpool 2 -> flatten -> dense 5 tanh",
    "input 8x8x4 -> depthwise 3 multiplier=2 pad=same relu -> (conv 1x1 x4 + conv 3x3 x4 pad=same) -> relu -> dense 2",
    "input 8x8x4 -> conv 3 x4 -> pad 1 -> crop 1x0 -> upsample 2 -> permute 2 1 3 -> globalavgpool -> dense 3 softmax",
    "input 8x8x4 -> conv 2 x4 groups=2 dilation=2 pad=same -> (conv 1x1 x4 relu | skip | conv 3 x2 pad=same sigmoid)"
    " -> globalmaxpool -> dropout 0.1 -> dense 4 leaky_relu -> dense 3",
    "input 7x3 sequence -> conv 3 x4 relu -> dense 5 -> avgpool 2 -> dense 2",
)
"""Networks of which every layer is computed in int8."""

PARTLY = {
    "layernorm1": "input 5 -> dense 4 -> layernorm -> dense 3",
    "rnn1": "input 5x2 sequence -> dense 4 -> rnn 3 -> dense 1",
    "separable1": "input 5x6x2 -> separable 3x3 x4 -> dense 2",
    "add1": "input 5 -> dense 3 -> (skip + dense 3 + dense 3) -> dense 2",
    "upsample1": "input 4x4x1 -> conv 3 x2 -> upsample 2 mode=bilinear -> dense 2",
}
"""Networks with a layer that stays in float32, by its name."""


def shaken(network: Network, seed: int = 3) -> Network:
    """The network with biases, statistics and slopes that are not those it begins with."""
    random = np.random.default_rng(seed)
    network.set_parameters({n: a + random.normal(0, 0.05, a.shape) for n, a in network.parameters.items()})
    statistics = network.buffers.items()
    changed = {n: random.uniform(0.5, 2, a.shape) if n.endswith("var") else a + 0.3 for n, a in statistics}
    network.set_buffers(changed)
    return network


def samples_of(network: Network, count: int = 6) -> np.ndarray:
    """Drawn samples in float32; of symbols, each is padded by one more than the one before, and one is all padding."""
    samples = drawn_samples(network, count).astype(np.float32)
    if lowered(network).count_padding:
        for number in range(1, count - 1):
            samples[number, -number:] = -1
        samples[-1] = -1
    return samples


def check(networks: list[Network], samples: list[np.ndarray], folder: Path) -> None:
    """All networks in one file of C agree with themselves in float64, or are as near as rounding lets float32 be."""
    prepared = [
        Prepared(lowered(network, f"n{i}_"), x, (network.spec.output_shape or nnspec.Shape(())).size)
        for i, (network, x) in enumerate(zip(networks, samples, strict=True))
    ]
    for network, x, found in zip(networks, samples, answers_of(prepared, folder), strict=True):
        exact = in_float64(network, x)
        rounding = difference(network.predict(x), exact)
        assert difference(found, exact) <= max(AGREEMENT, 2 * rounding), network.spec.title


@needs_compiler
def test_every_layer_of_the_language_computes_its_examples_in_c(tmp_path: Path) -> None:
    cases = [case for name in sorted(layers()) for case in examples(name)]
    texts = [f"input {case.shape.written()} -> {case.text}\nloss mse" for case in cases]
    networks = [shaken(nnspec.compile(text, seed=1)) for text in texts]
    check(networks, [samples_of(network) for network in networks], tmp_path)


@needs_compiler
@pytest.mark.parametrize("texts", [MERGED, FOLDED, LONG], ids=["merged", "folded", "padded"])
def test_networks_of_several_layers_compute_in_c(texts: tuple[str, ...], tmp_path: Path) -> None:
    networks = [shaken(nnspec.compile(text, seed=1)) for text in texts]
    check(networks, [samples_of(network) for network in networks], tmp_path)


@needs_compiler
@cases(1)
@given(texts=st.lists(networks(), min_size=15, max_size=15, unique=True))
def test_random_networks_compute_in_c(texts: list[str]) -> None:
    found, samples = [], []
    for text in texts:
        network = shaken(nnspec.compile(text, seed=1))
        with suppress(nnspec.ExchangeError):  # a layer over symbols that is refused
            samples.append(samples_of(network, 4))
            found.append(network)
    with TemporaryDirectory() as folder:
        check(found, samples, Path(folder))


@needs_compiler
def test_every_shipped_spec_computes_in_c(tmp_path: Path) -> None:
    paths = [with_its_data(path, tmp_path) for path in sorted(SPECS.glob("*.nnspec"))]
    networks = [nnspec.compile(path, seed=1) for path in paths]
    check(networks, [trial_of(network).samples[:2].astype(np.float32) for network in networks], tmp_path)


@needs_compiler
def test_layers_in_int8_compute_what_the_network_does_within_what_int8_costs(tmp_path: Path) -> None:
    texts = [*IN_INT8, *PARTLY.values(), *FOLDED, *LONG[:2]]
    networks = [shaken(nnspec.compile(text, seed=1)) for text in texts]
    found, left = [], []
    for i, network in enumerate(networks):
        made, names = lowered_int8(network, measured(network, drawn_samples(network, 200, seed=5)), f"n{i}_")
        outputs = int(np.prod(network.spec.output_shape or ()))
        found.append(Prepared(made, samples_of(network), outputs))
        left.append(names)
    assert left[: len(IN_INT8)] == [[]] * len(IN_INT8)
    assert [name for names in left[len(IN_INT8) : len(IN_INT8) + len(PARTLY)] for name in names] == list(PARTLY)
    for network, each, answers in zip(networks, found, answers_of(found, tmp_path), strict=True):
        assert 0 < difference(answers, network.predict(each.samples)) < 0.08, network.spec.title


@needs_compiler
def test_int8_is_calibrated_on_the_training_data_and_says_what_it_costs(tmp_path: Path) -> None:
    spec = "conv 3x3 x4 relu -> maxpool 4 -> dense 10 softmax\ndata mnist_sample"
    network = nnspec.train(spec, settings={"train.epochs": 1}, out=tmp_path / "run", seed=1).network
    whole = nnspec.export(network, "c", tmp_path / "net")
    made = nnspec.export(network, "c", tmp_path / "small", int8=True)
    sizes = [int(note.split()[0].replace(",", "")) for note in (whole.notes[0], made.notes[0])]
    assert sizes[1] < 0.4 * sizes[0]
    said = made.notes[1]
    assert said.startswith("float32 -> int8 on 1,000 samples of the test split: accuracy 0.")
    before, after = (float(number) for number in re.findall(r"0\.\d+", said)[:2])
    assert abs(before - after) < 0.02
    assert _self_test(tmp_path, "small.c", "SMALL") == 0


def test_int8_needs_training_data_a_compiler_and_a_layer_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = nnspec.compile("input 3 -> dense 2")
    with pytest.raises(nnspec.ExchangeError, match="the data of this network are not here"):
        nnspec.export(network, "c", tmp_path / "net", int8=True)
    if toolchain.compiler() is not None:
        alone = nnspec.compile("rnn 3 -> relu\ndata sine\nloss mse")
        with pytest.raises(nnspec.ExchangeError, match="this network has none: leave int8 out"):
            nnspec.export(alone, "c", tmp_path / "net", int8=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(nnspec.ExchangeError, match="cc, gcc or clang is not on the PATH"):
        nnspec.export(nnspec.compile("dense 2\ndata sine"), "c", tmp_path / "net", int8=True)


@pytest.mark.parametrize("factor", [0.3, 1.0, 3e-9, 7.7, 0.0])
def test_a_multiplier_and_a_shift_are_a_factor(factor: float) -> None:
    whole, shifts = multipliers(np.array([factor]))
    assert 1 <= shifts[0] <= 62
    assert float(whole[0]) / 2.0 ** int(shifts[0]) == pytest.approx(factor, rel=1e-9)


def test_a_quantum_has_zero_as_a_number_of_its_own() -> None:
    for low, high in ((-1.0, 3.0), (0.5, 2.0), (-4.0, -1.0), (0.0, 0.0)):
        scale, zero = quantum(low, high)
        assert -128 <= zero <= 127 and scale > 0
        assert (-128 - zero) * scale <= min(low, 0) + scale and (127 - zero) * scale >= max(high, 0) - scale


def test_every_word_goes_out_or_is_refused() -> None:
    both = {**layers(), **words("merge")}
    known = {cls for cls in both.values() if issubclass(cls, Layer)}
    assert set(C_LAYERS) == known
    assert {layer.split()[0] for layer in REFUSED} == set(UNPADDED) == {cls.word for cls in known if "not" in says(cls)}


@pytest.mark.parametrize("layer", REFUSED)
def test_what_is_not_computed_in_c_is_refused_by_name(layer: str, tmp_path: Path) -> None:
    network, word = nnspec.compile(f"input 6 -> embed 3 vocab=5 -> {layer} -> rnn 2 -> dense 1"), layer.split()[0]
    with pytest.raises(nnspec.ExchangeError, match=f"{word}1: {word} over symbols"):
        nnspec.export(network, "c", tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_a_weight_that_is_nan_is_refused_by_name(tmp_path: Path) -> None:
    network = nnspec.compile("input 3 -> dense 2")
    network.set_parameters({"dense1/bias": np.array([0, np.nan])})
    with pytest.raises(nnspec.ExchangeError, match="dense1/bias has a number that is NaN"):
        nnspec.export(network, "c", tmp_path / "net")


@needs_compiler
def test_the_files_test_themselves(tmp_path: Path) -> None:
    network = nnspec.compile("input 8x8x1 -> conv 3x3 x2 relu -> maxpool 2 -> dense 3 softmax", seed=1)
    made = nnspec.export(network, "c", tmp_path / "9 is-odd.c")
    assert [path.name for path in made.paths] == ["9 is-odd.c", "9 is-odd.h"]
    assert "compiled and run on 64 samples" in made.notes[1]
    made = nnspec.export(network, "c", tmp_path / "net")
    assert _self_test(tmp_path, "net.c", "NET") == 0
    text = (tmp_path / "net.c").read_text()
    (tmp_path / "net.c").write_text(text.replace("a += x[i] * w[i]", "a += x[i] + w[i]"))
    assert _self_test(tmp_path, "net.c", "NET") == 1


def _self_test(folder: Path, name: str, upper: str) -> int:
    path = toolchain.compiler()
    assert path is not None
    command = [path, *toolchain.FLAGS, f"-D{upper}_SELFTEST", name, "-o", "it", "-lm"]
    subprocess.run(command, cwd=folder, check=True, timeout=100)
    return subprocess.run([folder / "it"], timeout=100, capture_output=True, check=False).returncode


def test_without_a_compiler_the_files_are_written_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = nnspec.export(nnspec.compile("input 3 -> dense 2"), "c", tmp_path / "net")
    assert "not compiled: cc, gcc or clang is not on the PATH" in made.notes[1]
    assert made.notes[0] == "32 bytes of constants in flash, 0 bytes of buffers in RAM"


@needs_compiler
def test_c_that_computes_something_else_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = dict(definitions())
    wrong["dot"] = wrong["dot"].replace("a += x[i] * w[i]", "a += x[i] + w[i]")
    monkeypatch.setattr("nnspec.exchange.ways.c.kernels.definitions", lambda: wrong)
    with pytest.raises(nnspec.ExchangeError, match="the C differs from the network by"):
        nnspec.export(nnspec.compile("input 3 -> dense 2", seed=1), "c", tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_samples_that_lose_digits_as_float_are_told_of(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(1e9, 10, (200, 2))
    spec = "dense 2 softmax\ndata arrays normalize=zscore"
    targets = (x[:, 0] > 1e9).astype(int)
    network = nnspec.train(spec, tmp_path / "run", {"train.epochs": 1}, data=(x, targets)).network
    assert any(
        "samples lose digits as float" in note for note in nnspec.export(network, "c", tmp_path / "net", x).notes
    )


def test_a_kernel_brings_what_it_calls_and_nothing_else() -> None:
    text = "\n".join(needed(["apply_silu"]))
    assert "static float sigmoid" in text and "softplus" not in text


def test_names_become_identifiers() -> None:
    assert [identifier(name) for name in ("mnist_cnn", "9 is-odd", "é")] == ["mnist_cnn", "n9_is_odd", "network"]
