"""The commands on a spec whose last layer leaves the number of its outputs to the data."""

from pathlib import Path

import pytest

from nnspec import api
from tests.nnspec.conftest import Command
from tests.support.commands import at_step

CLASSES = 'data csv "a.csv" target=k ignore=y\ndense 4 relu -> dense softmax\ntrain 3 epochs\n'
QUANTILES = 'data csv "a.csv" target=y ignore=k\ndense 4 relu -> dense\nloss quantile at=0.1, 0.9\ntrain 3 epochs\n'
EXPECT = "expect validation_loss <= 1000\n"


@pytest.fixture(autouse=True, params=[(CLASSES, 3), (QUANTILES, 2)], ids=["classes", "quantiles"])
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    """The number of outputs that the spec in the command's folder has."""
    text, count = request.param
    monkeypatch.setattr("nnspec.api.draw_curves", lambda sweep: None)
    rows = (f"{n % 7},{n % 5},{n % 7 + n % 5 / 3},{'pqr'[n % 3]}\n" for n in range(90))
    (tmp_path / "a.csv").write_text("a,b,y,k\n" + "".join(rows))
    (tmp_path / "net.nnspec").write_text(text + EXPECT)
    return int(count)


def ends_in(run: str | Path) -> tuple[int, ...] | None:
    return api.load(run).spec.output_shape


def test_a_sweep_trains_each_trial_with_the_number(nnspec: Command, outputs: int) -> None:
    with Path("net.nnspec").open("a") as spec:
        spec.write("sweep optimizer.lr = 0.01, 0.1\n")
    done = nnspec("sweep", "net.nnspec", "--jobs", "1", "--quiet", "--out", "here")
    assert done.code == 0, done.err
    assert [ends_in(path.parent) for path in Path("here").rglob("last.h5")] == [(outputs,), (outputs,)]


def test_test_trains_it_and_holds_it_to_what_it_expects(nnspec: Command) -> None:
    done = nnspec("test", "net.nnspec")
    assert (done.code, done.out.splitlines()[-1]) == (0, "1 spec: 1 passed")


def test_reproduce_trains_the_same_bits(nnspec: Command) -> None:
    assert nnspec("train", "net.nnspec", "--out", "run", "--quiet").code == 0
    done = nnspec("reproduce", "run")
    assert done.code == 0 and "the same bits" in done.out


def test_each_fold_has_the_number(nnspec: Command, outputs: int) -> None:
    assert nnspec("train", "net.nnspec", "--folds", "3", "--out", "folds", "--quiet").code == 0
    assert [ends_in(f"folds/fold-{n}") for n in (1, 2, 3)] == [(outputs,)] * 3


def test_a_stopped_run_goes_on_to_the_bits_of_one_that_was_not(nnspec: Command, outputs: int) -> None:
    assert nnspec("train", "net.nnspec", "--out", "whole", "--quiet").code == 0
    with at_step(5):
        assert nnspec("train", "net.nnspec", "--out", "run", "--quiet").code == 130
    assert nnspec("resume", "run", "--quiet").code == 0
    assert ends_in("run") == (outputs,)
    whole, resumed = api.load("whole").parameters, api.load("run").parameters
    assert whole.keys() == resumed.keys() and all((whole[name] == resumed[name]).all() for name in whole)
