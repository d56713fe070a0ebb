"""What is done about garbage collection around work that makes many objects."""

import gc
import subprocess
import sys

from nnspec.spec_lang.garbage import nothing_collected
from tests.nnspec.conftest import ROOT


def printed(program: str) -> list[str]:
    """Return the words that a program prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def test_collection_is_as_before_after_the_block() -> None:
    with nothing_collected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_objects_that_have_grown_old_are_collected_once_they_are_garbage() -> None:
    program = """
import gc
from nnspec.spec_lang.garbage import grow_old
circle = []
circle.append(circle)
grow_old()
young, frozen = len(gc.get_objects(generation=0)), gc.get_freeze_count()
del circle
print(young, frozen, gc.collect())
"""
    young, frozen, collected = map(int, printed(program))
    assert young < 100 and frozen == 0 and collected > 0


def test_an_import_leaves_no_young_objects_to_traverse() -> None:
    program = (
        "import gc, nnspec; nnspec.train; print(len(gc.get_objects(generation=0)), len(gc.get_objects(generation=2)))"
    )
    young, old = map(int, printed(program))
    assert young < 1_000 < old


def test_frozen_objects_stay_frozen() -> None:
    program = "import gc, nnspec; gc.freeze(); nnspec.train; print(gc.get_freeze_count() > 0)"
    assert printed(program) == ["True"]
