"""The page of one's own data: figures by hand, kept results, and the row of each spec."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.experiments.own_data_page import (
    NAMES,
    Result,
    known_digest,
    measure_of,
    read_results,
    section,
    write_results,
)
from benchmarks.experiments.shipped import SEEDS, SPECS


def test_figures_by_hand() -> None:
    assert measure_of("iris", np.array([[0.9, 0.1, 0], [0, 0.2, 0.8]]), np.array([0, 1])) == 50
    assert measure_of("labels", np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[1, 0], [0, 0]])) == 75
    assert measure_of("diabetes", np.array([[1.0], [4.0]]), np.array([[1.0], [1.0]])) == pytest.approx(4.5**0.5)


def test_each_spec_is_shipped_and_a_result_is_kept_only_for_the_text_it_was_measured_on(tmp_path: Path) -> None:
    assert all((SPECS / f"{name}.nnspec").is_file() for name in NAMES)
    figures = {"nnspec": 97.0, "mlp": 96.0, "linear": 95.0}
    good = {("iris", seed): Result(known_digest("iris", seed), figures, 1.0, "here") for seed in SEEDS}
    write_results({**good, ("wine", 1): Result("0" * 64, figures, 1.0, "here")}, tmp_path / "kept.json")
    assert read_results(tmp_path / "kept.json") == good
    page = section(good)
    row = next(line for line in page.split("\n") if line.startswith("| [iris]"))
    assert row.count("97.00 (97.00 to 97.00)") == 1 and row.endswith("| 95.00 (95.00 to 95.00) |")
    assert next(line for line in page.split("\n") if line.startswith("| [wine]")).count("not run") == 1
