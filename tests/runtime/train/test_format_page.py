"""Section 7 of FORMAT.md names what a real run writes: keys of /meta, preprocessing, arrays and their axes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec import checkpoints

PAGE = (Path(checkpoints.__file__).parent / "FORMAT.md").read_text(encoding="utf-8").split("## 7.")[1]


def named(heading: str, column: int) -> set[str]:
    """The words in backticks in a column of the table below a heading."""
    rows = [line for line in PAGE.split(f"### {heading}")[1].split("###")[0].splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall("`([a-z_]+)`", row.split("|")[column])}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> checkpoints.Checkpoint:
    """A checkpoint of a small convolutional run with every kind of entry that images have."""
    x, y = np.random.default_rng(0).integers(0, 255, (40, 6, 6, 1)), np.arange(40) % 3
    spec = "conv 3x3 x2 relu -> batchnorm -> dense 3 softmax\nschedule plateau\ntrain 4 iterations batch=8"
    run = nnspec.train(spec, out=tmp_path_factory.mktemp("page") / "run", data=(x, y), seed=1)
    assert run.path is not None
    return checkpoints.read(run.path / "last.h5")


def test_the_keys_of_meta_are_those_of_the_page(checkpoint: checkpoints.Checkpoint) -> None:
    assert named("Keys of /meta", 1) == set(checkpoint.meta) | {"data_files"}  # a run on arrays read none
    inner = set(checkpoint.meta["counters"]) | set(checkpoint.meta["plateau"]) | {"value", "step"}
    assert inner <= named("Keys of /meta", 2)


def test_the_entries_of_preprocessing_are_those_of_the_page(checkpoint: checkpoints.Checkpoint) -> None:
    written = {name.split("/")[1] for name in checkpoint.entries if name.startswith("preprocessing/")}
    assert written <= named("Preprocessing", 1)
    assert named("Preprocessing", 1) - written <= {
        "classes",
        "features",
        "vocabulary",
        "target_shift",
        "target_scale",
        "columns",
    }


def test_history_and_weights_have_the_axes_of_the_page(checkpoint: checkpoints.Checkpoint) -> None:
    loss, weight = checkpoint.entries["history/loss"], checkpoint.entries["weights/conv1/weight"]
    assert isinstance(loss, np.ndarray) and isinstance(weight, np.ndarray)
    assert loss.dtype == "<f8" and len(loss) == 2 and loss[0, -1] == 4
    assert weight.shape == (3, 3, 1, 2)


def test_the_formula_of_the_page_is_what_a_network_sees(checkpoint: checkpoints.Checkpoint) -> None:
    """The first layer by the page alone: (x - shift) / scale, columns of windows, weight (height, width, in, out)."""
    entries: Mapping[str, Any] = checkpoint.entries
    network = nnspec.compile("input 6x6x1 -> conv 3x3 x2 bias=no", seed=1)
    network.set_parameters({"conv1/weight": entries["weights/conv1/weight"]})
    x = np.random.default_rng(1).integers(0, 255, (1, 6, 6, 1)).astype(np.float64)
    seen = ((x - entries["preprocessing/shift"]) / entries["preprocessing/scale"]).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(seen[0, :, :, 0], (3, 3))
    by_page = np.einsum("rchw,hwo->rco", windows, entries["weights/conv1/weight"][:, :, 0])
    assert np.allclose(network.predict(seen)[0], by_page, atol=1e-5)
