"""What a shell completes: asked as click is, and typed into real shells."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete

from nnspec.cli import command_line
from nnspec.cli.command import Family
from nnspec.cli.completion import FOLDERS, PATHS, PathText

SPEC = """\
input 4
let width = 8
dense $width relu -> dense 3 softmax
optimizer momentum
variant small {
  let width = 2
}
"""


def items(folder: Path, *words: str) -> list[CompletionItem]:
    """What is offered for the last of these words."""
    (folder / "net.nnspec").write_text(SPEC)
    os.chdir(folder)
    return ShellComplete(command_line, {}, "nnspec", "_NNSPEC_COMPLETE").get_completions(list(words[:-1]), words[-1])


def values(folder: Path, *words: str) -> list[str]:
    return [item.value for item in items(folder, *words)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ch",), ["check"]),
        (("train", "net.nnspec", "--variant", ""), ["small"]),
        (("train", "net.nnspec", "--variant=s",), ["small"]),
        (("check", "net.nnspec", "--set", "wid"), ["width="]),
        (("check", "net.nnspec", "--set", "optimizer.be"), ["optimizer.beta="]),
        (("check", "net.nnspec", "--set", "optimizer.beta=0"), ["optimizer.beta=0.9"]),
        (("check", "--set", "optimizer.lr="), ["optimizer.lr=0.001"]),
        (("check", "no.nnspec", "--variant", ""), []),
        (("check", "input 4 -> dense 3", "--set", "schedule=cos"), ["schedule=cosine", "schedule=cosine_restarts"]),
        (("train", "net.nnspec", "--data", "mnist_"), ["mnist_sample"]),
        (("eval", "run", "--split", "te"), ["test"]),
    ],
)  # fmt: skip
def test_values_fit_the_spec_on_the_line(folder: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert values(folder, *words) == expected


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("check", "go"), "file"),
        (("train", "net.nnspec", "--out", "ru"), "dir"),
        (("predict", "runs/a", "pic"), "file"),
        (("fmt", ""), "file"),
    ],
)
def test_paths_are_completed_by_the_shell(folder: Path, words: tuple[str, ...], kind: str) -> None:
    (found,) = items(folder, *words)
    assert (found.value, found.type) == (words[-1], kind)


def verbs(family: click.Command, context: click.Context) -> Iterator[click.Command]:
    if isinstance(family, Family):
        for name in family.list_commands(context):
            verb = family.get_command(context, name)
            assert verb is not None
            yield from verbs(verb, context)
    else:
        yield family


def test_every_parameter_that_takes_a_path_is_completed_as_one() -> None:
    listed = list(verbs(command_line, click.Context(command_line)))
    named = [
        p
        for verb in listed
        for p in verb.params
        if set((p.metavar or "").strip("[].").split("_OR_")) & (PATHS | FOLDERS)
    ]
    assert len(named) > 15
    assert [p for p in named if not isinstance(p.type, PathText | click.Path)] == []


SHELLS = [
    pytest.param(
        name,
        marks=[
            pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"),
            *([] if name == "bash" else [pytest.mark.long]),
        ],
    )
    for name in ("bash", "zsh", "fish")
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("name", SHELLS)
def test_a_real_shell_completes_files_variants_and_settings(name: str, tmp_path: Path) -> None:
    from tests.support.terminal import Shell

    for file in ("good.nnspec", "runs/first/spec.nnspec"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(SPEC)
    shell = Shell(name, tmp_path)
    try:
        for typed, completed in [
            ("nnspec che", "nnspec check "),
            ("nnspec check goo", "nnspec check good.nnspec"),
            ("nnspec check run", "nnspec check runs/"),
            ("nnspec train good.nnspec --out run", "--out runs/"),
            ("nnspec train good.nnspec --var", "--variant "),
            ("nnspec train good.nnspec --variant sm", "--variant small"),
            ("nnspec train good.nnspec --variant=sm", "--variant=small"),
            ("nnspec train good.nnspec --set optimizer.be", "--set optimizer.beta="),
            ("nnspec train good.nnspec --set optimizer.beta=", "--set optimizer.beta=0.9"),
            ("nnspec train good.nnspec --data mnist_s", "--data mnist_sample"),
        ]:
            shell.completed(typed, completed)
            shell.clear()
    finally:
        shell.close()
