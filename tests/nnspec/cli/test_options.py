"""nnspec/cli/options.py: what may be changed from outside."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command, write_flowers


@pytest.mark.parametrize("setting", ["width", "=3", "width=", " = "])
def test_a_setting_must_have_a_key_and_a_value(setting: str, nnspec: Command) -> None:
    failed = nnspec("check", "input 4 -> dense 2", "--set", setting)
    assert failed.code == 2
    assert "KEY=VALUE, such as optimizer.lr=0.001" in failed.err


def test_settings_change_lets_and_options(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "net.nnspec").write_text("let width = 3\ninput 4\ndense $width relu -> dense 2\noptimizer sgd lr=0.1")
    plan = nnspec("plan", "net.nnspec", "--set", "width=5", "--set", "optimizer.lr=0.25", "--json").json
    assert [layer["output_shape"] for layer in plan["layers"]] == [[5], [2]]
    assert "optimizer sgd lr=0.25" in plan["spec"]


def test_a_setting_that_fits_nothing_is_an_error_of_the_spec(nnspec: Command) -> None:
    failed = nnspec("check", "input 4 -> dense 2", "--set", "optimizer.lrr=0.1")
    assert failed.code == 1 and "--set" in failed.err and "lr" in failed.err


def test_a_variant_is_chosen_by_name(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "net.nnspec").write_text("input 4\ndense 2\nvariant wide {\n  dense 64\n}\n")
    assert nnspec("plan", "net.nnspec", "--variant", "wide", "--json").json["parameters"] == 4 * 64 + 64
    failed = nnspec("plan", "net.nnspec", "--variant", "wid")
    assert failed.code == 1 and "did you mean wide?" in failed.err


def test_a_path_in_data_begins_at_the_current_folder_and_one_in_the_spec_at_its_own(
    nnspec: Command, tmp_path: Path
) -> None:
    (tmp_path / "specs").mkdir()
    write_flowers(tmp_path / "here.csv", seed=1)
    write_flowers(tmp_path / "specs" / "there.csv", seed=2)
    (tmp_path / "specs" / "net.nnspec").write_text('dense 3 softmax\ndata csv "there.csv" target=kind')
    assert nnspec("plan", "specs/net.nnspec", "--json").code == 0
    assert nnspec("plan", "specs/net.nnspec", "--data", 'csv "here.csv" target=kind', "--json").code == 0
    assert nnspec("plan", "specs/net.nnspec", "--data", 'csv "there.csv" target=kind').code == 2
