"""check/sweeps.py: grids, and ranges in which a search chooses."""

import pytest

from nnspec.spec_lang.check.sweeps import SweepRange
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import codes_of, error_of, spec_of

BASE = "input 4\nlet w = 16\ndense $w relu -> dense 3 softmax\noptimizer adam\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("optimizer.lr = log 1e-4..1e-1", SweepRange("optimizer.lr", 1e-4, 0.1, log=True)),
        ("optimizer.lr=0.1 .. 0.9 # why", SweepRange("optimizer.lr", 0.1, 0.9)),
        ("optimizer.lr = 1..9", SweepRange("optimizer.lr", 1, 9)),
        ("train.batch = 8..64", SweepRange("train.batch", 8, 64, whole=True)),
        ("w = 8..64", SweepRange("w", 8, 64, whole=True)),
        ("w = log 8..64", SweepRange("w", 8, 64, log=True, whole=True)),
        ("w = $w..64", SweepRange("w", 16, 64, whole=True)),
    ],
)
def test_a_range_has_two_ends_and_no_grid(written: str, meant: SweepRange) -> None:
    spec = spec_of(f"{BASE}sweep {written}")
    assert (spec.ranges, spec.sweeps) == ((meant,), ())


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("optimizer.lr = log 1e-4..1e-1 points 4", "0.0001 0.001 0.01 0.1"),
        ("optimizer.lr = log 1e-4..1e-1 points 3", "0.0001 0.00316228 0.1"),
        ("optimizer.lr = 0.1..1 points 4", "0.1 0.4 0.7 1.0"),
        ("w = log 8..128 points 5", "8 16 32 64 128"),
        ("train.batch = 1..4 points 4", "1 2 3 4"),
    ],
)
def test_points_are_a_grid(written: str, values: str) -> None:
    spec = spec_of(f"{BASE}sweep {written}")
    assert spec.ranges == () and spec.sweeps[0][1] == tuple(values.split())


def test_a_range_with_a_step_is_both() -> None:
    spec = spec_of(BASE + "sweep w = 8..30 step 8\nsweep optimizer.lr = 0.1..0.9 step 0.2")
    assert spec.sweeps == (("w", ("8", "16", "24")), ("optimizer.lr", ("0.1", "0.3", "0.5", "0.7", "0.9")))
    assert [(found.step, found.whole) for found in spec.ranges] == [(8, True), (0.2, False)]
    assert str(spec.ranges[0]) == "8..30 step 8"
    long = spec_of(BASE + "sweep train.seed = 0..1000000 step 1")
    assert long.sweeps == () and long.ranges[0].step == 1


@pytest.mark.parametrize(
    ("written", "code", "place", "said"),
    [
        ("optimizer.lr = 0.9..0.1", "E202", "0.9..0.1", "write 0.1..0.9"),
        ("optimizer.lr = 1..1", "E202", "1..1", "write sweep optimizer.lr = 1"),
        ("optimizer.lr = log 0..1", "E202", "0", "above 0"),
        ("optimizer.lr = -1..1", "E202", "-1", "more than 0"),
        ("optimizer.momentum = 0..1", "E102", "optimizer.momentum", "momentum"),
        ("train.batch = 0.5..8", "E201", "0.5", "whole number"),
        ("train.batch = 1..8.5", "E201", "8.5", "whole number"),
        ("w = 0..8", "E202", "$w", "1 or more"),
        ("w = 8..64 step 100", "E202", "100", "between 0 and 56"),
        ("w = 8..64 step 0", "E202", "0", "between 0 and 56"),
        ("w = 8..10 points 7", "E202", "8..10 points 7", "fewer points"),
        ("w = 8..64 points 1", "E202", "1", "points 5"),
        ("w = 8..64 points 2.5", "E202", "2.5", "points 5"),
        ("w = log 8..64 step 8", "E104", "log 8..64 step 8", "log 8..64 points 5"),
        ("w = 8..64 step 8 points 3", "E104", "8..64 step 8 points 3", "leave one"),
        ("w = $v..64", "E103", "$v", "let v = … above"),
        ("w = $act..64", "E201", "$act", "0.1..0.9"),
        ("widht = 8..64", "E108", "widht", "the lets are act or w"),
    ],
)
def test_a_range_that_is_none_is_one_error_at_its_place(written: str, code: str, place: str, said: str) -> None:
    error = error_of(f"let act = relu\n{BASE}sweep {written}")
    assert (error.code, error.span.text) == (code, place) and said in f"{error.message} {error.help}"


def test_all_values_of_a_grid_are_checked_and_of_a_range_both_ends() -> None:
    text = "input 4\nlet p = 0.1\ndropout $p -> dense 3 softmax\n"
    assert codes_of(text + "sweep p = 0.1..1.5") == ["E202"]
    assert codes_of(text + "sweep p = 0.5..1.5 points 4") == ["E202"]
    assert codes_of(text + "sweep p = 0.1..0.9 points 4") == []


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("sweep a.b=log   1e-4 ..1e-1   points  5 # c", "sweep a.b = log 1e-4..1e-1 points 5  # c\n"),
        ("sweep w =$low..  64", "sweep w = $low..64\n"),
        ("variant a { \nsweep w = 8..64  step 8\n}", "variant a {\n  sweep w = 8..64 step 8\n}\n"),
    ],
)
def test_a_range_is_formatted(written: str, made: str) -> None:
    assert format_source(written, known_words()) == made
    assert format_source(made, known_words()) == made
