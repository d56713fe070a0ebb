"""A search: what it chooses, that a kill at any instant changes nothing, and what Optuna finds in its journal."""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from nnspec.runtime.errors import Interrupted, TrainingError
from tests.runtime.sweep.conftest import Sweep, states, weights
from tests.support.commands import at_step

optuna = pytest.importorskip("optuna", reason="the extra nnspec[search] is not installed")

from nnspec.runtime.sweep import search  # noqa: E402

SPACE = "optimizer sgd\nsweep optimizer.lr = log 1e-4..10\nsweep init = he, zeros, xavier\n"
WIDE = "let w = 4\nsweep w = 2..8 step 2\nsweep optimizer.lr = 0.1..0.5\n"


def study_of(path: Path) -> Any:
    """The study as Optuna itself, or its dashboard, loads it."""
    backend = optuna.storages.journal.JournalFileBackend(str(path / "journal.log"))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name=None, storage=storage)


def listed(path: Path) -> list[tuple[Any, ...]]:
    """All of the trials of a search but when they ran."""
    return [(t.number, t.params, t.state, t.value, t.intermediate_values) for t in study_of(path).trials]


@pytest.mark.parametrize("method", ["random", "tpe", "halving"])
def test_a_search_makes_so_many_trials_in_its_ranges_and_the_same_ones_again(sweep: Sweep, method: str) -> None:
    first = sweep(SPACE, trials=8, method=method, out="first")
    assert len(first.trials) == 8
    assert all(1e-4 <= float(trial.settings["optimizer.lr"]) <= 10 for trial in first.trials)
    assert {trial.settings["init"] for trial in first.trials} <= {"he", "zeros", "xavier"}
    again = sweep(SPACE, trials=8, method=method, out="again")
    assert listed(Path("first")) == listed(Path("again"))
    assert states(first) == states(again)
    other = sweep(SPACE, trials=8, method=method, out="other", seeds=(5,))
    assert [t.settings for t in other.trials] != [t.settings for t in first.trials]


def test_whole_numbers_and_steps_stay_in_their_range(sweep: Sweep) -> None:
    found = sweep(WIDE, trials=12, method="random", prune=False)
    assert {trial.settings["w"] for trial in found.trials} <= {"2", "4", "6", "8"}
    assert len({trial.settings["optimizer.lr"] for trial in found.trials}) == 12
    assert set(states(found).values()) == {"done"}


def test_variants_are_a_choice_of_the_search(sweep: Sweep) -> None:
    text = "variant a { init he }\nvariant b { init zeros }\nsweep optimizer.lr = log 1e-3..1"
    found = sweep(text, trials=6, method="random")
    assert {trial.variant for trial in found.trials} == {"a", "b"}
    assert found.trials[0].name.startswith(f"0000,{found.trials[0].variant},lr=")


@pytest.mark.long
def test_how_many_run_at_once_does_not_change_the_trials_of_a_search_that_goes_on(sweep: Sweep) -> None:
    whole = sweep(SPACE, trials=8, method="tpe", out="whole", jobs=3)
    with at_step(27), pytest.raises(Interrupted):
        sweep(SPACE, trials=8, method="tpe", out="cut", jobs=1)
    assert len(whole.trials) == 8
    sweep(on="cut", jobs=1)
    alone = sweep(SPACE, trials=8, method="tpe", out="alone", jobs=1)
    assert len(alone.trials) == 8
    assert listed(Path("cut")) == listed(Path("alone"))


def killed(call: Callable[[], object], arm: Callable[[Callable[[], None]], Any]) -> bool:
    """Whether a call in a fork of this process was killed by SIGKILL at the instant that `arm` waits for."""
    child = os.fork()
    if child == 0:
        try:
            with warnings.catch_warnings(), arm(lambda: os.kill(os.getpid(), signal.SIGKILL)):
                call()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def at_write(count: int, torn: bool) -> Callable[[Callable[[], None]], Any]:
    """Arm a kill after so many writes to the journal, or in the middle of the last of them."""

    def arm(kill: Callable[[], None]) -> Any:
        made, append = 0, search.JournalFileBackend.append_logs

        def appended(self: Any, logs: Any) -> None:
            nonlocal made
            made += 1
            append(self, logs)
            if made == count:
                if torn:
                    path = Path(self._file_path)
                    path.write_bytes(path.read_bytes()[:-9])
                kill()

        return patch.object(search.JournalFileBackend, "append_logs", appended)

    return arm


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it kills a fork of this process")
@pytest.mark.long
@pytest.mark.parametrize("method", ["tpe", "halving"])
@pytest.mark.parametrize(("write", "torn"), [(1, False), (4, True), (9, False), (30, True)])
def test_a_search_that_is_killed_at_any_instant_ends_with_the_trials_of_one_that_was_not(
    sweep: Sweep, method: str, write: int, torn: bool
) -> None:
    whole = sweep(SPACE, trials=7, method=method, out="whole")
    assert killed(lambda: sweep(on="net.nnspec", trials=7, method=method, out="cut"), at_write(write, torn))
    again = sweep(on="net.nnspec", trials=7, method=method, out="cut")
    assert listed(Path("cut")) == listed(Path("whole"))
    assert states(again) == states(whole)
    assert weights(again) == weights(whole)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it kills a fork of this process")
