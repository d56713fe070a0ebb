"""The model of more cores and the tables of workers and of a busy machine, from figures that are given."""

import pytest

from benchmarks import busy
from benchmarks.lanes import CORES, measure_messages, modelled, section, workers_table


def row(lanes: int) -> dict[str, object]:
    """A step of 160 ms of which 2 ms are serial, cut without loss."""
    parts = {
        "lane": 0.128 / lanes,
        "slice": 0.03 / lanes,
        "serial": 0.002,
        "message": 1e-5,
        "meetings": 2,
        "step": 0.16,
    }
    measured = {"measured": [0.16, 0.09], "beside": 1.1} if lanes == 2 else {"beside": None}
    return {"name": "W2", "lanes": lanes, **parts, **measured}


def test_the_model_adds_up_its_parts() -> None:
    assert modelled(row(1), 1) == pytest.approx(0.16)
    assert modelled(row(4), 1) == pytest.approx(0.002 + 0.158 / 4 + 6e-5)
    assert modelled(row(4), 1.5) == pytest.approx(0.002 + 1.5 * 0.158 / 4 + 6e-5)


def test_the_section_says_that_it_is_a_model_and_has_the_measured_figure_beside_it() -> None:
    ways = [{"peer": "torch", "way": f"fused, {n} thread{'s' * (n > 1)}", "seconds": [1.5 / n]} for n in (1, 2)]
    text = section([row(lanes) for lanes in CORES], [{"name": "W2", "ways": ways}])
    assert "are a model**" in text
    assert "| W2 | 160,000 | 1.97 times | 1.78 times | 2.00 times | 3.5 times | 6.7 times | 12.2 times | 1% |" in text


def test_a_table_has_a_column_for_each_number_of_workers() -> None:
    rows = [{"name": "W2", "lanes": 4, "workers": n, "rate": 1000.0 * n, "ratio": float(n)} for n in (1, 2, 4)]
    assert workers_table(rows).endswith("| W2 | 1,000 (1.00) | 2,000 (2.00) | 4,000 (4.00) |")


def test_the_busy_machine_has_a_row_for_each_number_of_other_processes() -> None:
    rows = [{"name": "W2", "lanes": 2, "others": n, "one": 9e4, "several": 1e5, "ratio": 1.11} for n in busy.BURNERS]
    assert busy.section(rows).count("| 90,000 | 100,000 | 1.11 |") == len(busy.BURNERS)


@pytest.mark.worker
def test_a_message_to_a_worker_takes_time() -> None:
    assert 0 < measure_messages(1) < 1
