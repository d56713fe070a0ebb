"""Assembling the playground, without npm."""

import pytest

from tools import playground


def test_a_missing_program_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(playground.PlaygroundError, match="needs npm, which is not installed"):
        playground._run("npm", "ci")


def test_a_failing_program_is_an_error_with_what_it_said() -> None:
    with pytest.raises(playground.PlaygroundError, match="failed:\nno such thing"):
        playground._run("sh", "-c", "echo no such thing >&2; exit 1")


def test_specs_of_tables_come_with_the_shape_of_a_sample() -> None:
    samples = {spec["name"]: spec["sample"] for spec in playground.shipped()}
    assert samples["hourly"] == [24, 6] and samples["quickstart"] is None


def test_the_language_goes_into_the_page_with_its_grammar_and_the_licences_of_what_it_needs() -> None:
    names = [name for _, name in playground._files()]
    assert {"nnspec/__init__.py", "nnspec/spec_lang/editor/page.py", "nnspec/spec_lang/syntax/grammar.lark"} <= set(
        names
    )
    assert len(names) == len(set(names))
    for package in playground.PURE:
        folder = package.replace("-", "_")
        assert any(name.startswith(f"{folder}-") and "LICENSE" in name for name in names), package
    assert not [name for name in names if name.startswith(("nnspec/cli", "numpy", "pydantic_core")) or ".." in name]
