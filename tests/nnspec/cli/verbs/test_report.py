"""nnspec report."""

import sys
from pathlib import Path

import pytest

from tests.nnspec.conftest import Command


def test_a_report_is_one_file_in_the_runs_folder_or_where_it_is_said(
    nnspec: Command, flowers: Path, tmp_path: Path
) -> None:
    done = nnspec("report", flowers, "--out", "new/one.html")
    assert (done.code, done.out) == (0, "new/one.html\n")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["one.html"]
    found = nnspec("report", flowers / "best.h5", "--out", "two.html", "--split", "train", "--json").json
    assert found["report"] == "two.html" and found["bytes"] == (tmp_path / "two.html").stat().st_size


def test_markdown_is_for_a_pull_request(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    done = nnspec("report", flowers, "--markdown")
    assert done.code == 0 and done.out.startswith("## net: validation accuracy")
    assert done.out.index("baseline: majority class") < done.out.index("<details>")
    assert f"```\nnnspec reproduce {flowers}\n```" in done.out
    assert nnspec("report", flowers, "--markdown", "--out", "deep/report.md").code == 0
    assert (tmp_path / "deep" / "report.md").read_text() == done.out
    assert nnspec("report", flowers, "--markdown", "--json").code == 2


def test_without_jinja_it_says_what_to_install(nnspec: Command, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "nnspec.reporting.page", raising=False)
    failed = nnspec("report", flowers)
    assert failed.code == 2 and "pip install 'nnspec[report]'" in failed.err
    assert nnspec("report", flowers, "--markdown").code == 0


def test_what_is_not_there_or_cannot_be_written_says_so(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    assert nnspec("report", "none").code == 2
    assert nnspec("report", tmp_path).code == 2
    (tmp_path / "file").write_text("")
    failed = nnspec("report", flowers, "--out", "file/report.html")
    assert failed.code == 2 and "cannot be written" in failed.err
    assert nnspec("report", flowers, "--split", "test").code == 2
