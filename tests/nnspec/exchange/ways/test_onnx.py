"""Networks as graphs of ONNX's operators: what needs no package onnx. tests/oracle runs the files."""

import sys
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.exchange.export import ways
from nnspec.exchange.ways.onnx import LIMITS
from nnspec.exchange.ways.onnx.graph import GraphFile, Layout, Value
from nnspec.exchange.ways.onnx.layers import LAYERS, MERGES
from nnspec.exchange.ways.onnx.network import graph_of
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.random_networks import compiled, text_of
from tests.support.strategies import examples


@pytest.mark.parametrize("name", sorted(layers()))
def test_every_layer_becomes_a_graph_whose_tensors_are_all_made_before_they_are_read(name: str) -> None:
    for case in list(examples(name))[:3]:
        graph = graph_of(compiled(text_of(written(case.word), case.shape)))
        known = {port.name for port in graph.inputs} | set(graph.arrays) | {""}
        for operation in graph.operations:
            assert known.issuperset(operation.inputs), str(case)
            assert not known & set(filter(None, operation.outputs)), str(case)
            known.update(operation.outputs)
        assert known.issuperset(port.name for port in graph.outputs)
        assert len({operation.name for operation in graph.operations}) == len(graph.operations)


def test_every_word_has_a_function_and_every_function_a_word() -> None:
    assert all(any(base in LAYERS for base in cls.__mro__) for cls in layers().values())
    assert set(LAYERS) <= set(layers().values()) and set(MERGES) == set(words("merge").values())
    says = ways()["onnx"].says
    assert says is not None
    assert {word for word, cls in layers().items() if issubclass(cls, Layer) and says(cls) != "yes"} == set(LIMITS)


def test_a_layer_without_a_function_is_refused_by_its_name(tmp_path: Path) -> None:
    with LAYERS.temporary():
        del LAYERS._functions[Dense]
        with pytest.raises(nnspec.ExchangeError, match="middle cannot be written for ONNX: nothing says what dense is"):
            graph_of(compiled("input 4 -> middle: dense 3 relu"))


def test_two_arrays_of_one_name_stay_apart_and_equal_ones_are_one() -> None:
    graph = GraphFile()
    first = graph.constant("a", np.ones(3))
    assert graph.constant("a", np.ones(3)) == first
    assert graph.constant("a", np.zeros(3)) != first and graph.integers("a", [1, 1, 1]) not in (first, "a_")
    assert [graph.add("Relu", [first], "conv1") for _ in range(2)] == ["conv1", "conv1.2"]


def test_a_value_is_turned_once_into_each_order_of_axes() -> None:
    graph = GraphFile()
    image = Value(Shape((4, 5, 3)), Layout.LAST, {Layout.LAST: "x"})
    assert graph.tensor(image, Layout.LAST) == "x"
    turned = graph.tensor(image, Layout.FIRST)
    assert graph.tensor(image, Layout.FIRST) == turned and len(graph.operations) == 1
    assert graph.operations[0].attributes == {"perm": [0, 3, 1, 2]}
    steps = Value(Shape((4, 3)), Layout.STEPS, {Layout.STEPS: "y"})
    graph.tensor(steps, Layout.FIRST)
    assert graph.operations[1].attributes == {"perm": [1, 2, 0]}
    row = Value(Shape((3,)), Layout.FIRST, {Layout.FIRST: "z"})
    assert graph.tensor(row, Layout.LAST) == "z"


def test_weights_that_two_layers_share_are_in_the_file_once() -> None:
    graph = graph_of(compiled("input 9 -> embed 4 vocab=5 -> dropout 0.5 -> dense 5 softmax as=embed1"))
    assert [name for name, array in graph.arrays.items() if array.size == 20] == ["embed1.weight"]


def test_without_the_package_the_error_has_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        nnspec.ExchangeError, match=r"needs onnx, which is not installed\n  help: pip install 'nnspec\[onnx\]'"
    ):
        nnspec.export(compiled("input 3 -> dense 2"), "onnx", tmp_path / "net")
    assert not list(tmp_path.iterdir())
