"""nnspec saliency."""

from pathlib import Path

import click
import numpy as np
import pytest

from nnspec.cli.verbs.occlude import command as occlude
from nnspec.cli.verbs.saliency import command as saliency
from nnspec.runtime.explain.occlusion import SCALES
from nnspec.runtime.explain.saliency import METHODS
from tests.nnspec.cli.verbs.test_occlude import blocks, trained  # noqa: F401
from tests.nnspec.conftest import Command


def test_the_maps_the_curves_and_their_areas_are_written(nnspec: Command, blocks: Path) -> None:  # noqa: F811
    done = nnspec("saliency", blocks, "--steps", 8)
    assert done.code == 0
    pictures = blocks / "pictures"
    names = ["saliency.npz", "saliency.png", "deletion.png"]
    assert done.out.split("\n")[:3] == [str(pictures / name) for name in names]
    assert "area under the curve" in done.out and "random" in done.out and "grad_cam" not in done.out
    with np.load(pictures / "saliency.npz") as arrays:
        assert arrays["integrated"].shape == (3, 6, 5) and arrays["labels"].tolist() == [0, 1, 2]


def test_json_has_areas_and_correlations(nnspec: Command, blocks: Path) -> None:  # noqa: F811
    options = ("--method", "gradient_input", "--sanity", "--style", "dark", "--out", "maps", "--json")
    found = nnspec("saliency", blocks, "two.npy", *options).json
    assert set(found["areas"]) == {"gradient_input", "random"}
    assert set(found["areas"]["random"]) == {"deletion", "insertion"}
    assert found["correlation"]["gradient_input"]["trained"] == 1
    assert list(found["correlation"]["gradient_input"]) == ["trained", "dense1"]
    assert [Path(file).name for file in found["files"]] == [
        "saliency.npz",
        "saliency.png",
        "deletion.png",
        "sanity.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--method", "lime"], "is not one of"),
        (["--method", "grad_cam"], "no layer whose output is an image"),
        (["--steps", "0"], "--steps"),
        (["--label", "1"], "name one"),
        (["--window", "9"], "does not fit into an image of 6x5"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], told: str, nnspec: Command, blocks: Path) -> None:  # noqa: F811
    failed = nnspec("saliency", blocks, *arguments)
    assert failed.code == 2 and told in failed.err and failed.out == ""


def test_a_network_that_sees_no_images_is_refused(nnspec: Command, flowers: Path) -> None:
    failed = nnspec("saliency", flowers)
    assert failed.code == 2 and "is not a network that classifies images" in failed.err


def test_the_methods_and_scales_to_choose_from_are_those_there_are() -> None:
    """The command lists them itself, so that its help loads no NumPy."""
    chosen = {p.name: list(p.type.choices) for p in saliency.params if isinstance(p.type, click.Choice)}
    assert chosen["methods"] == list(METHODS)
    scales = {p.name: list(p.type.choices) for p in occlude.params if isinstance(p.type, click.Choice)}
    assert set(scales["scale"]) == set(SCALES)
