"""nnspec explain."""

import pytest

from nnspec.spec_lang.report.codes import CODES
from tests.nnspec.conftest import Command


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_with_an_error_of_it(nnspec: Command, code: str) -> None:
    told = nnspec("explain", code.lower())
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"{code}: {CODES[code]}\n")
    assert f"    error[{code}] " in told.out and "\nFixed:\n" in told.out


def test_without_a_code_all_are_listed(nnspec: Command) -> None:
    assert [line.split()[0] for line in nnspec("explain").out.splitlines()] == list(CODES)


def test_an_unknown_code_is_wrong_use_and_a_near_one_is_named(nnspec: Command) -> None:
    told = nnspec("explain", "E31")
    assert told.code == 2 and "did you mean E301?" in told.err
