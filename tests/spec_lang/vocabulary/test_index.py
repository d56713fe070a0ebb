"""The stored index of the words: it is that of the modules, and without it every module is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nnspec.spec_lang.vocabulary import index as module
from nnspec.spec_lang.vocabulary.index import STORED, content, index
from tests.nnspec.conftest import ROOT

PROGRAM = """
import sys
from nnspec.spec_lang.vocabulary import index
from nnspec.spec_lang.vocabulary.registry import layers, statements, words
from nnspec.spec_lang.vocabulary.summary import known_words
{before}
known_words(), list(layers()), list(statements()), "mine" in words("loss")
words("optimizer").get("mine"), layers()["dense"]
print(*sys.modules)
"""


def imported_after(before: str = "") -> set[str]:
    """Return the modules of a process that has looked up one word of several kinds."""
    program = PROGRAM.format(before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.rpartition("vocabulary.")[2] for name in done.stdout.split() if "vocabulary" in name}


def test_the_stored_index_is_that_of_the_modules() -> None:
    assert STORED.read_text(encoding="utf-8") == content(), "make generated writes it again"


def test_a_look_up_imports_the_module_of_the_word_alone() -> None:
    assert imported_after() & {"layers.conv", "losses", "optimizers", "statements"} == set()


def test_every_module_is_imported_where_the_index_is_out_of_date() -> None:
    found = imported_after("from nnspec.spec_lang.vocabulary import registry; registry.index = lambda: None")
    assert found >= {"layers.conv", "losses", "optimizers", "statements"}


def test_a_module_of_another_size_makes_the_index_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    stored["sizes"]["layers.dense"] += 1
    edited = tmp_path / STORED.name
    (tmp_path / "layers").mkdir()
    edited.write_text(json.dumps(stored), encoding="utf-8")
    sizes = module.sizes()
    monkeypatch.setattr(module, "STORED", edited)
    monkeypatch.setattr(module, "sizes", lambda: sizes)
    assert index.__wrapped__() is None
    sizes["layers.dense"] += 1
    assert index.__wrapped__() is not None
