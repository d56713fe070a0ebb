"""freeze and rate: which layers their names mean, and what is said of names that mean none."""

import pytest

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.difference import spec_differences
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.fine_tuning import layers_named
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import error_of, errors_of, spec_of

NETWORK = (
    "input 8x8x1\nblock res(w) = (conv 3x3 x$w pad=same -> relu + skip)\n"
    "conv 3x3 x4 -> batchnorm -> relu -> (conv 3x3 x4 pad=same*skip) -> res 4 -> res 4 -> head: dense 10 softmax\n"
)


@pytest.mark.parametrize(
    ("names", "frozen"),
    [
        ("conv1", {"conv1"}),
        ("conv*", {"conv1", "conv2"}),
        ("res1", {"res1/conv1"}),
        ("res*, conv1", {"res1/conv1", "res2/conv1", "conv1"}),
        ("res2/conv1, batchnorm1", {"res2/conv1", "batchnorm1"}),
        ("res2/*  , conv2", {"res2/conv1", "conv2"}),
        ("conv1 batchnorm1", {"conv1", "batchnorm1"}),
    ],
)
def test_a_name_is_a_layer_a_block_or_a_beginning(names: str, frozen: set[str]) -> None:
    spec = spec_of(f"{NETWORK}freeze {names}  # and a comment")
    learning = {node.name for node in spec.nodes if node.parameters()}
    assert spec.frozen & learning == frozen
    assert {name.rpartition("/")[0] for name in spec.frozen_arrays()} == frozen
    assert spec_of(canonical_text(spec)).frozen == spec.frozen
    assert spec_of(format_source(f"{NETWORK}freeze {names}", known_words())).frozen == spec.frozen
    assert spec.trainable_count == spec.parameter_count - sum(
        array.size for node in spec.nodes if node.name in frozen for array in node.parameters().values()
    )


def test_a_star_after_a_name_elsewhere_still_multiplies_branches() -> None:
    assert errors_of("input 4\n(dense 4 relu*skip) -> (dense 4 sigmoid *\nskip) -> dense 3 softmax") == []
    assert errors_of("input 4\nblock rate(w) = (dense $w relu * skip)\nrate 4 -> dense 3 softmax") != [], "a statement"


def test_rates_are_those_of_their_lines_and_1_elsewhere() -> None:
    spec = spec_of(f"{NETWORK}rate conv*, res1 0.1\nrate head 2\nfreeze conv2")
    factors = spec.rate_factors()
    assert {name: factors[name] for name in ("conv1", "conv2", "res1/conv1", "res2/conv1", "head")} == {
        "conv1": 0.1, "conv2": 0.0, "res1/conv1": 0.1, "res2/conv1": 1.0, "head": 2.0,
    }  # fmt: skip
    assert spec_of(canonical_text(spec)).rate_factors() == factors


@pytest.mark.parametrize(
    ("line", "code", "place", "help"),
    [
        ("freeze cnv1", "E103", "cnv1", "did you mean conv1?"),
        ("freeze conv1, hed", "E103", "hed", "did you mean head?"),
        ("freeze dense*", "E103", "dense*", None),
        ("freeze relu1", "E303", "relu1", "write conv1, batchnorm1, conv2, res1/conv1, res2/conv1 or head"),
        ("freeze *", "E303", "freeze *", "leave out the layers that are to learn"),
        ("rate conv9* 0.1", "E103", "conv9*", None),
        ("rate conv1 0.1\nrate conv* 2", "E106", "conv*", "leave one of them out: conv1 has it"),
        ("rate conv1 0.1\nrate conv1 2", "E107", "rate conv1 2", "line 4 has one already; keep one of them"),
        ("freeze conv1\nrate conv1 2", "E303", "conv1", "leave it out of freeze, or leave the rate out"),
        ("rate conv1", "E105", "rate conv1", "write rate conv1 0.1"),
        ("rate conv1 0", "E202", "0", "write a value of more than 0, such as 0.5"),
    ],
)
def test_a_name_that_means_nothing_is_said_at_its_place(line: str, code: str, place: str, help: str | None) -> None:
    error = error_of(NETWORK + line)
    assert (error.code, error.span.text) == (code, place)
    assert help is None or error.help == help


def test_two_specs_differ_in_what_they_freeze_and_rate() -> None:
    first, second = (spec_of(NETWORK + more) for more in ("freeze conv1", "freeze conv2\nrate head 0.1"))
    found = {difference.name: (difference.before, difference.after) for difference in spec_differences(first, second)}
    assert found == {"freeze.names": ("conv1", "conv2"), "rate": (None, "rate head 0.1")}


def test_names_of_layers_are_those_inside_a_block_but_not_of_a_longer_name() -> None:
    assert layers_named("res1", ["res1/conv1", "res1", "res10/conv1"]) == ["res1/conv1", "res1"]
