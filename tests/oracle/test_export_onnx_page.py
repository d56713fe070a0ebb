"""What docs/exchange.md says of ONNX, run as it is written there. Skipped where the packages are missing."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from nnspec.runtime.data.examples import write_example
from tests.support.commands import nnspec
from tests.support.spec_texts import ROOT

PAGE = (ROOT / "docs" / "exchange.md").read_text(encoding="utf-8").partition("## ONNX")[2].partition("\n## ")[0]


def test_the_programs_of_the_page_run_on_the_files_of_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_example("passengers", tmp_path)
    files = {"quickstart": "digits", "sine_rnn": "sine --state", "passengers": "passengers --columns"}
    for name, exported in files.items():
        for line in (
            f"init {name}",
            f"train {name}.nnspec --set train.epochs=1 --quiet",
            f"export runs/{name} --to onnx --out {exported}",
        ):
            done = nnspec(tmp_path, *line.split())
            assert done.exit_code == 0, f"{line}\n{done.output}"
    found = {"images": np.zeros((3, 28, 28, 1), np.uint8), "points": [0.1, 0.2, 0.3]}
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(program, found)
        if "probabilities" in found:
            np.testing.assert_allclose(found.pop("probabilities").sum(axis=1), 1, rtol=1e-5)
    assert found["output"].shape == (1, 1)
