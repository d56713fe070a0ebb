"""nnspec diff."""

from pathlib import Path

import pytest

from nnspec import api
from tests.nnspec.conftest import DIGITS, Command

BASE = "input 28x28x1\nconv 3x3 x8 -> maxpool 2 -> dense 10 softmax\noptimizer sgd lr=0.1\nvariant wide {\n}\n"


def test_specs_of_one_meaning_do_not_differ_however_they_look(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text("network a\n" + BASE)
    (tmp_path / "b.nnspec").write_text(
        "# why\noptimizer sgd  lr=1e-1\nnetwork a\n" + BASE.replace(" -> max", "->\nmax")
    )
    (tmp_path / "b.nnspec").write_text((tmp_path / "b.nnspec").read_text().replace("\noptimizer sgd lr=0.1", ""))
    same = nnspec("diff", "a.nnspec", "b.nnspec")
    assert (same.code, same.out, same.err) == (0, "no difference\n", "")
    assert nnspec("diff", "a.nnspec", "b.nnspec", "--json").json == {
        "format_version": 1, "equal": True, "differences": [], "weights": None
    }  # fmt: skip


def test_specs_that_differ_end_with_1_and_tell_what_they_mean_differently(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(BASE)
    told = nnspec("diff", "a.nnspec", BASE.replace("x8", "x16"), "--set", "network=same")
    assert told.code == 1
    assert "layers:\n  conv1.filters: x8 → x16\nshapes:\n  conv1: 26x26x8 → 26x26x16\n" in told.out
    assert told.out.endswith("parameters:\n  all: 13,610 → 27,210\n")


def test_one_spec_is_compared_with_what_settings_make_of_it(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(BASE.replace("{\n}", "{\n optimizer sgd lr=0.3\n}"))
    changed = nnspec("diff", "a.nnspec", "--variant", "wide")
    assert (changed.code, changed.out) == (1, "settings:\n  optimizer.lr: 0.1 → 0.3\n")
    assert nnspec("diff", "a.nnspec", "--set", "optimizer.lr=0.1").code == 0
    assert nnspec("diff", "a.nnspec").code == 2


def test_sweeps_that_differ_are_told(nnspec: Command) -> None:
    first, second = BASE + "sweep optimizer.lr = 0.1, 0.2\n", BASE + "sweep train.seed = 1, 2\n"
    assert nnspec("diff", first, first).code == 0
    assert nnspec("diff", first, second).out == (
        "settings:\n  sweep optimizer.lr: only in the first, 0.1, 0.2\n  sweep train.seed: only in the second, 1, 2\n"
    )


def test_of_two_runs_it_also_tells_how_far_the_weights_of_each_layer_lie_apart(nnspec: Command, digits: Path) -> None:
    settings = {"train.epochs": 2, "optimizer.lr": 0.02}
    run = api.train(DIGITS, "other", settings, data="mnist_sample")
    told = nnspec("diff", digits, "other")
    assert told.code == 1
    assert told.out.startswith("settings:\n  optimizer.lr: 0.01 → 0.02\nweights:\n")
    found = nnspec("diff", digits, "other/last.h5", "--json").json
    (dense,) = found["weights"]
    before = api.load(digits).parameters
    change = {name: run.network.parameters[name].astype(float) - array for name, array in before.items()}
    assert (dense["layer"], dense["numbers"], dense["running"]) == ("dense1", 490 + 10, False)
    distance = sum((array**2).sum() for array in change.values()) ** 0.5
    assert dense["distance"] == pytest.approx(distance)
    assert dense["relative"] == pytest.approx(
        distance / sum((array.astype(float) ** 2).sum() for array in before.values()) ** 0.5
    )
    assert dense["largest"] == pytest.approx(max(abs(array).max() for array in change.values()))


def test_a_checkpoint_does_not_differ_from_itself_and_can_be_held_against_a_spec(nnspec: Command, digits: Path) -> None:
    assert nnspec("diff", digits, digits / "last.h5").out == "no difference\n"
    spec = digits / "spec.nnspec"
    same = nnspec("diff", digits, spec, "--data", "mnist_sample", "--set", "train.epochs=2")
    assert "optimizer.lr: 0.01 → 0.001" in same.out and "weights" not in same.out


def test_runs_that_stand_elsewhere_or_saw_other_data_are_told(nnspec: Command, digits: Path) -> None:
    api.train(DIGITS, "other", {"train.epochs": 1, "optimizer.lr": 0.01, "data.seed": 3}, data="mnist_sample")
    found = nnspec("diff", digits, "other", "--json").json["differences"]
    assert [d["name"] for d in found if d["what"] == "run"] == ["step", "data digest"]


def test_what_is_not_there_is_wrong_use(nnspec: Command, digits: Path) -> None:
    assert nnspec("diff", digits, "none.nnspec").code == 2
    assert nnspec("diff", digits, digits, "--set", "optimizer.lr=1").code == 2
    assert nnspec("diff", "dense 3", "dense (3").code == 1
