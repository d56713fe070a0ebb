"""What make release looks for and what it says; the whole of it takes minutes, and is run before a release."""

import sys
from pathlib import Path

import pytest

from tools import release


def test_an_interpreter_is_tried_once_for_each_minor_version_that_is_supported(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 2.7.18\n")
    broken.chmod(0o755)
    found = release.interpreters([broken, tmp_path / "gone", Path(sys.executable), Path(sys.executable)])
    assert found == {".".join(map(str, sys.version_info[:3])): Path(sys.executable)}


def test_a_step_that_fails_says_what_was_run_and_what_it_printed() -> None:
    with pytest.raises(release.ReleaseError, match=r"print\(1\).*ends with 3:\n1\n"):
        release.run([sys.executable, "-c", "print(1); raise SystemExit(3)"])


def test_an_archive_that_cannot_be_installed_is_a_failure_of_its_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(command: object, folder: Path = release.ROOT) -> str:
        raise release.ReleaseError("pip: ends with 1")

    monkeypatch.setattr(release, "run", failing)
    trial = release.tried("3.11.7", Path(sys.executable), Path("nnspec-0.2.0-py3-none-any.whl"))
    assert (trial.archive, trial.failure) == ("wheel", "pip: ends with 1")


def test_a_training_that_ctrl_c_does_not_stop_is_a_failure(tmp_path: Path) -> None:
    code = "import sys; [print('step', n, file=sys.stderr, flush=True) for n in range(3)]"
    with pytest.raises(release.ReleaseError, match=r"ends with .* after Ctrl-C"):
        release._stopped([sys.executable, "-c", f"import signal; signal.signal(2, lambda *a: None); {code}"], tmp_path)
