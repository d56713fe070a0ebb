"""nnspec lsp, where it cannot answer; tests/nnspec/lsp drives it where it can."""

import sys

import pytest
from click.testing import CliRunner

from nnspec.cli import command_line


def test_where_pygls_is_missing_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("nnspec.lsp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    done = CliRunner().invoke(command_line, ["lsp"])
    assert done.exit_code == 2
    assert "needs pygls 2, which is not installed" in done.output and "pip install 'nnspec[lsp]'" in done.output
