"""nnspec explain."""

import pytest

from nnspec.spec_lang.report.codes import CODES
from tests.nnspec.conftest import Command


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_with_an_error_of_it(nnspec: Command, code: str) -> None:
    told = nnspec("explain", code.lower())
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"{code}: {CODES[code]}\n")
    kind = "warning" if code.startswith("W") else "error"
    assert f"    {kind}[{code}] " in told.out and "\nFixed:\n" in told.out


def test_without_a_code_all_are_listed(nnspec: Command) -> None:
    assert [line.split()[0] for line in nnspec("explain").out.splitlines()] == list(CODES)


def test_an_unknown_code_is_wrong_use_and_a_near_one_is_named(nnspec: Command) -> None:
    told = nnspec("explain", "E31")
    assert told.code == 2 and "did you mean E301?" in told.err


def test_json_has_the_entry_of_a_code_or_all_codes(nnspec: Command) -> None:
    entry = nnspec("explain", "e301", "--json").json
    assert entry["code"] == "E301" and entry["title"] and entry["explanation"] and entry["bad"] != entry["fixed"]
    codes = nnspec("explain", "--json").json["codes"]
    assert {"code": "E301", "title": entry["title"]} in codes
    assert nnspec("explain", "E999", "--json").code == 2
