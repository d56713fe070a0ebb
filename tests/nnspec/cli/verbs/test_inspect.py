"""nnspec inspect."""

import hashlib
from pathlib import Path

from nnspec import api
from tests.nnspec.conftest import DIGITS, Command


def test_json_has_spec_counters_history_environment_and_every_array(nnspec: Command, digits: Path) -> None:
    shown = nnspec("inspect", digits, "--json").json
    assert shown["format_version"] == 1 and shown["checkpoint"] == str(digits / "last.h5")
    assert shown["spec"] == DIGITS and shown["resolved"].startswith("network network\ninput 28x28x1\n")
    assert (shown["counters"]["step"], shown["counters"]["epoch"]) == (282, 2)
    assert shown["history"]["validation_accuracy"]["step"] == 282
    assert 0.5 < shown["history"]["validation_accuracy"]["value"] <= 1
    assert {"numpy", "blas", "machine"} <= set(shown["environment"])
    assert shown["preprocessing"] == {
        "normalize": "zscore", "task": "classification", "input_shape": [28, 28, 1],
        "classes": [str(digit) for digit in range(10)],
    }  # fmt: skip


def test_arrays_are_told_with_shapes_and_digests(nnspec: Command, digits: Path) -> None:
    arrays = {array["name"]: array for array in nnspec("inspect", digits, "--json").json["arrays"]}
    weight = api.load(digits / "last.h5").parameters["dense1/weight"]
    assert arrays["weights/dense1/weight"] == {
        "name": "weights/dense1/weight", "dtype": "<f4", "shape": [490 // 10, 10],
        "sha256": hashlib.sha256(weight.tobytes()).hexdigest(),
    }  # fmt: skip
    assert {"data/order", "optimizer/sum/dense1/bias", "best/weights/dense1/weight"} <= set(arrays)


def test_a_person_reads_the_same(nnspec: Command, digits: Path) -> None:
    shown = nnspec("inspect", digits / "best.h5")
    assert (shown.code, shown.err) == (0, "")
    assert "28x28x1, zscore, classification, 10 classes" in shown.out
    assert "dense1: dense 10 softmax" in shown.out
    assert any(line.split()[:3] == ["weights/dense1/bias", "10", "<f4"] for line in shown.out.splitlines())


def test_a_checkpoint_that_is_not_whole_is_not_shown(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.h5").write_bytes((digits / "last.h5").read_bytes()[:-1])
    failed = nnspec("inspect", "cut.h5", "--json")
    assert (failed.code, failed.out) == (1, "") and "cut.h5: " in failed.err
    assert nnspec("inspect", "none.h5").code == 2
