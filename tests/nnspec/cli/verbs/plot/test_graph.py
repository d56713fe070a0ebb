"""nnspec plot graph."""

from pathlib import Path

from tests.nnspec.conftest import Command, write_flowers


def test_the_graph_of_a_spec_is_drawn_under_its_name(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text("network mine\ninput 4\nrepeat 3 (dense 4 + skip)\n")
    drawn = nnspec("plot", "graph", "a.nnspec")
    assert (drawn.code, drawn.out) == (0, "mine-graph.png\n")
    assert (tmp_path / "mine-graph.png").read_bytes().startswith(b"\x89PNG")
    assert nnspec("plot", "graph", "dense 3", "--set", "input=4", "--out", "b.svg").out == "b.svg\n"


def test_the_graph_of_a_run_lies_with_its_pictures(nnspec: Command, flowers: Path) -> None:
    drawn = nnspec("plot", "graph", flowers)
    assert (drawn.code, drawn.out) == (0, f"{flowers}/pictures/graph.png\n")
    assert nnspec("plot", "graph", flowers, "--set", "train.seed=3").code == 2


def test_data_are_read_where_they_alone_know_the_shape(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=0)
    assert nnspec("plot", "graph", "dense 3 softmax", "--data", 'csv "flowers.csv" target=kind').code == 0
    failed = nnspec("plot", "graph", "dense 3 softmax")
    assert failed.code == 1 and "E302" in failed.err
    assert nnspec("plot", "graph", "none.nnspec").code == 2
