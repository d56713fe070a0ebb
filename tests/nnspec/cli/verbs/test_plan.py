"""nnspec plan."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command, write_flowers


def test_layers_have_shapes_parameters_and_flops(nnspec: Command) -> None:
    plan = nnspec("plan", "input 28x28 -> conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax", "--json").json
    assert plan["format_version"] == 1
    conv, pool, dense = plan["layers"]
    assert conv == {
        "name": "conv1", "kind": "conv", "output_shape": [26, 26, 8], "parameters": 72, "flops": 2 * 26 * 26 * 8 * 9,
        "memory_bytes": 4 * (72 * 4 + 2 * 32 * 26 * 26 * 8), "frozen": False,
    }  # fmt: skip
    assert (pool["kind"], pool["output_shape"], pool["parameters"]) == ("maxpool", [13, 13, 8], 0)
    assert (dense["kind"], dense["output_shape"], dense["parameters"]) == ("dense", [10], 1352 * 10 + 10)
    assert plan["parameters"] == 72 + 13530
    assert plan["flops"] == sum(layer["flops"] for layer in plan["layers"])
    assert plan["memory_bytes"] > 4 * 4 * plan["parameters"]  # weights, gradients and two moments of float32


def test_the_table_says_the_same_and_the_spec_has_every_default(nnspec: Command) -> None:
    shown = nnspec("plan", "input 4 -> dense 30 relu -> dense 2 softmax")
    assert (shown.code, shown.err) == (0, "")
    rows = [line.split() for line in shown.out.splitlines()]
    assert ["dense1", "dense", "30", "150", "300", "10.1", "kB"] in rows
    assert ["all", "212", "424", "11.6", "kB"] in rows
    assert "optimizer adam lr=0.001 beta1=0.9 beta2=0.999 eps=1e-8" in shown.out
    assert "loss      cross_entropy" in shown.out and " of memory" in shown.out


def test_the_printed_spec_is_a_spec_with_the_same_plan(nnspec: Command, tmp_path: Path) -> None:
    plan = nnspec("plan", "conv 3x3 x8 -> dense 10 softmax", "--data", "mnist", "--json").json
    (tmp_path / "resolved.nnspec").write_text(plan["spec"])
    assert nnspec("plan", "resolved.nnspec", "--json").json == plan


def test_data_are_read_where_they_alone_know_the_shape(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=0)
    plan = nnspec("plan", "dense 3 softmax", "--data", 'csv "flowers.csv" target=kind', "--json").json
    assert plan["input_shape"] == [2] and plan["parameters"] == 9
    assert nnspec("plan", "input 2 -> dense 3 softmax", "--data", 'csv "none.csv" target=kind').code == 0
    assert nnspec("plan", "dense 3 softmax", "--data", 'csv "none.csv" target=kind').code == 2


def test_a_shape_that_nothing_tells_is_an_error(nnspec: Command) -> None:
    failed = nnspec("plan", "dense 3 softmax")
    assert (failed.code, failed.out) == (1, "")
    assert "error[E302]" in failed.err and "input 28x28x1" in failed.err


def test_a_network_of_ten_billion_units_is_refused(nnspec: Command) -> None:
    failed = nnspec("plan", "input 4 -> dense 10000000000 -> dense 2")
    assert failed.code == 1 and "E401" in failed.err


def test_the_samples_are_told_by_split_and_class(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=0)
    (tmp_path / "a.nnspec").write_text('dense 3 softmax\ndata csv "flowers.csv" target=kind\ntrain 2 epochs batch=8\n')
    data = nnspec("plan", "a.nnspec", "--json").json["data"]
    assert (data["name"], data["at_hand"], data["reason"], data["steps"]) == ("csv", True, None, 14)
    assert {role: split["samples"] for role, split in data["parts"].items()} == {"train": 54, "validation": 6}
    train, validation = (data["parts"][role]["classes"] for role in ("train", "validation"))
    assert {name: train[name] + validation[name] for name in "uvw"} == {"u": 20, "v": 20, "w": 20}
    rows = [line.split() for line in nnspec("plan", "a.nnspec").out.splitlines()]
    assert ["data", "csv", "train", "validation"] in rows and ["samples", "54", "6"] in rows
    assert ["class", "u", str(train["u"]), str(validation["u"])] in rows
    assert ["14", "training", "steps", "on", "54", "samples"] in rows


def test_many_classes_are_counted_and_numbers_have_none(nnspec: Command, tmp_path: Path) -> None:
    assert " samples, of 27 classes\n" in nnspec("plan", "onehot -> dense 27 softmax", "--data", "dinos").out
    (tmp_path / "t.csv").write_text("a,y\n1,2.5\n2,3.5\n")
    told = nnspec("plan", "dense 1", "--data", 'csv "t.csv" target=y', "--set", "train=1 iterations").out
    assert "  1 training step on 1 sample\n" in told and "class" not in told


def test_data_that_are_not_at_hand_are_told_and_never_fetched(
    nnspec: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path / "home"))
    data = nnspec("plan", "dense 10 softmax", "--data", "mnist", "--json").json["data"]
    reason = "mnist is not on this machine; run nnspec data fetch mnist"
    assert (data["name"], data["at_hand"], data["reason"], data["parts"]) == ("mnist", False, reason, {})
    told = nnspec("plan", "input 2 -> dense 3 softmax", "--data", 'csv "none.csv" target=kind')
    assert told.code == 0 and "  data not at hand: there is no file none.csv" in told.out
    assert "  data not at hand: the spec names no data\n" in nnspec("plan", "input 2 -> dense 3").out
    (tmp_path / "bad.csv").write_text("a,kind\n1\n")
    failed = nnspec("plan", "input 1 -> dense 3 softmax", "--data", 'csv "bad.csv" target=kind')
    assert failed.code == 1 and "bad.csv" in failed.err


def test_the_run_s_folder_is_told_and_whether_it_can_be_written(nnspec: Command, tmp_path: Path) -> None:
    plan = "plan", "network net\ninput 2\ndense 3\n"
    assert nnspec(*plan).out.endswith("  the run's folder would be runs/net\n")
    (tmp_path / "runs/net").mkdir(parents=True)
    assert nnspec(*plan, "--json").json["run"] == {"out": "runs/net-2", "writable": True, "problem": None}
    (tmp_path / "file").write_text("")
    run = nnspec(*plan, "--out", "file/run", "--json").json["run"]
    assert (run["out"], run["writable"]) == ("file/run", False) and "file is a file" in run["problem"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "runs"]


def test_sweeps_are_shown_as_a_grid(nnspec: Command) -> None:
    text = "input 2\ndense 3\nsweep optimizer.lr = 0.1, 0.01\nsweep train.seed = 1, 2, 3\n"
    told = nnspec("plan", text).out
    assert "  sweep optimizer.lr  0.1, 0.01\n  sweep train.seed    1, 2, 3\n  6 runs in all; " in told
    sweeps = nnspec("plan", text, "--json").json["sweeps"]
    assert sweeps == {"optimizer.lr": ["0.1", "0.01"], "train.seed": ["1", "2", "3"]}


def test_ranges_are_shown_as_a_search(nnspec: Command) -> None:
    text = "input 2\ndense 3\noptimizer adam\nsweep optimizer.lr = log 1e-4..1e-1\nsweep train.batch = 8..24 step 8\n"
    told = nnspec("plan", text).out
    assert "  sweep train.batch   8, 16, 24\n  sweep optimizer.lr  log 0.0001..0.1, a range for a search\n" in told
    assert "  a search: as many runs as it is given; " in told
    ranges = nnspec("plan", text, "--json").json["ranges"]
    assert ranges["optimizer.lr"] == {"low": 0.0001, "high": 0.1, "log": True, "step": None, "whole": False}
    assert ranges["train.batch"]["whole"] is True and list(ranges) == ["optimizer.lr", "train.batch"]


def test_one_sample_is_no_plural(nnspec: Command) -> None:
    told = nnspec("plan", "input 2 -> (dense 3 + dense 3)", "--set", "train.batch=1", "--set", "train.epochs=1").out
    assert "1 samples" not in told and "  1 sample; " in told
