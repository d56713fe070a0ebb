"""The specs that come with the package: each says what it shows, checks, and trains."""

import math
from pathlib import Path

import pytest

import nnspec
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Variant
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.shipped_specs import with_its_data

FOLDER = Path(__file__).parents[2] / "specs"
SPECS = sorted(FOLDER.glob("*.nnspec"))
VARIANTS = [
    (path, variant)
    for path in SPECS
    for variant in (
        None,
        *(s.name for s in parse_source(open_source(path), known_words())[0] if isinstance(s, Variant)),
    )
]
SAMPLE = {"mnist": "mnist_sample"}
"""What stands in for data that are not in the package."""


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_opens_with_what_it_shows_and_is_named_like_its_file(path: Path) -> None:
    comment, network = path.read_text(encoding="utf-8").splitlines()[:2]
    assert comment.startswith("# ") and comment.endswith(".")
    assert network == f"network {path.stem}"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_is_written_as_fmt_writes_it(path: Path) -> None:
    assert format_source(open_source(path), known_words()) == path.read_text(encoding="utf-8"), f"run nnspec fmt {path}"


def test_lenet5_has_its_61706_parameters() -> None:
    spec = nnspec.check(FOLDER / "lenet5.nnspec", data="mnist_sample")
    assert spec.parameter_count == 61_706
    assert [node.output_shape for node in spec.nodes if node.parameters()] == [
        *((28, 28, 6), (10, 10, 16)),
        *((120,), (84,), (10,)),
    ]


def test_weights_keep_readable_names_through_blocks_and_repeats() -> None:
    spec = nnspec.check(FOLDER / "mnist_resnet.nnspec", data="mnist_sample")
    inside = ("conv1/weight", "batchnorm1/weight", "batchnorm1/bias", "conv2/weight", "batchnorm2/weight")
    for block in ("res1", "res2", "res3", "res4"):
        names = tuple(name for name in spec.parameters() if name.startswith(f"{block}/"))
        assert names == (*(f"{block}/{name}" for name in inside), f"{block}/batchnorm2/bias")
    spec = nnspec.check(FOLDER / "mnist_inception.nnspec", data="mnist_sample")
    assert "inception2/conv6/bias" in spec.parameters()


@pytest.mark.parametrize(("path", "variant"), VARIANTS, ids=lambda value: getattr(value, "stem", value))
def test_a_spec_and_its_variants_check_and_train_two_steps(path: Path, variant: str | None, tmp_path: Path) -> None:
    spec = nnspec.check(path, variant=variant)
    assert spec.data is not None
    data = SAMPLE.get(spec.data.word)
    path = with_its_data(path, tmp_path)
    losses = []
    nnspec.train(
        path,
        tmp_path / "run",
        {"train.iterations": 2},
        variant,
        data,
        listen=lambda event: losses.append(event.get("loss", 0.0)),
    )
    assert len(losses) >= 3 and all(map(math.isfinite, losses))
