from typing import Any

import pytest

from benchmarks import report
from benchmarks.workloads import WORKLOADS


def result(name: Any = "W1", **ways: Any) -> Any:
    found = [dict(zip(("peer", "way"), key.split("__"), strict=True), seconds=seconds) for key, seconds in ways.items()]
    workload = WORKLOADS[name]
    return {
        **workload.as_dict(),
        "flops": workload.flops,
        "gemm_flops": 1000,
        "ways": found,
        "dropped": [],
        "failed": [],
    }


def run(
    *results: object, cold: Any = None, growths: Any = (), profiles: Any = (), absent: Any = None, accuracy: Any = ()
) -> Any:
    machine = {
        "processor": "a processor",
        "cores": 2,
        "instructions": "AVX2",
        "memory": "8 GiB",
        "system": "Linux 6",
        "python": "3.12",
    }
    return {
        "when": "2025-01-02",
        "effort": {"rounds": 7, "seconds": 0.4, "steps": 20},
        "machine": machine,
        "versions": {"nnspec": {"NumPy": "2.4", "BLAS": "openblas, kernel SkylakeX"}, "torch": {"PyTorch": "2.9"}},
        "absent": absent or {},
        "others": 0.01,
        "results": list(results),
        "cold": cold,
        "growths": list(growths),
        "accuracy": list(accuracy),
        "profiles": list(profiles),
    }


def cold(**factors: Any) -> Any:
    """W8 with PyTorch so many times as much as nnspec, 10 times where nothing is said."""
    ours = {measure: [1.0, 1.0, 1.0] for measure in report.COLD}
    theirs = {measure: [factors.get(measure, 10.0)] * 3 for measure in report.COLD}
    return {"peers": {"nnspec": ours, "torch": theirs}}


def row(text: Any, name: Any) -> Any:
    return next(line for line in text.splitlines() if line.startswith(f"| {name} "))


def cells(line: Any) -> Any:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_table_stands_in_columns_of_one_width() -> None:
    text = report.table(["name", "µs"], [["a", "1"], ["longer", "1,000"]])
    assert text.splitlines() == [
        "| name   |    µs |",
        "|--------|------:|",
        "| a      |     1 |",
        "| longer | 1,000 |",
    ]


def test_columns_of_words_stand_to_the_left() -> None:
    text = report.table(["a", "b", "n"], [["x", "y", "1"]], left=2)
    assert text.splitlines()[1] == "|---|---|--:|"


@pytest.mark.parametrize(("seconds", "text"), [(3.45e-5, "34.5"), (0.0019084, "1,908"), (0.5, "500,000")])
def test_microseconds_have_three_digits_or_more(seconds: float, text: str) -> None:
    (timing,) = report.figures.timings({"ways": [{"peer": "p", "way": "w", "seconds": [seconds]}]}, "p")
    assert report.microseconds(timing) == text


def test_a_row_of_the_comparison_has_every_peer_the_ratios_and_the_goal() -> None:
    text = report.comparison(
        [result(torch__eager=[8e-4], jax__jit=[1e-4], nnspec__planned=[4e-5], nnspec__train=[5e-5])]
    )
    assert cells(row(text, "W1")) == ["W1", "800", "100", "40.0", "50.0", "20", "**16**", "≥ 12", "reached", ""]


def test_a_missed_goal_is_called_so() -> None:
    text = report.comparison([result(torch__eager=[1e-4], nnspec__train=[5e-5])])
    assert "missed" in row(text, "W1")


def test_a_peer_that_took_no_part_has_no_column() -> None:
    head = report.comparison([result(torch__eager=[1e-4], nnspec__train=[5e-5])]).splitlines()[0]
    assert "PyTorch" in head and "JAX" not in head


def test_the_page_says_by_how_much_a_goal_is_missed() -> None:
    text = report.document(run(result(torch__eager=[3e-4], nnspec__train=[5e-5])))
    missed = text[text.index("## Goals missed") :]
    assert cells(row(missed, "W1"))[:4] == ["W1", "6", "≥ 12", "50%"]


def test_the_page_tells_what_was_tried_where_a_goal_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(report.TRIED, "W1", "larger blocks")
    assert "larger blocks" in report.document(run(result(torch__eager=[3e-4], nnspec__train=[5e-5])))


def test_the_page_says_so_where_every_goal_is_reached() -> None:
    text = report.document(run(result(torch__eager=[1e-3], nnspec__train=[5e-5])))
    assert "## Goals missed\n\nNone." in text


