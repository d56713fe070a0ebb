from pathlib import Path

import numpy as np
from matplotlib.image import imread

from benchmarks.pictures import draw_comparison, draw_scaling
from tests.benchmarks.test_report import result


def test_the_comparison_is_drawn_with_a_row_for_each_workload(tmp_path: Path) -> None:
    two = [
        result("W1", torch__eager=[3e-4], nnspec__train=[5e-5]),
        result("W2", torch__eager=[3e-4], nnspec__train=[2e-4]),
    ]
    draw_comparison(two[:1], tmp_path / "one.png")
    draw_comparison(two, tmp_path / "two.png")
    one, both = imread(tmp_path / "one.png"), imread(tmp_path / "two.png")
    assert both.shape[0] > one.shape[0]
    assert np.unique(both.reshape(-1, both.shape[-1]), axis=0).shape[0] > 10


def test_a_workload_that_nnspec_took_no_part_in_is_left_out(tmp_path: Path) -> None:
    ours = result("W1", torch__eager=[3e-4], nnspec__train=[5e-5])
    draw_comparison([ours], tmp_path / "alone.png")
    draw_comparison([ours, result("W2", torch__eager=[3e-4])], tmp_path / "both.png")
    assert (tmp_path / "alone.png").read_bytes() == (tmp_path / "both.png").read_bytes()


def test_growth_is_drawn_with_as_many_rows_of_panels_as_it_takes(tmp_path: Path) -> None:
    points = [result(nnspec__planned=[size * 1e-5], torch__fused=[1e-4]) for size in (1, 2, 4)]
    growth = {"name": "batch", "about": "samples", "sizes": [1, 2, 4], "results": points}
    draw_scaling([growth], tmp_path / "one.png")
    draw_scaling([growth] * 4, tmp_path / "four.png")
    assert imread(tmp_path / "four.png").shape[0] > imread(tmp_path / "one.png").shape[0]
