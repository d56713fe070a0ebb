"""A last layer without its number of outputs takes that of the data's classes or targets."""

from pathlib import Path

import numpy as np
import pytest

from nnspec import api
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.report.errors import SpecError
from tests.support.spec_findings import error_of, spec_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype(np.float32)
CLASSES = np.arange(60) % 3
LENGTH = "\ntrain 1 epochs"


@pytest.mark.parametrize(
    ("network", "targets", "outputs"),
    [
        ("dense softmax", CLASSES, 3),
        ("dense -> softmax", CLASSES, 3),
        ("dense softmax", np.array(["p", "q", "r", "s"])[np.arange(60) % 4], 4),
        ("dense softmax", CLASSES + 1, 3),
        ("dense sigmoid", CLASSES % 2, 1),
        ("dense sigmoid", RANDOM.integers(0, 2, (60, 5)), 5),
        ("dense -> sigmoid", np.array(["no", "yes"])[CLASSES % 2], 1),
        ("dense", X[:, 0], 1),
        ("dense", X[:, :2], 2),
        ("block head(w) = dense $w relu -> dense softmax\nhead 8", CLASSES, 3),
    ],
)
def test_its_outputs_are_those_of_the_targets(network: str, targets: np.ndarray, outputs: int) -> None:
    run = api.train(network + LENGTH, data=(X, targets), seed=1)
    assert run.network.spec.output_shape == (outputs,)
    assert spec_of(canonical_text(run.network.spec)).output_shape == (outputs,)


def test_a_run_keeps_the_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,k\n" + "".join(f"{n % 7},{n % 5},{'pqr'[n % 3]}\n" for n in range(60)))
    (tmp_path / "a.nnspec").write_text(
        'data csv "a.csv" target=k\ndense softmax\ntrain 1 epochs\nvariant wide {\n  dense 8 relu -> dense softmax\n}\n'
    )
    api.train(tmp_path / "a.nnspec", out=tmp_path / "run")
    assert "dense 3 softmax" in (tmp_path / "run" / "resolved.nnspec").read_text()
    assert api.load(tmp_path / "run").spec.output_shape == (3,)
    folds = api.cross_validate(tmp_path / "a.nnspec", 2, out=tmp_path / "folds", variant="wide")
    assert [run.network.spec.output_shape for run in folds.runs] == [(3,), (3,)]


def test_it_is_known_from_the_data_line_alone() -> None:
    assert spec_of("data mnist_sample\ndense 8 relu -> dense softmax").output_shape == (10,)


@pytest.mark.parametrize(
    "network",
    [
        "dense sigmoid",
        "dense -> sigmoid",
        "(dense) -> sigmoid",
        "block last() = dense\nlast -> sigmoid",
        "dense\nloss binary_hinge",
    ],
)
def test_labels_of_two_classes_have_one_output(network: str) -> None:
    for classes, outputs in ((2, 1), (3, 3)):
        assert spec_of(f'data npz "a.npz"\n{network}', shape=(4,), classes=classes).output_shape == (outputs,)


def test_without_data_it_is_open_and_said_where_it_is_needed() -> None:
    spec = spec_of("input 4\ndense 8 relu -> dense softmax")
    assert spec.nodes == () and spec.classification
    with pytest.raises(SpecError, match="the number of outputs of the last layer is not known"):
        api.compile("input 4\ndense softmax")


@pytest.mark.parametrize(
    "network",
    ["dense relu -> dense 3", "dense softmax -> dropout 0.5", "(dense relu + dense 3) -> relu", "repeat 2 (dense)"],
)
def test_elsewhere_it_is_missing(network: str) -> None:
    error = error_of(f"input 4\n{network}")
    assert error.code == "E105" and "only the last layer takes it from the data" in error.message
