"""The versions that are stated are those of the code."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from nnspec import check
from nnspec.checkpoints import FORMAT_VERSION
from nnspec.cli.output import JSON_FORMAT
from nnspec.runtime.sweep import folder
from nnspec.spec_lang import LANGUAGE_VERSION
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Variant
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.nnspec.conftest import Command, nnspec  # noqa: F401
from tests.support.spec_texts import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
OLD_SPECS = sorted((ROOT / "tests" / "specs" / "of_0_1").glob("*.nnspec"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(
    ("what", "version"),
    [
        ("the package", PROJECT["version"]),
        ("the language of specs", LANGUAGE_VERSION),
        ("checkpoints", FORMAT_VERSION),
        ("JSON of the command and of the server", JSON_FORMAT),
        ("sweep.json", folder.FORMAT_VERSION),
    ],
)
def test_a_stated_version_is_that_of_the_code(what: str, version: object) -> None:
    assert re.findall(rf"^\| {what} \| (\S+) \|", PAGE, re.MULTILINE) == [str(version)]


def test_the_language_has_the_first_two_numbers_of_the_package() -> None:
    assert PROJECT["version"].startswith(f"{LANGUAGE_VERSION}.")


def test_the_changelog_begins_with_the_version_and_says_what_to_do_on_upgrade() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = changelog.split("\n## ")[1]
    assert newest.startswith(f"{PROJECT['version']}, ") and "### On upgrade" in newest


def test_the_command_prints_the_version_of_the_language_too(nnspec: Command) -> None:  # noqa: F811
    assert nnspec("--version").out.endswith(f", language {LANGUAGE_VERSION}\n")


def test_the_format_is_described_in_the_version_that_is_written() -> None:
    text = (ROOT / "checkpoints" / "FORMAT.md").read_text(encoding="utf-8")
    assert text.startswith(f"# The nnspec checkpoint format, version {FORMAT_VERSION}\n")
    least, most = re.findall(r"Python 3\.(\d+) to 3\.(\d+)", PAGE)[0]
    tested = [int(line.rpartition(".")[2]) for line in PROJECT["classifiers"] if re.search(r":: 3\.\d", line)]
    assert [int(least), int(most)] == [min(tested), max(tested)]


@pytest.mark.parametrize("path", OLD_SPECS, ids=lambda path: path.stem)
def test_a_spec_of_0_1_is_accepted_with_all_its_variants_and_means_what_it_meant(path: Path) -> None:
    """Beside it is what 0.1.0 made of it, with every default: all of that is still there; options have been added."""
    statements, _ = parse_source(open_source(path), known_words())
    for variant in (statement.name for statement in statements if isinstance(statement, Variant)):
        assert check(path, variant=variant).parameter_count > 0
    before, now = path.with_suffix(".plan").read_text(encoding="utf-8"), canonical_text(check(path))
    assert Counter(before.split()) - Counter(now.split()) == Counter()
