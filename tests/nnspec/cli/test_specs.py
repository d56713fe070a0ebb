"""The spec that an argument names."""

import json

import pytest
from click.testing import CliRunner

from nnspec.cli import command_line

SOUND, BROKEN = "input 4\ndense 3 softmax\n", "input 4\ndense 3 sofmax\n"


@pytest.mark.parametrize("verb", ["check", "plan"])
def test_a_hyphen_is_standard_input(verb: str) -> None:
    done = CliRunner().invoke(command_line, [verb, "-"], input=SOUND)
    assert done.exit_code == 0 and "3" in done.stdout
    failed = CliRunner().invoke(command_line, [verb, "-"], input=BROKEN)
    assert failed.exit_code == 1 and "<stdin>:2:9" in failed.stderr


def test_an_error_in_standard_input_is_in_the_json() -> None:
    failed = CliRunner().invoke(command_line, ["check", "-", "--json"], input=BROKEN)
    (error,) = json.loads(failed.stdout)["diagnostics"]
    assert (error["file"], error["line"], error["fix"]["text"]) == ("<stdin>", 2, "softmax")
