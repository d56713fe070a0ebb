"""nnspec/cli/command.py: verbs found by their modules."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nnspec.cli import command_line
from nnspec.cli.command import Family, Section, Verb
from tests.nnspec.conftest import Command


def every_verb(family: Family, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with the words that call it, those of families too."""
    context = click.Context(family)
    for name in family.list_commands(context):
        verb = family.get_command(context, name)
        assert verb is not None
        yield (*names, name), verb
        if isinstance(verb, Family):
            yield from every_verb(verb, (*names, name))


VERBS = dict(every_verb(command_line))


def test_the_verbs_of_this_stage_are_there() -> None:
    words = {" ".join(names) for names in VERBS}
    assert words >= {
        "init", "check", "plan", "train", "resume", "eval", "predict", "occlude", "plot curves", "plot weights",
        "plot confusion", "inspect", "verify", "data list", "data fetch",
    }  # fmt: skip


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_and_shows_examples_of_it(names: tuple[str, ...], nnspec: Command) -> None:
    verb = VERBS[names]
    assert isinstance(verb, Verb | Family), f"{' '.join(names)}: declare cls=Verb in @click.command"
    assert verb.examples, f"{' '.join(names)}: declare examples=(…)"
    assert len(names) > 1 or isinstance(verb.section, Section)
    shown = nnspec(*names, "--help")
    assert shown.code == 0
    assert all(f"  {example}\n" in shown.out for example in verb.examples)
    assert verb.get_short_help_str().endswith(".")


EXAMPLES = [e for verb in (command_line, *VERBS.values()) if isinstance(verb, Verb | Family) for e in verb.examples]


@pytest.mark.parametrize("example", dict.fromkeys(EXAMPLES))
def test_every_example_is_a_call_that_the_command_takes(example: str) -> None:
    program, *arguments = takewhile(lambda word: word not in (">", "|", "&&"), shlex.split(example))
    assert program == "nnspec"
    verb: click.Command = command_line
    context = click.Context(command_line, info_name="nnspec")
    while isinstance(verb, Family):
        name, found, arguments = verb.resolve_command(context, arguments)
        assert found is not None
        verb = found
    assert verb.make_context(name, list(arguments), parent=context).command is verb


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_example_reaches_the_command_as_it_is_meant_in_every_shell(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    for name in ("specs", "runs/quickstart", "bin"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("specs/one.nnspec", "net.nnspec"):
        (tmp_path / name).touch()
    stub = tmp_path / "bin" / "nnspec"
    stub.write_text('#!/bin/sh\nprintf "%s\\037" "$@" >> "$SEEN"\nprintf "\\n" >> "$SEEN"\n')
    stub.chmod(0o755)
    (tmp_path / "bin" / "python").symlink_to("/bin/true")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "SEEN": str(tmp_path / "seen"), "HOME": str(tmp_path)
    }  # fmt: skip
    examples = list(dict.fromkeys(EXAMPLES))
    done = subprocess.run(
        [shell, "-c", "\n".join(examples)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    seen = [line.split("\037")[:-1] for line in (tmp_path / "seen").read_text().splitlines()]
    meant = [list(takewhile(lambda word: word not in (">", "<", "|", "&&"), shlex.split(e)))[1:] for e in examples]
    globs = {"specs/*.nnspec": "specs/one.nnspec", "runs/*": "runs/quickstart"}
    assert seen == [[globs.get(word, word) for word in words] for words in meant]


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_what_is_quoted_for_a_shell_is_in_examples_which_no_terminal_wraps(names: tuple[str, ...]) -> None:
    helps = [option.help or "" for option in VERBS[names].params if isinstance(option, click.Option)]
    assert not [text for text in helps if re.search(r"""(^|\s)'[^']*\s[^']*'""", text)]


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_with_a_result_gives_it_as_json_too(names: tuple[str, ...]) -> None:
    verb = VERBS[names]
    if not isinstance(verb, Family) and names not in {("lsp",), ("serve",), ("studio",)}:  # which speak JSON, to others
        assert any("--json" in option.opts for option in verb.params)


def test_help_shows_the_verbs_by_section_in_their_order(nnspec: Command) -> None:
    shown = nnspec("--help").out
    places = [shown.index(f"\n{section.value}:") for section in Section]
    assert places == sorted(places)
    assert shown.index("\nTraining:") < shown.index("  train ") < shown.index("\nAnswers:")


def test_a_verb_that_is_not_there_names_the_nearest_one(nnspec: Command) -> None:
    failed = nnspec("chek")
    assert failed.code == 2 and "did you mean check?" in failed.err
    failed = nnspec("plot", "curve")
    assert failed.code == 2 and "did you mean curves?" in failed.err
    failed = nnspec("plot", "zzz")
    pictures = [names[1] for names in VERBS if len(names) == 2 and names[0] == "plot"]
    assert failed.code == 2 and f"there is {', '.join(sorted(pictures))}" in failed.err


def test_a_new_file_is_a_new_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some_verbs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_shared.py").write_text("raise AssertionError('what verbs share is no verb')")
    (folder / "greet.py").write_text(
        "import click\n@click.command(short_help='Say hello.')\ndef command():\n    click.echo('hello')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    family = Family("some", package="some_verbs")
    assert CliRunner().invoke(family, ["greet"]).stdout == "hello\n"
    assert "greet  Say hello." in CliRunner().invoke(family, ["--help"]).stdout
    assert CliRunner().invoke(family, ["_shared"]).exit_code == 2
    del sys.modules["some_verbs"], sys.modules["some_verbs.greet"]


def test_the_version_is_told(nnspec: Command) -> None:
    assert nnspec("--version").out.startswith("nnspec")


def test_completion_knows_the_verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_NNSPEC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "nnspec in")
    monkeypatch.setenv("COMP_CWORD", "1")
    completed = CliRunner().invoke(command_line, prog_name="nnspec", complete_var="_NNSPEC_COMPLETE")
    assert {line.partition(",")[2] for line in completed.stdout.splitlines()} == {"init", "inspect"}
