"""No verb waits for a pipe, or reads a device without end: each is an error at once."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import nnspec
from tests.support.special_files import at_once, special_files

VERBS = {
    "check": ("check", "{}"),
    "fmt": ("fmt", "{}"),
    "fmt --check": ("fmt", "--check", "{}"),
    "plan": ("plan", "{}"),
    "plan --code": ("plan", "{}", "--code"),
    "train": ("train", "{}"),
    "diff, the first": ("diff", "{}", "net.nnspec"),
    "diff, the second": ("diff", "net.nnspec", "{}"),
    "explain": ("explain", "{}"),
    "inspect": ("inspect", "{}"),
    "verify": ("verify", "{}"),
    "resume": ("resume", "{}"),
    "eval": ("eval", "{}"),
    "predict": ("predict", "{}", "net.nnspec"),
    "describe": ("data", "describe", 'csv "{}" target=y'),
}
DATA = (
    'csv "{}" target=y',
    'csv "{}" target=y window=3',
    'text "{}"',
    'npz "{}"',
    'npy "{}" y="{}"',
    'npy "x.npy" y="{}"',
    'hdf5 "{}"',
    'idx "{}" labels="{}"',
    'images "{}"',
)
SPEC = "dense 3 softmax\ntrain 3 iterations\n"


@pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS)
def test_a_verb_refuses_a_pipe_and_a_device(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "net.nnspec").write_text(f"input 4\n{SPEC}")
    for path in special_files(tmp_path):
        with at_once():
            result = nnspec(tmp_path, *(argument.format(path) for argument in arguments))
        assert result.exit_code in (1, 2), result.output
        assert ("no error has the code" if arguments[0] == "explain" else "device") in result.output


@pytest.mark.parametrize("verb", ["check", "plan", "train"])
def test_a_pipe_and_a_device_are_not_included(verb: str, tmp_path: Path) -> None:
    for path in special_files(tmp_path):
        (tmp_path / "net.nnspec").write_text(f'include "{path}"\ninput 4\n{SPEC}')
        with at_once():
            result = nnspec(tmp_path, verb, "net.nnspec")
        assert result.exit_code == 1 and "cannot be included" in result.output


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("verb", ["plan", "train"])
def test_data_are_not_read_from_a_pipe_or_a_device(verb: str, data: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 3)))
    (tmp_path / "net.nnspec").write_text(SPEC)
    for path in special_files(tmp_path):
        with at_once():
            result = nnspec(tmp_path, verb, "net.nnspec", "--data", data.replace("{}", str(path)))
        assert result.exit_code == 2, result.output
        assert "it is a pipe or a device" in result.output or "is a file: images reads a folder" in result.output


def test_pictures_that_are_pipes_or_devices_are_broken_ones(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
    pipe, _, zero, _ = special_files(tmp_path)
    pipe.rename(tmp_path / "pictures" / "a" / "1.png")
    zero.rename(tmp_path / "pictures" / "b" / "1.png")
    (tmp_path / "net.nnspec").write_text(f"flatten -> {SPEC}")
    with at_once():
        result = nnspec(tmp_path, "plan", "net.nnspec", "--data", 'images "pictures"')
    assert result.exit_code == 1 and "it is a pipe or a device" in result.output
