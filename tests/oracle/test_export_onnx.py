"""The ONNX file itself: names, types, metadata, states, and what is refused. Skipped where the packages are missing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
import onnxruntime

import nnspec
from nnspec import Network
from nnspec.exchange.ways.onnx import running
from nnspec.runtime.arrays import Array
from tests.support.random_networks import compiled, samples_for

CONVOLUTIONS = (
    "input 12x12x2 -> conv 3x3 x4 relu -> maxpool 2 -> b: conv 3x3 x4 -> batchnorm -> relu -> dense 3 softmax"
)
TEXT = "input 9 -> embed 4 vocab=5 -> lstm 6 return=sequence -> gru 5 layers=2 return=sequence -> dense 5 softmax"


def written(network: Network, folder: Path, **options: bool) -> onnx.ModelProto:
    """The file of a network, read again."""
    return onnx.load(nnspec.export(network, "onnx", folder / "net", **options).paths[0])


def answers(model: onnx.ModelProto, x: Array) -> Array:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: Array = session.run(["output"], {"input": x})[0]
    return found


def test_the_file_says_what_it_is_and_bears_the_names_of_the_network(tmp_path: Path) -> None:
    model = written(compiled(CONVOLUTIONS), tmp_path)
    assert model.ir_version == 10 and [(o.domain, o.version) for o in model.opset_import] == [("", 21)]
    assert model.producer_name == "nnspec" and model.producer_version == nnspec.__version__
    nodes = {node.name: node.op_type for node in model.graph.node}
    assert {
        "conv1": "Conv",
        "conv1.relu": "Relu",
        "b": "Conv",
        "maxpool1": "MaxPool",
        "dense1": "Gemm",
    }.items() <= nodes.items()
    arrays = {array.name: tuple(array.dims) for array in model.graph.initializer}
    assert arrays["conv1.weight"] == (4, 2, 3, 3) and arrays["b.bias"] == (4,) and arrays["dense1.weight"] == (36, 3)
    assert [node.doc_string for node in model.graph.node] == [""] * len(nodes) and str(tmp_path) not in str(model)


def test_axes_are_turned_where_their_order_changes_and_not_around_each_layer(tmp_path: Path) -> None:
    operators = [node.op_type for node in written(compiled(CONVOLUTIONS), tmp_path).graph.node]
    assert operators.count("Transpose") == 2
    residual = (
        "input 8x8x3 -> (conv 3x3 x3 pad=same relu -> conv 3x3 x3 pad=same + skip) -> upsample 2 -> globalavgpool"
    )
    operators = [node.op_type for node in written(compiled(residual), tmp_path).graph.node]
    assert operators.count("Transpose") == 1
    stacked = "input 9x3 sequence -> lstm 4 return=sequence -> layernorm -> gru 3 -> dense 2"
    operators = [node.op_type for node in written(compiled(stacked), tmp_path).graph.node]
    assert operators.count("Transpose") == 1


def test_any_number_of_samples_is_answered(tmp_path: Path) -> None:
    for text in (CONVOLUTIONS, TEXT):
        network = compiled(text)
        model = written(network, tmp_path)
        assert [axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim][:1] == ["batch"]
        for count in (1, 2, 33):
            x = samples_for(network, count)
            x = x if x.dtype.kind == "i" else x.astype(np.float32)
            np.testing.assert_allclose(answers(model, x), network.predict(x), atol=1e-5)


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        files.append(nnspec.export(compiled(TEXT), "onnx", tmp_path / name).paths[0].read_bytes())
    assert files[0] == files[1]


def test_raw_samples_go_in_and_answers_come_out_in_the_units_of_the_targets(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(80, 3)) * [1, 20, 300] + [5, -40, 0]
    y = np.stack([x @ [1, 2, 3] * 100 + 7, x @ [3, 0.1, 0] - 2000], axis=1)
    spec = "dense 8 tanh -> dense 2\ndata arrays normalize=zscore\ntrain 3 epochs batch=16"
    network = nnspec.train(spec, data=(x, y)).network
    assert network.preprocessing.target_scaling is not None and network.preprocessing.normalize == "zscore"
    model = written(network, tmp_path)
    found = answers(model, x.astype(np.float32))
    np.testing.assert_allclose(found, network.predict(x), rtol=1e-4, atol=1e-3 * np.abs(y).max(axis=0).min())
    quantiles = nnspec.train(
        f"{spec.replace('dense 2', 'dense 6')}\nloss quantile at=0.1, 0.5, 0.9", data=(x, y)
    ).network
    np.testing.assert_allclose(
        answers(written(quantiles, tmp_path), x.astype(np.float32)), quantiles.predict(x), rtol=1e-4, atol=0.1
    )


def test_numbers_that_float32_would_round_too_much_go_in_as_float64(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(60, 2)) * [3, 1] + [2000, 0]
    spec = "dense 4 tanh -> dense 2 softmax\ndata arrays normalize=zscore\ntrain 1 epochs"
    network = nnspec.train(spec, data=(x, (x[:, 1] > 0).astype(int))).network
    made = nnspec.export(network, "onnx", tmp_path / "net")
    assert "input float64 (batch, 2)" in made.notes[0]
    np.testing.assert_allclose(answers(onnx.load(made.paths[0]), x), network.predict(x), atol=1e-5)


def test_classes_columns_and_the_spec_are_in_the_metadata(tmp_path: Path) -> None:
    table = "width,height,kind\n" + "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "table.csv").write_text(table)
    data = f'csv "{tmp_path / "table.csv"}" target=kind split=60/20/20'
    spec = f"dense 4 relu -> dense 2 softmax\ndata {data}\ntrain 1 epochs"
    network = nnspec.train(spec, seed=1).network
    model = written(network, tmp_path)
    props = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(props["classes"]) == ["a", "b"] and json.loads(props["features"]) == ["width", "height"]
    assert props["nnspec_version"] == nnspec.__version__ and props["task"] == "classification"
    assert 'csv "table.csv"' in props["spec"] and str(tmp_path) not in str(model)
    text = compiled(TEXT)
    text = Network(text.spec, replace(text.preprocessing, vocabulary=tuple("abcd\n")))
    props = {entry.key: entry.value for entry in written(text, tmp_path).metadata_props}
    assert json.loads(props["vocabulary"]) == ["a", "b", "c", "d", "\n"]


def test_with_state_a_sequence_comes_in_parts_of_any_length(tmp_path: Path) -> None:
    network = compiled(TEXT)
    model = written(network, tmp_path, state=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    assert names == ["input", "lstm1.h", "lstm1.c", "gru1.h", "gru1.layer2_h"]
    assert [port.name for port in session.get_outputs()] == ["output", *(f"{name}.next" for name in names[1:])]
    x = samples_for(network, 4)
    states = [np.zeros((4, 6 if name.startswith("lstm") else 5), np.float32) for name in names[1:]]
    made = []
    for step in range(9):
        output, *states = session.run(None, dict(zip(names, [x[:, step : step + 1], *states], strict=True)))
        made.append(output)
    np.testing.assert_allclose(np.concatenate(made, axis=1), network.predict(x), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("input 9x2 sequence -> lstm 3 bidirectional=yes", "lstm1 reads from the end"),
        ("input 9x2 sequence -> dense 3", "no recurrent layer"),
        ("input 9 -> embed 4 vocab=5 -> attention 2 causal -> dense 3", "all steps at once for attention1"),
    ],
)
def test_a_state_that_there_is_not_is_refused(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(nnspec.ExchangeError, match=f"{why}(.|\n)*leave --state out"):
        written(compiled(text), tmp_path, state=True)
    assert not list(tmp_path.iterdir())


def test_a_file_with_other_answers_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TOLERANCE", 0.0)
    with pytest.raises(nnspec.ExchangeError, match="ONNX Runtime has other answers than the network, by"):
        written(compiled(CONVOLUTIONS), tmp_path)
    network = compiled("input 3 -> dense 2")
    network.set_parameters({"dense1/bias": np.array([np.nan, 0])})
    monkeypatch.setattr(running, "TOLERANCE", 1e-5)
    with pytest.raises(nnspec.ExchangeError, match="other answers"):
        written(network, tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_onnx_runtime_the_reference_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "runtime_is_installed", lambda: False)
    for text in (CONVOLUTIONS, TEXT, "input 5x2 sequence -> gru 3 -> dense 2"):
        said = nnspec.export(compiled(text), "onnx", tmp_path / "net").notes[1]
        unable = "ONNX's reference evaluator cannot run it" in said  # an old one, recurrent layers
        assert said.startswith("ONNX's reference evaluator agrees with the network on 4 samples") or unable
        assert not unable or text != CONVOLUTIONS
