"""What the page asks of a network, against what the Python interface says."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import nnspec
from nnspec.runtime.explain.trace import trace
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.train.spec_and_data import network_data
from nnspec.studio.arrays import MOST_NUMBERS, numbers
from tests.nnspec.studio.conftest import Asked

RUN = "runs/digits"


def unpacked(found: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(found["numbers"]), "<f4").reshape(found["sent"])


def drawn(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels.reshape(28, 28).astype(np.uint8)).save(content, "PNG")
    return content.getvalue()


def test_belief_and_occlusion_are_those_of_the_network(trained: Asked, digits: Path) -> None:
    network = nnspec.load(digits)
    image = np.asarray(network_data(network).test.inputs[:1])
    found = trained.send(f"/api/runs/belief/{RUN}?window=5", drawn(image), **{"Content-Type": "image/png"}).json()
    expected = class_probabilities(network.predict(image))[0]
    assert np.allclose(found["probabilities"], expected, atol=1e-6)
    label = int(expected.argmax())
    maps = nnspec.occlude(network, image, [label], window=5)
    assert found["occlusion"]["label"] == str(label) and np.shape(found["occlusion"]["map"]) == maps.shape[1:]
    assert found["occlusion"]["lowest"] == pytest.approx(maps.min(), abs=1e-5)
    alone = trained.send(f"/api/runs/belief/{RUN}?window=0", drawn(image), **{"Content-Type": "image/png"}).json()
    assert "occlusion" not in alone and alone["probabilities"] == found["probabilities"]


def test_a_trace_has_every_number_of_both_passes(trained: Asked, digits: Path) -> None:
    network = nnspec.load(digits)
    test = network_data(network).test
    expected = trace(network, np.asarray(test.inputs[3:4])[0], test.targets[3])
    found = trained.get(f"/api/runs/trace/{RUN}?split=test&index=3").json()
    assert found["loss"] == pytest.approx(expected.loss) and found["target"] == str(int(test.targets[3]))
    assert [stage["name"] for stage in found["stages"]] == [stage.name for stage in expected.stages]
    for shown, stage in zip(found["stages"], expected.stages, strict=True):
        assert np.array_equal(unpacked(shown["output"]), stage.output)
        assert (shown["gradient"] is None) == (stage.gradient is None)
        if stage.gradient is not None:
            assert np.array_equal(unpacked(shown["gradient"]), stage.gradient)
        for parameter in shown["parameters"]:
            value, gradient = stage.parameters[parameter["name"]]
            assert np.array_equal(unpacked(parameter["value"]), value)
            assert gradient is not None and np.array_equal(unpacked(parameter["gradient"]), gradient)


def test_a_drawing_has_a_backward_pass_once_it_is_said_what_it_is_of(trained: Asked) -> None:
    png, kind = drawn(np.eye(28) * 255), {"Content-Type": "image/png"}
    assert trained.send(f"/api/runs/trace/{RUN}", png, **kind).json()["loss"] is None
    told = trained.send(f"/api/runs/trace/{RUN}?label=7", png, **kind).json()
    assert told["loss"] > 0 and told["target"] == "7" and told["stages"][-2]["gradient"] is not None
    assert trained.send(f"/api/runs/trace/{RUN}?label=x", png, **kind).status_code == 422


def test_samples_and_their_mistakes_are_those_of_the_split(trained: Asked, digits: Path) -> None:
    network = nnspec.load(digits)
    test = network_data(network).test
    assert test is not None
    predicted = network.predict(np.asarray(test.inputs)).argmax(-1)
    found = trained.get(f"/api/runs/samples/{RUN}?start=5&count=3").json()
    assert (found["split"], found["total"]) == ("test", len(test))
    assert [sample["index"] for sample in found["samples"]] == [5, 6, 7]
    assert [sample["predicted"] for sample in found["samples"]] == [str(each) for each in predicted[5:8]]
    assert np.array_equal(unpacked(found["samples"][0]["values"]), np.asarray(test.inputs[5:6])[0])
    wrong = trained.get(f"/api/runs/samples/{RUN}?mistakes=1&count=60").json()
    assert [sample["index"] for sample in wrong["samples"]] == np.flatnonzero(predicted != test.targets)[:60].tolist()
    assert trained.get(f"/api/runs/samples/{RUN}?start=100000").json()["samples"] == []


def test_features_are_the_outputs_of_the_layers(trained: Asked, digits: Path) -> None:
    network = nnspec.load(digits)
    test = network_data(network).test
    found = trained.get(f"/api/runs/features/{RUN}?index=2").json()
    assert [layer["name"] for layer in found["layers"]] == ["input", "maxpool1", "dense1", "output"]
    assert np.allclose(unpacked(found["layers"][-1]["values"]), network.predict(np.asarray(test.inputs[2:3]))[0])


def test_a_table_has_samples_features_and_a_trace_and_no_pen(asked: Asked, folder: Path, flowers: Path) -> None:
    import shutil

    shutil.copytree(flowers.parent, folder / "runs" / "made")
    shutil.copytree(flowers, folder / "flowers")
    about = asked.get("/api/runs/about/flowers").json()
    assert not about["draws"] and about["features"] == ["a", "b"] and about["classes"] == ["u", "v", "w"]
    assert asked.get("/api/runs/weights/flowers").json()["whole"] is False
    refused = asked.send("/api/runs/belief/flowers", drawn(np.eye(28)), **{"Content-Type": "image/png"})
    assert refused.status_code == 422 and "does not take pictures" in refused.json()["error"]


def test_a_run_whose_data_are_gone_says_so_and_still_draws_its_weights(
    asked: Asked, folder: Path, prices: Path
) -> None:
    import shutil

    shutil.copytree(prices, folder / "prices")
    refused = asked.get("/api/runs/samples/prices")
    assert refused.status_code == 422 and "prices.csv" in refused.json()["error"]
    assert not asked.get("/api/runs/about/prices").json()["draws"]
    assert asked.get("/api/runs/weights/prices").json()["layer"] == "dense1"


def test_the_specs_of_two_runs_are_compared(trained: Asked, folder: Path, digits: Path) -> None:
    nnspec.train("maxpool 7 -> dense 10 softmax", folder / "other", {"train.epochs": 1}, data="mnist_sample")
    found = trained.get(f"/api/runs/differences/{RUN}?other=other").json()
    assert any("4" in str(one["before"]) and "7" in str(one["after"]) for one in found), found
    assert trained.get(f"/api/runs/differences/{RUN}?other={RUN}").json() == []
    assert trained.get(f"/api/runs/differences/{RUN}?other=../x").status_code == 403
    assert "maxpool 4" in trained.get(f"/api/runs/spec/{RUN}").json()["text"]


def test_a_large_array_is_sent_in_part_and_says_what_all_of_it_is() -> None:
    array = np.arange(300 * 300 * 8, dtype=np.float64).reshape(300, 300, 8)
    found = numbers(array)
    assert found is not None and found["shape"] == [300, 300, 8] and found["high"] == array.max()
    assert np.array_equal(unpacked(found), array[..., :1])
    for odd in (np.float32(3), np.array([np.nan, np.inf]), np.zeros(0), np.zeros((MOST_NUMBERS, 2)), np.zeros(2**20)):
        made = numbers(np.asarray(odd))
        assert made is not None and unpacked(made).size <= MOST_NUMBERS
