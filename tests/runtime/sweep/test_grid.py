"""Which trials a spec has, and how they are called."""

import re
from typing import Any

import pytest

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep import grid
from nnspec.runtime.sweep.grid import grid_trials
from nnspec.runtime.sweep.trial import group_name
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import SpecError

TEXT = "let w = 8\ninput 4 -> dense $w relu -> dense 3 softmax\n"


def names(text: str, *seeds: int, **request: Any) -> list[str]:
    return [trial.name for trial, _ in grid_trials(Request(TEXT + text, **request), seeds)]


def test_a_spec_alone_is_one_trial_with_its_own_seed() -> None:
    assert names("network net\ntrain 2 epochs seed=7") == ["net,seed=7"]


def test_every_variant_every_place_and_every_seed_is_a_trial_and_the_last_key_changes_fastest() -> None:
    text = "sweep w = 4, 8\nsweep optimizer.lr = 0.1, 0.01\nvariant a { init zeros }\nvariant b { init he }"
    found = names(text, 1, 2)
    assert len(found) == 2 * 4 * 2
    assert found[:4] == ["a,w=4,lr=0.1,seed=1", "a,w=4,lr=0.1,seed=2", "a,w=4,lr=0.01,seed=1", "a,w=4,lr=0.01,seed=2"]
    assert found[-1] == "b,w=8,lr=0.01,seed=2"


def test_the_spec_itself_is_a_trial_of_one_with_variants_where_it_has_an_empty_one() -> None:
    assert names("variant base { }\nvariant a { init zeros }") == ["base,seed=0", "a,seed=0"]


def test_a_variant_may_have_a_grid_of_its_own() -> None:
    text = "variant a { sweep w = 4, 8 }\nvariant b { init he }"
    assert names(text) == ["a,w=4,seed=0", "a,w=8,seed=0", "b,seed=0"]


def test_what_a_caller_sets_is_not_swept() -> None:
    assert names("sweep w = 4, 8\nsweep optimizer.lr = 0.1, 0.01", settings={"w": 6}) == [
        "lr=0.1,seed=0",
        "lr=0.01,seed=0",
    ]
    assert names("variant a { init zeros }\nvariant b { init he }", variant="b") == ["b,seed=0"]


def test_keys_with_the_same_option_are_written_whole_and_odd_values_safely() -> None:
    assert (
        group_name("net", None, {"optimizer.alpha": "1", "schedule.alpha": "2"}) == "optimizer.alpha=1,schedule.alpha=2"
    )
    odd = group_name("net", None, {"data.path": "../a/b.csv"})
    assert re.fullmatch(r"path=\.\._a_b\.csv-[0-9a-f]{6}", odd)
    assert odd != group_name("net", None, {"data.path": "../a_b.csv"})
    assert len(group_name("net", None, {"data.path": "x" * 500})) < 120


def test_comments_and_spaces_do_not_make_another_trial_and_a_setting_does() -> None:
    def digest(text: str) -> str:
        return grid_trials(Request(text), ())[0][0].digest

    assert digest("# why\ninput 4 -> dense   3 softmax") == digest("input 4\n\ndense 3 softmax")
    assert digest("input 4 -> dense 3 softmax") != digest("input 4 -> dense 3 softmax\noptimizer sgd")
    assert digest("input 4 -> dense 3 softmax") != digest("input 4 -> dense 2 softmax")


def test_a_place_whose_settings_do_not_fit_together_fails_alone() -> None:
    text = "let k = 2\nlet p = 2\ninput 8x8x1 -> conv 3x3 x2 -> maxpool $k -> maxpool $p -> dense 3 softmax\n"
    text += "sweep k = 2, 3\nsweep p = 2, 3\n"
    found = {trial.name: outcome.state for trial, outcome in grid_trials(Request(text), ())}
    assert found == {
        "k=2,p=2,seed=0": "pending",
        "k=2,p=3,seed=0": "pending",
        "k=3,p=2,seed=0": "pending",
        "k=3,p=3,seed=0": "failed",
    }


def test_an_error_of_the_spec_itself_is_raised() -> None:
    with pytest.raises(SpecError, match="maxpol"):
        names("variant a { optimizer maxpol }")


def test_a_grid_of_too_many_trials_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_TRIALS", 5)
    with pytest.raises(TrainingError, match="the grid has more than 5 trials"):
        names("sweep w = 1, 2, 3", 1, 2)
