"""Every layer, merge, activation and shipped spec as an ONNX file, run by ONNX Runtime. Skipped where it is missing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import nnspec
from nnspec import Network
from nnspec.exchange.ways.onnx import LIMITS
from nnspec.exchange.ways.onnx.model import model_bytes
from nnspec.exchange.ways.onnx.network import graph_of
from nnspec.exchange.ways.onnx.running import TOLERANCE, difference, session
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.contracts.test_merges import BRANCHES
from tests.support.random_networks import compiled, fill, samples_for, text_of
from tests.support.shipped_specs import with_its_data
from tests.support.spec_texts import ROOT, cases, specs
from tests.support.strategies import examples, networks

SPECS = sorted((ROOT / "specs").glob("*.nnspec"))
SYMBOLS = "input 9 -> embed 4 vocab=5"
"""Sequences of symbols, which may be padded at their ends."""

PADDED = (
    *("conv 3 x4 pad=same", "conv 3 x4 stride=2 pad=1 -> conv 3 x2 -> lstm 3 return=sequence", "depthwise 3 pad=2x0"),
    *("separable 3 x4", "transposed 3 x4 stride=2 pad=1", "maxpool 2", "maxpool 3 stride=2 pad=1", "avgpool 2"),
    *("maxpool 3 stride=1 pad=same", "maxpool 3 stride=2 ceil_mode=yes", "avgpool 3 stride=2 pad=1"),
    *("globalavgpool", "globalmaxpool", "groupnorm 2", "instancenorm", "instancenorm learned=yes", "layernorm"),
    *("batchnorm", "pad 2", "pad 2x0", "crop 1", "crop 2x0", "upsample 2", "attention 2", "attention 2 causal"),
    *("positions -> attention 1 causal -> dense 3", "permute 2 1", "permute 2 1 sequence -> gru 3", "lstm 3"),
    *("reshape 18x2 sequence -> gru 3", "flatten -> dense 3 softmax", "lstm 3 return=sequence", "rnn 4 relu"),
    *("lstm 3 return=sequence bidirectional=yes", "lstm 3 bidirectional=yes layers=2", "maxpool 2 -> lstm 3"),
    *("gru 3 return=sequence reverse=yes", "gru 3 layers=2 return=sequence", "crop 1 -> lstm 3", "softmax"),
    "rnn 3 relu return=sequence bidirectional=yes -> dense 2 softmax",
    "conv 3 x4 stride=2 -> maxpool 2 -> groupnorm 2 -> gru 2 bidirectional=yes return=sequence",
    *("(lstm 4 return=sequence * globalavgpool)", "(lstm 4 return=sequence | skip) -> dense 2"),
    *("dense 5 softmax as=embed1", "globalmaxpool -> dense 5 softmax as=embed1", "dense 4 -> prelu shared=no"),
)
"""Layers after an embedding, over sequences that are padded."""

REFUSED = {
    "maxpool 3 stride=2 pad=same": "where its windows begin",
    "avgpool 3 pad=1 count_include_pad=no": "how many cells",
    "avgpool 3 stride=2 ceil_mode=yes": "how many cells",
    "pad 1 mode=edge": "mode=edge copies the end",
    "pad 1 mode=reflect": "mode=reflect copies the end",
    "crop to=4": "to= cuts the middle out",
    "upsample 2 mode=bilinear": "it interpolates up to the end",
}
"""What a file cannot say over sequences that may be padded, and the reason."""


def differs(network: Network, samples: Array, answers: Array) -> float:
    """How much the file of a network differs from these answers, as a part of their scale."""
    graph = graph_of(network)
    run, _ = session(model_bytes(graph, "a_test", "0", {}))
    (port,) = graph.inputs
    return difference(run({port.name: samples.astype(port.dtype)})[0], answers, network)


def check(text: str, batch: int = 3) -> None:
    """Compare the file of a network of random arrays with the plain program, which defines it."""
    network = compiled(text)
    samples = samples_for(network, batch)
    answers = network.program.outputs(network.preprocessing.apply(samples, network.dtype))
    assert differs(network, samples, answers) <= TOLERANCE, text


@pytest.mark.parametrize("name", sorted(layers()))
def test_every_layer_goes_out_in_all_its_examples(name: str) -> None:
    for case in examples(name):
        check(text_of(written(case.word), case.shape))


def test_the_layers_with_limits_are_those_that_are_refused_here() -> None:
    assert {text.split()[0] for text in REFUSED} == set(LIMITS)


def _branch(shape: Shape) -> str:
    return f"dense {shape.size} -> reshape {shape.written()}" if len(shape) > 1 else f"dense {shape.size}"


@pytest.mark.parametrize("sign", sorted(words("merge")))
@pytest.mark.parametrize("convolved", [False, True], ids=["as they come", "channels first"])
def test_every_merge_goes_out_on_all_branches_that_it_takes(sign: str, convolved: bool) -> None:
    tried = 0
    for shapes in BRANCHES:
        branches = [_branch(shape) for shape in shapes]
        if convolved:
            window = {1: "", 2: " -> conv 1 x{}", 3: " -> conv 1x1 x{}"}
            branches[0] += window[len(shapes[0])].format(shapes[0][-1])
        try:
            nnspec.compile(f"input 5 -> ({f' {sign} '.join(branches)})")
        except nnspec.SpecError:
            continue
        check(f"input 5 -> ({f' {sign} '.join(branches)})")
        tried += 1
    assert tried > 3


@pytest.mark.parametrize("end", PADDED)
def test_padded_sequences_are_computed_by_their_lengths(end: str) -> None:
    check(f"{SYMBOLS} -> {end}", 12)


@pytest.mark.parametrize(
    "start", ["onehot vocab=4 -> gru 3", "dropout 0.2 -> embed 3 vocab=3", "dense 9 -> embed 3 vocab=4"]
)
def test_symbols_are_read_as_they_come_or_as_the_nearest_whole_numbers(start: str) -> None:
    check(f"input 9 -> {start}", 12)
    check(f"input 9 -> ({start} -> flatten | dense 3)", 12)


@pytest.mark.parametrize("layer", REFUSED)
def test_what_depends_on_the_length_of_a_padded_sequence_is_refused_by_name(layer: str, tmp_path: Path) -> None:
    word = layer.split()[0]
    with pytest.raises(nnspec.ExchangeError, match=rf"^{word}1 cannot be written for ONNX: {REFUSED[layer]}"):
        nnspec.export(compiled(f"{SYMBOLS} -> {layer} -> globalmaxpool"), "onnx", tmp_path / "net")
    assert not list(tmp_path.iterdir())
    check(f"input 9x4 sequence -> {layer} -> globalmaxpool")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_goes_out(path: Path, tmp_path: Path) -> None:
    here = with_its_data(path, tmp_path)
    seen = set()
    for variant in (None, *nnspec.check(here).variants):
        network = nnspec.compile(here, variant=variant, seed=1)
        if str(network.program.graph) in seen:
            continue
        seen.add(str(network.program.graph))
        fill(network)
        samples = samples_for(network, 3)
        assert differs(network, samples, network.predict(samples)) <= TOLERANCE


@pytest.mark.parametrize("pool", ["maxpool", "avgpool"])
@pytest.mark.parametrize("window", ["1x1 stride=1 pad=0x0x0x1", "2 stride=3 pad=1", "3 stride=2 pad=1x0x0x2"])
def test_windows_that_would_begin_in_the_padding_are_left_out(pool: str, window: str) -> None:
    network = compiled(f"input 6x5x2 -> {pool} {window} ceil_mode=yes -> softmax")
    samples = samples_for(network, 3)
    assert differs(network, samples, network.predict(samples)) <= TOLERANCE


@given(networks() | specs())
@settings(cases(25), suppress_health_check=list(HealthCheck))
def test_random_networks_go_out_or_are_refused_by_name(text: str) -> None:
    network = compiled(text)
    samples = samples_for(network, 3)
    answers = network.predict(samples)
    try:
        found = differs(network, samples, answers)
    except nnspec.ExchangeError as error:
        assert any(reason in str(error) for reason in REFUSED.values())
        return
    exact = nnspec.compile(text, dtype="float64")
    exact.set_parameters(network.parameters)
    exact.set_buffers(network.buffers)
    rounding = difference(answers, exact.predict(samples), network)  # of many random layers, whose logits are large
    assert found <= max(TOLERANCE, 4 * rounding)


def test_numbers_of_float64_go_out_in_float32() -> None:
    network = compiled("input 6x6x2 -> conv 3x3 x4 tanh -> batchnorm -> dense 3 softmax", dtype="float64")
    samples = samples_for(network, 5)
    assert 0 < differs(network, samples, network.predict(samples)) <= TOLERANCE
    assert np.float64 not in {array.dtype.type for array in graph_of(network).arrays.values()}
