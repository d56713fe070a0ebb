"""A user's program is checked against the types of the installed package."""

from pathlib import Path

import pytest

from tests.package.conftest import Environment

pytestmark = pytest.mark.slow

PROGRAM = """
from pathlib import Path

import numpy as np

import nnspec

images = np.zeros((2, 28, 28, 1), np.uint8)
labels = np.array([0, 1])
network: nnspec.Network = nnspec.compile("input 28x28 -> dense 10 softmax", seed=7, settings={"train.epochs": 3})
value, gradients = network.loss_and_gradients(images, labels)
loss: float = value
weight = gradients["dense1/weight"]
network.set_parameters({"dense1/weight": weight})
try:
    run: nnspec.Run = nnspec.train("conv 3x3 x8 -> dense 10 softmax", data="mnist_sample", out=Path("runs/a"))
    run = nnspec.train("dense 10 softmax", data=(images, labels), validation=(images, labels))
    run = nnspec.resume("runs/a", allow_inexact=True)
except nnspec.SpecError as error:
    lines: list[str] = [diagnostic.message for diagnostic in error.diagnostics]
except (nnspec.DataError, nnspec.TrainingError, nnspec.CheckpointError, nnspec.Interrupted) as error:
    raise nnspec.NNSpecError(str(error)) from error
loaded = nnspec.load("runs/a/best.h5")
shape: tuple[int, ...] = loaded.predict(images).shape
maps = nnspec.occlude(loaded, images, labels, window=(3, 3), stride=1, baseline=0.0)
mean: float = float(maps.mean())
measured: dict[str, float] = nnspec.evaluate(loaded, images, labels)
version: str = nnspec.__version__
"""
WRONG = """
import nnspec

nnspec.compile(3)
reveal_type(nnspec.load("x"))
"""


@pytest.mark.long
def test_a_users_program_passes_in_strict_mode_and_a_wrong_one_does_not(installed: Environment, tmp_path: Path) -> None:
    """The wrong one shows that the types are read: without them every call would pass."""
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(WRONG)
    code = "import sys; from mypy import api; print(api.run(sys.argv[1:])[0])"
    options = ("--strict", "--cache-dir=cache", "program.py", "wrong.py")
    printed = installed.run("-c", code, *options, folder=tmp_path)
    assert "program.py" not in printed
    assert 'wrong.py:4: error: Argument 1 to "compile" has incompatible type "int"' in printed
    assert 'wrong.py:5: note: Revealed type is "nnspec.runtime.infer.network.Network"' in printed
