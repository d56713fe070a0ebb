"""The memory of a sweep, foretold."""

from pathlib import Path

import pytest

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep import memory
from nnspec.runtime.sweep.prepare import Call, Wanted, prepare
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.spec_lang.check.spec_request import Request
from tests.runtime.sweep.conftest import Sweep


def test_as_many_jobs_run_as_fit_the_largest_trial() -> None:
    assert memory.jobs_that_fit(4, [100, 300], 1000) == 3
    assert memory.jobs_that_fit(2, [100], 1000) == 2
    assert memory.jobs_that_fit(2, [1001], 1000) == 0
    assert memory.jobs_that_fit(2, [1001], None) == 2


def test_fewer_jobs_than_asked_for_are_said_and_no_room_for_one_is_refused(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "process_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "available_bytes", lambda: 15 * 10**8)
    sweep("", jobs=2)
    warnings = [event["text"] for event in sweep.events if event["event"] == "warning"]
    assert warnings == ["2 trials of about 1.0 GB do not fit into 1.5 GB of memory: 1 at once"]
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    with pytest.raises(TrainingError, match=r"a trial takes about 1\.0 GB of memory and 100\.0 MB are free"):
        sweep("sweep optimizer.lr = 1, 2")


def test_a_trial_is_foretold_with_its_process_its_data_and_its_step(sweep: Sweep) -> None:
    sizes = []
    for units in (5, 5000):
        request = Request(f"dense {units} relu -> dense 3 softmax\noptimizer adam", data='npz "data.npz"')
        spec, data = check_with_data(request)
        found = prepare(Wanted(request), Call()).bytes
        assert found > memory.process_bytes() / 2 + memory.data_bytes(data)
        sizes.append((memory.step_bytes(spec, data.train.inputs.dtype), spec.parameter_count))
    (small, few), (large, many) = sizes
    assert large - small > 4 * 4 * (many - few)  # a weight, its gradient and Adam's two slots


def test_a_container_has_what_its_limit_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("memory.max", "1000"), ("memory.current", "700"), ("memory.stat", "anon 1\ninactive_file 50")):
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available_bytes() == 350
    (tmp_path / "memory.max").write_text("max\n")
    assert (memory.available_bytes() or 0) > 10**6


def test_a_system_that_says_nothing_lets_all_jobs_run(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    assert [trial.state for trial in sweep("").trials] == ["done"]
