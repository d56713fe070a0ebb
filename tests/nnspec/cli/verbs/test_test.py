"""nnspec test."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from tests.nnspec.conftest import Command, write_flowers
from tests.support.commands import at_step

NETWORK = 'dense 3 softmax\ndata csv "flowers.csv" target=kind\noptimizer adam lr=0.1\ntrain 20 epochs batch=8\n'


@pytest.fixture
def spec(tmp_path: Path, nnspec: Command) -> Callable[[str, str], None]:
    """Write a spec of flowers, whose table is beside it, with more lines."""
    write_flowers(tmp_path / "flowers.csv", seed=0)

    def write(name: str, lines: str) -> None:
        (tmp_path / name).write_text(NETWORK + lines)

    return write


def test_a_spec_that_meets_what_it_expects_passes(nnspec: Command, spec: Callable[..., None], tmp_path: Path) -> None:
    spec("good.nnspec", "expect accuracy >= 80 %, loss < 5\n")
    before = sorted(tmp_path.iterdir())
    done = nnspec("test", "good.nnspec")
    assert done.code == 0
    assert done.out.count("met     good.nnspec: ") == 2
    assert done.out.endswith("1 spec: 1 passed\n")
    assert sorted(tmp_path.iterdir()) == before, "it trains in a temporary folder"


def test_a_spec_that_misses_it_ends_with_1_and_the_others_are_tested_too(
    nnspec: Command, spec: Callable[..., None]
) -> None:
    spec("bad.nnspec", "expect loss < 0.000001\n")
    spec("good.nnspec", "expect accuracy >= 80 %\n")
    spec("none.nnspec", "")
    done = nnspec("test", "bad.nnspec", "good.nnspec", "none.nnspec")
    assert done.code == 1
    assert "MISSED  bad.nnspec: expected loss < " in done.out
    assert "skipped none.nnspec: it has no expect statement" in done.out
    assert done.out.endswith("3 specs: 1 passed, 1 missed, 1 skipped\n")


def test_an_error_of_one_spec_does_not_stop_the_others(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("bad.nnspec", "expect accuracy >= 80 %\nfoo\n")
    spec("good.nnspec", "expect accuracy >= 80 %\n")
    found = nnspec("test", "bad.nnspec", "good.nnspec", "--json")
    assert found.code == 1 and "error[E" in found.err
    assert [one["state"] for one in found.json["specs"]] == ["error", "passed"]
    assert found.json["passed"] is False and found.json["specs"][0]["reason"].startswith("bad.nnspec:6:1: ")


def test_a_file_that_is_not_there_is_wrong_use_after_the_others(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("good.nnspec", "expect accuracy >= 80 %\n")
    done = nnspec("test", "gone.nnspec", "good.nnspec")
    assert done.code == 2 and "met     good.nnspec" in done.out


def test_nothing_to_test_is_no_success(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("none.nnspec", "")
    done = nnspec("test", "none.nnspec")
    assert done.code == 2 and "no spec has an expectation" in done.err


def test_settings_seed_and_out_are_those_of_train(nnspec: Command, spec: Callable[..., None], tmp_path: Path) -> None:
    spec("net.nnspec", "expect accuracy >= 80 %\nvariant poor {\n optimizer adam lr=0.0000001\n}\n")
    assert nnspec("test", "net.nnspec", "--variant", "poor").code == 1
    assert nnspec("test", "net.nnspec", "--set", "optimizer.lr=1e-9").code == 1
    for _ in range(2):
        kept = nnspec("test", "net.nnspec", "--seed", 4, "--out", "runs")
        assert kept.code == 0 and "the run is in runs/net" in kept.err
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["net", "net-2"]
    assert nnspec("reproduce", "runs/net").code == 0


def test_a_spec_with_folds_is_judged_by_their_mean(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("net.nnspec", "expect accuracy >= 80 %\n")
    done = nnspec("test", "net.nnspec", "--set", "data.folds=3")
    assert done.code == 0 and "validation accuracy" in done.out


def test_junit_and_markdown_have_every_expectation(nnspec: Command, spec: Callable[..., None], tmp_path: Path) -> None:
    spec("a|b.nnspec", "expect accuracy >= 80 %, loss < 1e-9\n")
    done = nnspec("test", "a|b.nnspec", "--markdown", "--junit", "out/results.xml")
    assert done.code == 1
    assert "### nnspec test: 1 missed" in done.out
    assert "| a\\|b.nnspec | ✅ met | accuracy &gt;= 80 % | validation accuracy is " in done.out
    root = xml.fromstring((tmp_path / "out" / "results.xml").read_bytes())
    assert [(suite.get("tests"), suite.get("failures")) for suite in root] == [("2", "1")]
    assert nnspec("test", "a|b.nnspec", "--markdown", "--json").code == 2


def test_a_signal_ends_all_of_it(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("net.nnspec", "expect accuracy >= 80 %\n")
    with at_step(10):
        stopped = nnspec("test", "net.nnspec", "net.nnspec")
    assert stopped.code == 130


def test_a_result_that_cannot_be_written_says_so(nnspec: Command, spec: Callable[..., None]) -> None:
    spec("net.nnspec", "expect accuracy >= 80 %\n")
    done = nnspec("test", "net.nnspec", "--junit", "net.nnspec/results.xml")
    assert done.code == 2 and "cannot be written" in done.err


def test_the_comment_above_an_expectation_is_the_help_where_it_is_missed(
    nnspec: Command, spec: Callable[..., None], tmp_path: Path
) -> None:
    spec(
        "bad.nnspec",
        "# apart\n\n# Give it a hidden layer,\n# then train longer\nexpect loss < 0.000001, loss > 0.0000001\n"
        "expect validation_loss < 0.000001\n",
    )
    done = nnspec("test", "bad.nnspec", "--junit", "results.xml")
    assert "  help: Give it a hidden layer, then train longer\nmet     bad" in done.out and done.out.count("help:") == 1
    assert "help: Give it a hidden layer" in (tmp_path / "results.xml").read_text()
    advice = [case["advice"] for case in nnspec("test", "bad.nnspec", "--json").json["specs"][0]["expectations"]]
    assert advice == ["Give it a hidden layer, then train longer"] * 2 + [""]
