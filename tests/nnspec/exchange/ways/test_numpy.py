"""Programs in NumPy alone: every layer, merge and shipped spec, in a process where nnspec cannot be imported."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.exchange.export import Leaving, ways
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import Both
from tests.runtime.compiler.test_kernels import CASES, MERGES, OVER_TIME
from tests.support.shipped_specs import with_its_data
from tests.support.strategies import Case

SPECS = sorted(Path("specs").glob("*.nnspec"))

PADDED = (
    "input 9 -> embed 4 vocab=5 -> {} -> dense 5 softmax",
    "input 9 -> onehot vocab=5 -> conv 3 x4 stride=2 pad=same -> {} -> gru 3 return=sequence -> dense 5 softmax",
)
"""Texts with padded steps: a layer over them, and one after a convolution that skips steps."""

OVER_STEPS = (
    "relu",
    "layernorm",
    "batchnorm",
    "groupnorm 2",
    "instancenorm",
    "conv 2 x4 pad=same relu",
    "depthwise 2",
    "separable 2 x4",
    "transposed 2 x4 stride=2",
    "maxpool 2",
    "avgpool 2 stride=1 pad=1x0",
    "globalmaxpool -> reshape 1x4 sequence",
    "globalavgpool -> reshape 1x4 sequence",
    "upsample 2",
    "pad 1x0",
    "crop 1x0",
    "attention 2",
    "positions",
    "lstm 4 return=sequence bidirectional=yes",
    "rnn 4 return=sequence reverse=yes",
)


def quick_first(cases: list[Case]) -> list[Any]:
    """Each text on the first of its shapes, and then its other shapes, which are slow together."""
    seen: set[str] = set()
    found = []
    for case in cases:
        found.append(
            pytest.param(case, id=str(case), marks=[pytest.mark.slow, pytest.mark.long] if case.text in seen else [])
        )
        seen.add(case.text)
    return found


def predicting(network: Network, folder: Path, batch: int | None = None) -> "Predict":
    made = ways()["numpy"].make(
        Leaving(network, "net", np.zeros((1, *network.preprocessing.input_shape)), {"batch": batch})
    )
    for suffix, content in made.content.items():
        (folder / f"net{suffix}").write_bytes(content)
    return Predict(folder / "net.py")


class Predict:
    """The `predict` of a written file."""

    def __init__(self, path: Path):
        self.path = path
        self.run = runpy.run_path(str(path))["predict"]


def assert_equal(network: Network, x: np.ndarray, folder: Path, batch: int = 4) -> None:
    answers, own = predicting(network, folder, batch).run(x), network.predict(x)
    assert answers.dtype == own.dtype and answers.shape == own.shape
    np.testing.assert_allclose(answers, own, rtol=0, atol=1e-5 * max(1, np.abs(own).max()))


def random_network(text: str, shape: Shape | None = None) -> Network:
    return Both.of(text, "float32", shape).network if shape is not None else Both.of(text, "float32").network


def samples(network: Network, count: int) -> np.ndarray:
    from nnspec.runtime.infer.drawn import drawn_samples

    return drawn_samples(network, count, 3)


@pytest.mark.parametrize("case", quick_first(CASES))
def test_every_layer_goes_out(case: Case, tmp_path: Path) -> None:
    network = random_network(case.text, case.shape)
    assert_equal(network, samples(network, 6), tmp_path)


@pytest.mark.parametrize("sign", words("merge"))
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, marks=[pytest.mark.slow, pytest.mark.long] if place % 3 else [])
        for place, text in enumerate(MERGES)
    ],
)
def test_every_merge_goes_out(text: str, sign: str, tmp_path: Path) -> None:
    network = random_network(text.format(sign))
    assert_equal(network, samples(network, 6), tmp_path)


@pytest.mark.parametrize("text", OVER_TIME)
def test_windows_over_time_go_out(text: str, tmp_path: Path) -> None:
    network = random_network(text)
    assert_equal(network, samples(network, 6), tmp_path)


@pytest.mark.parametrize("layer", OVER_STEPS)
@pytest.mark.parametrize("text", PADDED)
def test_padded_steps_are_left_out_as_the_network_leaves_them_out(text: str, layer: str, tmp_path: Path) -> None:
    both = Both.of(text.format(layer), "float32")
    assert_equal(both.network, both.batch(7).x, tmp_path)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_goes_out(path: Path, tmp_path: Path) -> None:
    network = nnspec.compile(with_its_data(path, tmp_path), seed=1)
    assert_equal(network, samples(network, 6), tmp_path)


def test_the_program_needs_numpy_alone_and_prints_the_classes(tmp_path: Path) -> None:
    network = nnspec.compile("input 4 -> dense 8 relu -> dense 3 softmax", seed=2)
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    nnspec.export(network, "numpy", tmp_path / "net")
    code = (
        f"import sys; sys.path[:0] = [{str(Path(np.__file__).parents[1])!r}, {str(tmp_path)!r}]\n"
        "import numpy as np; from net import predict; np.save('y.npy', predict(np.load('x.npy')))\n"
        "assert not [name for name in sys.modules if name.startswith('nnspec')]\n"
        "sys.argv = ['net.py', 'x.npy']; import runpy; runpy.run_path('net.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    own = network.predict(x)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), own, atol=1e-6)
    assert [line.split()[1] for line in done.stdout.splitlines()] == [str(c) for c in own.argmax(axis=1)]