def test_memory_and_import_have_their_goals_too() -> None:
    text = report.document(run(result(torch__eager=[1e-3], nnspec__train=[5e-5]), cold=cold(memory=1.5)))
    assert cells(row(text, "W8 memory"))[:4] == ["W8 memory", "1.5", "≥ 2", "25%"]
    assert "**10**" in row(text, "import, ms")


def test_the_page_names_the_machine_the_kernel_and_the_versions() -> None:
    text = report.document(
        run(result(torch__eager=[1e-3], nnspec__train=[5e-5]), absent={"jax": "No module named 'jax'"})
    )
    for fact in (
        "a processor",
        "2 cores",
        "AVX2",
        "SkylakeX",
        "PyTorch 2.9",
        "7 interleaved rounds",
        "JAX was not measured",
    ):
        assert fact in text


def test_the_page_shows_where_the_time_goes_the_most_costly_part_first() -> None:
    profile = {"name": "W1", "step": 10.0, "parts": {"the loss": 2.0, "dense1": 8.0}}
    text = report.document(run(result(nnspec__train=[1e-5]), profiles=[profile]))
    assert text.index("| dense1") < text.index("| the loss")
    assert "80%" in row(text, "dense1")


def test_the_page_tells_the_slopes_of_what_grows() -> None:
    points = [result(nnspec__planned=[size * 1e-5], torch__fused=[1e-4]) for size in (1, 2, 4)]
    growth = {"name": "batch", "about": "samples", "sizes": [1, 2, 4], "results": points}
    text = report.document(run(result(nnspec__train=[1e-5]), growths=[growth]))
    assert cells(row(text, "batch"))[-2:] == ["1.00", "0.00"]


def test_every_setting_that_was_timed_is_listed_with_its_fastest_round() -> None:
    text = report.document(run(result(torch__fused=[3e-4, 1e-4, 2e-4], nnspec__train=[5e-5] * 3)))
    listed = text[text.index("## Every setting") :]
    assert cells(row(listed, "W1")) == ["W1", "nnspec", "train", "50.0", "50.0"]
    assert "| fused |       200 |      100.0 |" in listed


def test_the_page_tells_what_a_step_costs_without_each_rewrite() -> None:
    text = report.document(
        run(result(nnspec__planned=[1.0] * 3, nnspec__train=[1.0] * 3, **{"nnspec__without blocks": [3.0] * 3}))
    )
    assert "| blocks  | 3.00 |" in text


def test_the_page_tells_the_time_to_an_accuracy_and_where_it_was_never_reached() -> None:
    ones = [
        {"peer": "nnspec", "seed": 1, "epochs": 3, "seconds": 20.0, "accuracy": 0.991},
        {"peer": "torch", "seed": 1, "epochs": None, "seconds": None, "accuracy": 0.98},
    ]
    lines = report.document(run(result(nnspec__train=[1e-5]), accuracy=ones)).splitlines()
    assert "| nnspec  |      3 |    20.0 |   20.0 |" in lines
    assert "| PyTorch |  never |   never |        |" in lines


def test_a_start_or_a_short_call_has_a_goal_in_milliseconds() -> None:
    ours = {"arrays": [0.030, 0.040, 0.050], "predict": [0.5, 0.5, 0.5]}
    found = run(result(torch__eager=[1e-3], nnspec__train=[5e-5]), cold={"peers": {"nnspec": ours, "torch": {}}})
    text = report.document(found)
    calls = "a call for an epoch of W2 on 2,000 samples in arrays, ms"
    assert cells(row(text, calls))[1:] == ["40", "", "", "≤ 45"]
    missed = text[text.index("## Goals missed") : text.index("## Cold start")]
    assert cells(row(missed, "W8 predict"))[1:4] == ["500 ms", "≤ 350 ms", "30%"]
    assert "W8 arrays" not in missed
    assert "memory" not in text[text.index("| W8") :].splitlines()[-1]


def test_the_picture_has_the_starts_that_two_peers_have() -> None:
    ours, theirs = {"import": [0.1], "train": [0.4], "memory": [1e8]}, {"import": [0.5], "memory": [2e8]}
    (shown,) = report.cold_results(run(cold={"peers": {"nnspec": ours, "torch": theirs}}))
    assert shown["name"] == "W8 import"
    assert [(way["peer"], way["seconds"]) for way in shown["ways"]] == [("nnspec", (0.1,)), ("torch", (0.5,))]
    assert report.cold_results(run()) == []
