"""What a verb imports: most of the time of a short command is its start."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.nnspec.conftest import ROOT

ANYWHERE = {
    "matplotlib", "tqdm", "pooch", "joblib", "jinja2", "lark", "multiprocessing.pool", "unittest", "numpy.testing",
    "nnspec.exchange", "nnspec.lsp", "nnspec.notebook", "nnspec.reporting", "nnspec.serving", "nnspec.sklearn",
    "nnspec.runtime.explain", "nnspec.runtime.sweep", "nnspec.runtime.views", "nnspec.spec_lang.editor",
    "nnspec.spec_lang.syntax.misfits.pages", "nnspec.spec_lang.syntax.misfits.reading",
    "nnspec.spec_lang.vocabulary.layers.recurrent", "nnspec.runtime.layers.recurrent",
    "nnspec.runtime.compiler.kernels.recurrent",
}  # fmt: skip
"""What none of these commands needs: other verbs, the readers of specs with mistakes, words that no page names."""

TRAINING = {
    "filelock",
    "concurrent.futures",
    "nnspec.runtime.optimizers",
    "nnspec.runtime.train.loop",
    "nnspec.runtime.train.step",
}

TABLES = {
    "nnspec.runtime.data.tables",
    "nnspec.spec_lang.vocabulary.data_tables",
    "nnspec.spec_lang.vocabulary.augment",
}


def imported_by(*arguments: str) -> set[str]:
    """Return the modules that a process has after a command."""
    program = "import sys; from nnspec.__main__ import main\n"
    program += "try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stderr.split())


@pytest.fixture
def seven(tmp_path: Path) -> str:
    path = tmp_path / "seven.png"
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(path)
    return str(path)


def test_a_prediction_imports_neither_training_nor_data_sets(digits: Path, seven: str) -> None:
    sources = {"nnspec.runtime.data.load", "nnspec.runtime.initializers", "nnspec.runtime.data.sources.npz"}
    assert imported_by("predict", str(digits), seven) & (ANYWHERE | TRAINING | TABLES | sources) == set()


def test_a_check_imports_no_arithmetic(tmp_path: Path) -> None:
    found = imported_by("check", "input 4 -> dense 2 softmax")
    assert found & (ANYWHERE | TRAINING | TABLES | {"numpy", "h5py", "PIL"}) == set()
    assert not any(name.startswith("nnspec.runtime") for name in found)


def test_a_training_imports_neither_pictures_nor_explanations(tmp_path: Path) -> None:
    spec = ("maxpool 4 -> dense 10 softmax", "--data", "mnist_sample", "--set", "train.epochs=1")
    found = imported_by("train", *spec, "--out", str(tmp_path / "run"), "--quiet", "--json")
    assert found & (ANYWHERE | TABLES | {"PIL"}) == set()