@pytest.mark.parametrize("step", [1, 15, 44])
def test_a_search_that_is_killed_in_a_trial_resumes_it(sweep: Sweep, step: int) -> None:
    whole = sweep(SPACE, trials=5, method="tpe", out="whole", prune=False)
    call = lambda: sweep(on="net.nnspec", trials=5, method="tpe", out="cut", prune=False)
    assert killed(call, lambda kill: at_step(step, signal.SIGKILL))
    again = sweep(on="net.nnspec", trials=5, method="tpe", out="cut", prune=False)
    assert listed(Path("cut")) == listed(Path("whole"))
    assert weights(again) == weights(whole)


def test_a_search_goes_on_with_more_trials_and_the_first_ones_stay(sweep: Sweep) -> None:
    first = sweep(SPACE, trials=4, method="tpe")
    before = [trial.name for trial in first.trials]
    more = sweep(on="sweeps/net", trials=6)
    assert [trial.name for trial in more.trials[:4]] == before
    assert len(more.trials) == 6


def test_hopeless_trials_are_ended_at_an_evaluation_and_keep_what_they_reached(sweep: Sweep) -> None:
    found = sweep(SPACE, trials=14, method="halving")
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert len(pruned) >= 3
    assert all(0 < trial.outcome.steps < 10 and trial.metrics for trial in pruned)
    assert not found.failed
    assert all(rank.mean is None for rank in found.ranking if "pruned" in rank.others)


def test_optuna_itself_loads_the_journal(sweep: Sweep) -> None:
    found = sweep(SPACE, trials=8, method="tpe")
    study = study_of(found.path)
    assert study.direction.name == "MAXIMIZE"
    assert len(study.trials) == 8
    assert study.best_value == found.ranking[0].mean
    assert study.best_trial.user_attrs["name"] in {trial.name for trial in found.trials}
    assert study.get_trials()[0].intermediate_values == dict(enumerate(found.trials[0].outcome.values, 1))


def test_the_dashboard_opens_the_journal(sweep: Sweep) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="Optuna's dashboard is not installed")
    found = sweep(SPACE, trials=3, method="random")
    backend = optuna.storages.journal.JournalFileBackend(str(found.path / "journal.log"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = dashboard.wsgi(optuna.storages.JournalStorage(backend))
    answered: list[str] = []
    environment = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/api/studies", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "QUERY_STRING": "",
    }  # fmt: skip
    body = b"".join(app(environment, lambda status, headers, *rest: answered.append(status)))
    assert answered == ["200 OK"]
    assert b'"net"' in body


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", {"trials": 3}, "the spec has no sweep line to search in"),
        (SPACE, {}, "is a range: search it with --trials 30"),
        (SPACE, {"trials": 3, "seeds": (1, 2)}, "a search trains each trial with one seed"),
    ],
)
def test_what_cannot_be_searched_is_said(sweep: Sweep, text: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        sweep(text, **options)


def test_another_spec_range_method_or_seed_is_another_search(sweep: Sweep) -> None:
    sweep(SPACE, trials=2, method="random")
    for text, options in (
        (SPACE, {"method": "tpe"}),
        (SPACE, {"method": "random", "seeds": (4,)}),
        (SPACE.replace("10", "1"), {"method": "random"}),
        (SPACE.replace("sgd", "adam"), {"method": "random"}),
    ):
        with pytest.raises(TrainingError, match="sweeps/net is another sweep"):
            sweep(text, trials=4, **options)
    with pytest.raises(TrainingError, match="sweeps/net is a search"):
        sweep(SPACE.replace("log 1e-4..10", "1, 2"))
