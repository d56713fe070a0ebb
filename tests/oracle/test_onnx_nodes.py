"""Networks of one layer against ONNX's own node tests. Without the package onnx they are skipped."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx.backend.test.loader import load_model_tests

import nnspec
from nnspec.runtime.layers import Mode, build
from nnspec.runtime.losses import build_loss
from nnspec.spec_lang.vocabulary.losses import CrossEntropy
from tests.oracle.onnx_nodes import OPERATORS, CannotSay, Case, Said

FEWEST = 140
"""Cases that can be said, of the earliest version of onnx that these tests are run with."""


@cache
def cases() -> tuple[dict[str, tuple[Case, Said]], dict[str, str]]:
    """The cases of the operators in the table: those that can be said, and for each other the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of its own examples overflow
        tests = load_model_tests(kind="node")
    said, not_said = {}, {}
    for test in tests:
        nodes = list(test.model.graph.node) if test.model is not None else []
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
            continue
        try:
            case = Case.of(test)
            said[test.name] = case, OPERATORS[case.operator](case)
        except CannotSay as reason:
            not_said[test.name] = str(reason)
    return said, not_said


def test_most_cases_can_be_said() -> None:
    said, not_said = cases()
    assert len(said) >= FEWEST, not_said


@pytest.mark.parametrize("name", cases()[0])
def test_the_answers_are_onnxs(name: str) -> None:
    case, said = cases()[0][name]

    def close(ours: Any, theirs: Any) -> None:
        np.testing.assert_allclose(ours, theirs, rtol=max(case.rtol, 1e-5), atol=max(case.atol, 1e-6))

    network = nnspec.compile(said.spec)
    parameters = {key if "/" in key else f"{network.spec.nodes[0].name}/{key}": a for key, a in said.arrays.items()}
    network.set_parameters({key: parameters[key].astype(np.float32) for key in network.parameters})
    if said.targets is not None:
        loss, _ = build_loss(CrossEntropy())(said.samples.astype(np.float64), said.targets)
        close(loss, said.expected)
        return
    if network.buffers:
        network.set_buffers({key: parameters[key].astype(np.float32) for key in network.buffers})
    if said.training:
        (node,) = network.spec.nodes
        arrays = {key: array.copy() for key, array in said.arrays.items()}
        y, _ = build(node.layer, node.input_shape, arrays)(said.samples, Mode(training=True))
        close(arrays["running_mean"], case.outputs[1])  # its running variance is of the population, here as in PyTorch
    else:
        y = network.predict(said.samples)[said.shown]
    close(y, said.expected)
