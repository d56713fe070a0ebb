"""Small sweeps in an empty folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nnspec
from nnspec.runtime.sweep.conductor import SweepResult
from tests.support.commands import write_data

TEXT = """\
network net
dense 5 tanh -> dense 3 softmax
data npz "data.npz" split=75/25
train 10 iterations batch=8 evaluate_every=2 checkpoint_every=3
"""

Sweep = Callable[..., SweepResult]


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Sweep a text in this process, as a file net.nnspec beside its data; its events are in `.events`."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    monkeypatch.setattr("nnspec.api.draw_curves", lambda sweep: None)  # it takes longer than the trials

    def run(text: str | None = None, on: str = "net.nnspec", **options: Any) -> SweepResult:
        if text is not None:
            Path("net.nnspec").write_text(f"{TEXT}{text}\n")
        events.clear()
        return nnspec.sweep(on, **{"jobs": 1, "listen": events.append, **options})

    events: list[dict[str, Any]] = []
    run.events = events
    return run


def weights(sweep: SweepResult) -> dict[str, bytes]:
    """The weights of every trial at its end."""
    return {
        trial.name: b"".join(array.tobytes() for array in nnspec.load(trial.path).parameters.values())
        for trial in sweep.trials
    }


def states(sweep: SweepResult) -> dict[str, str]:
    """What came of each trial."""
    return {trial.name: trial.state for trial in sweep.trials}


def document(sweep: SweepResult) -> Any:
    """sweep.json."""
    return json.loads((sweep.path / "sweep.json").read_text())
