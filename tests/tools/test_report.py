"""docs/reliability.md says what was counted, of what there is."""

import re
from pathlib import Path

import pytest

from tools import report
from tools.report import REPORT, write_entry
from tools.soak.experiments import every_experiment


def test_every_experiment_stands_in_the_report_with_its_command_and_all_its_tries_held() -> None:
    experiments = every_experiment()
    head, *entries = REPORT.read_text(encoding="utf-8").split("\n### ")
    assert {entry.split("\n")[0] for entry in entries} == {*experiments, "mutants"}
    for entry in entries:
        name = entry.split("\n")[0]
        counted = re.search(r"^\*\*([\d,]+) of ([\d,]+)\*\*: ", entry, re.MULTILINE)
        assert counted is not None and counted[1] == counted[2] != "0", name
        assert re.search(rf"^`python -m tools\.(soak {name} --count \d+ --seed \d+|mutants)`$", entry, re.MULTILINE)
    for name in ("kills", "mutated_files"):
        assert f"{experiments[name].soak:,}" in head


def test_an_entry_is_replaced_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "reliability.md"
    file.write_text("# Head\n\nText.\n\n### b\n\nold\n\n### c\n\nkept\n")
    monkeypatch.setattr(report, "REPORT", file)
    write_entry("b", "a claim", 1999, 2000, "python -m this", ["a note"], 12.3)
    write_entry("a", "another claim", 1, 1, "python -m that", [], 0.4)
    head, a, b, c = file.read_text().split("\n### ")
    assert (head, c) == ("# Head\n\nText.\n", "c\n\nkept\n")
    assert a.startswith("a\n\n**1 of 1**: another claim.\n\n`python -m that`\n\n")
    assert b.startswith("b\n\n**1,999 of 2,000**: a claim.\n\n`python -m this`\n\n- a note\n\n") and "12 s" in b
