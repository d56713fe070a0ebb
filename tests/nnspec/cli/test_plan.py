"""nnspec plan."""

from pathlib import Path

from tests.nnspec.conftest import Command, write_flowers


def test_layers_have_shapes_parameters_and_flops(nnspec: Command) -> None:
    plan = nnspec("plan", "input 28x28 -> conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax", "--json").json
    assert plan["format_version"] == 1
    conv, pool, dense = plan["layers"]
    assert conv == {
        "name": "conv1", "kind": "conv", "output_shape": [26, 26, 8], "parameters": 72, "flops": 2 * 26 * 26 * 8 * 9,
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
    assert ["dense1", "dense", "30", "150", "300"] in rows
    assert ["all", "212", "424"] in rows
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
