"""The example of fine-tuning on its page does what the page says."""

import re
from pathlib import Path

import pytest

import nnspec
from tests.support.commands import ROOT
from tests.support.commands import nnspec as command

pytest.importorskip("sklearn")

SECTION = (ROOT / "docs" / "howto" / "fine-tuning.md").read_text(encoding="utf-8").split("\n## Layers")[0]
FIRST, MINE = re.findall(r"```nnspec\n(.*?)```", SECTION, re.DOTALL)
ACCURACY, SCRATCH = (float(share) / 100 for share in re.findall(r"(\d+\.\d) %", SECTION))


def test_the_specs_of_the_page_train_one_after_the_other_and_what_was_learnt_helps(tmp_path: Path) -> None:
    (tmp_path / "digits.nnspec").write_text(FIRST)
    (tmp_path / "mine.nnspec").write_text(MINE)
    (tmp_path / "scratch.nnspec").write_text(re.sub(r"(from|freeze) .*\n", "", MINE))
    calls = [line.split()[2:] for line in SECTION.splitlines() if line.startswith("$ nnspec ")]
    done = [command(tmp_path, *call) for call in (*calls, ["train", "scratch.nnspec"])]
    assert [result.exit_code for result in done] == [0] * 4, done[-1].output
    said = re.search(r"`(begins with .*?)`", SECTION)
    assert said is not None and said[1] in done[2].stderr
    reached = [_accuracy(result.output) for result in done[2:]]
    assert reached == [pytest.approx(ACCURACY, abs=0.02), pytest.approx(SCRATCH, abs=0.03)]
    assert reached[0] > reached[1]
    first, mine = (nnspec.load(tmp_path / "runs" / name) for name in ("digits", "mine"))
    for name, array in first.parameters.items():
        if name.startswith("stem/"):
            assert (mine.parameters[name] == array).all()


def _accuracy(output: str) -> float:
    found = re.search(r"test accuracy (\d+\.\d+) %", output)
    assert found is not None, output
    return float(found[1]) / 100
