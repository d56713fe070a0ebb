from pathlib import Path

import pytest

from checkpoints import writing
from tests.reliability.crash_points import Recording, crash_points


def test_a_loss_of_power_at_any_point_of_a_save_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    tally = crash_points(1, 0, tmp_path, 60)
    assert tally.failures == []
    assert tally.tried >= 50


def test_the_model_sees_what_a_save_without_fsync_would_lose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that finds nothing wrong must find something where something is."""
    monkeypatch.setattr(writing, "_fsync_folder", lambda folder: None)
    assert crash_points(1, 0, tmp_path, 60).failures


def test_the_model_sees_a_file_that_is_not_fsynced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "fsync", _of_folders_only)
    assert crash_points(1, 0, tmp_path, 60).failures


def _of_folders_only(recording: Recording, handle: int) -> None:
    if recording.handles[handle] is None:
        recording.changes.append(("fsync", None))
