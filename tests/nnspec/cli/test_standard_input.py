"""`-` is standard input."""

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from nnspec.cli.standard_input import inputs_as_files


def test_samples_from_standard_input_are_predicted(tmp_path: Path) -> None:
    import nnspec

    network = nnspec.compile("input 4 -> dense 2 linear", seed=1)
    network.save(tmp_path / "net.h5")
    samples = np.ones((2, 4), np.float32)
    np.save(tmp_path / "x.npy", samples)
    given = (tmp_path / "x.npy").read_bytes()
    done = run(
        [sys.executable, "-m", "nnspec", "predict", str(tmp_path / "net.h5"), "-", "--json"],
        input=given, capture_output=True, check=True,
    )  # fmt: skip
    expected = run(
        [sys.executable, "-m", "nnspec", "predict", str(tmp_path / "net.h5"), "x.npy", "--json"],
        cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.replace(b"stdin.npy", b"x.npy") == expected.stdout


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (b"\x89PNG\r\n", ".png"),
        (b"PK\x03\x04", ".npz"),
        (b'[{"a": 1}]', ".json"),
        (b"a,b\n1,2\n", ".csv"),
        (b"", ".csv"),
    ],
)
def test_an_input_is_known_by_how_it_begins(content: bytes, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        class buffer:
            read = staticmethod(lambda: content)

    monkeypatch.setattr(sys, "stdin", Input)
    with inputs_as_files(("-", "a.png")) as given:
        stored, named = given.paths
        assert stored.suffix == ending and stored.read_bytes() == content and named == Path("a.png")
    assert not stored.exists()
