from typing import Any

import numpy as np
import pytest

from benchmarks.peers.ours import ROOT, spec
from benchmarks.workloads import (
    CYCLE,
    WORKLOADS,
    Workload,
    batches,
    chosen,
    raw,
    weights,
    with_channels_first,
)
from nnspec.spec_lang.check.spec_request import Request


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=str)
def test_the_reader_of_networks_agrees_with_the_language_about_every_shape(workload: Any) -> None:
    checked = Request(spec(workload)).check()
    assert [tuple(node.output_shape) for node in checked.nodes] == [layer.outputs for layer in workload.layers]
    expected = {name: parameter.shape for name, parameter in checked.parameters().items()}
    assert {name: weight.shape for name, weight in weights(workload).items()} == expected


def test_a_layer_that_no_peer_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="lstm"):
        _ = Workload("W", "train", "lstm 10 -> dense 2", 1).layers


def test_a_step_of_training_has_three_products_a_layer_but_two_for_the_first() -> None:
    trained = Workload("W", "train", "dense 10 relu -> dense 5 softmax", 2, "sgd lr=0.1")
    assert trained.flops == 2 * (2 * 2 * 784 * 10 + 3 * 2 * 10 * 5)


def test_a_convolution_multiplies_its_window_at_every_place() -> None:
    (conv,) = Workload("W", "predict", "conv 3x3 x8", 1).layers
    assert conv.flops == 26 * 26 * 2 * 9 * 8


def test_a_prediction_counts_the_forward_products_alone() -> None:
    predicted = Workload("W", "predict", "dense 10 softmax", 3)
    assert predicted.flops == 3 * 2 * 784 * 10


def test_a_name_chooses_all_sizes_of_a_workload_and_no_name_chooses_all() -> None:
    assert [workload.name for workload in chosen(["w3"])] == ["W3-1", "W3-64"]
    assert [workload.name for workload in chosen(["W7-cnn", "W7-cnn-1"])] == ["W7-cnn-1", "W7-cnn-256"]
    assert len(chosen([])) == len(WORKLOADS)


def test_an_unknown_workload_is_refused() -> None:
    with pytest.raises(KeyError, match="W99"):
        chosen(["W99"])


def test_an_optimizers_numbers_are_read_from_its_line() -> None:
    workload = WORKLOADS["W3-1"]
    assert (workload.optimizer_name, workload.option("beta")) == ("momentum", 0.9)
    assert workload.option("dampening") == 0.0


def test_batches_are_real_digits_from_0_to_1_and_their_number_is_bounded() -> None:
    x, y = batches(WORKLOADS["W1"])
    assert x.shape == (CYCLE, 1, 28, 28, 1) and x.dtype == np.float32
    assert y.shape == (CYCLE, 1)
    assert x.min() == 0 and 0.9 < x.max() <= 1
    large, _ = batches(WORKLOADS["W7-mlp-256"])
    assert large.shape == (16, 256, 28, 28, 1)


def test_more_samples_than_there_are_come_again() -> None:
    x, y = raw(5002)
    assert np.array_equal(x[:2], x[5000:]) and np.array_equal(y[:2], y[5000:])


def test_another_side_shows_digits_tiled_and_cut_off() -> None:
    small, _ = raw(1)
    large, _ = raw(1, side=40)
    cut, _ = raw(1, side=14)
    assert np.array_equal(large[0, 28:40, :28], small[0, :12])
    assert np.array_equal(cut[0], small[0, :14, :14])


def test_first_weights_are_the_same_each_time() -> None:
    first, again = weights(WORKLOADS["W4"]), weights(WORKLOADS["W4"])
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_rows_of_a_dense_weight_move_with_the_channels_of_the_image_they_read() -> None:
    _, _, dense = WORKLOADS["W3-1"].layers
    image = np.random.default_rng(0).random(dense.inputs)  # (height, width, channels)
    weight = np.random.default_rng(1).random(dense.weight_shape)
    moved = image.transpose(2, 0, 1).reshape(-1) @ with_channels_first(dense, weight)
    assert np.allclose(moved, image.reshape(-1) @ weight)


@pytest.mark.parametrize("name", ["W9", "W10"])
def test_a_workload_of_a_shipped_spec_has_its_network_optimizer_batch_and_augmentation(name: str) -> None:
    workload = WORKLOADS[name]
    text = (ROOT / workload.file).read_text(encoding="utf-8")
    assert f"optimizer {workload.optimizer}\n" in text
    assert f"batch={workload.batch}\n" in text
    assert ("augment" in text) == bool(workload.augment)
    assert workload.augment in text
    ours, shipped = Request(spec(workload)).check(), Request(text, {"input": "28x28x1"}).check()
    assert [node.layer for node in ours.nodes] == [node.layer for node in shipped.nodes]
