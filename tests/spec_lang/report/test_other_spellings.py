"""Other tools' words."""

import pytest

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import layers, statements, words

OURS = {
    *layers(), *statements(), *(name for named in statements().values() for name in named), *words("metric"), "skip",
    "let", "include", "epochs", "iterations", "zscore", "minmax",
}  # fmt: skip
OPTIONS = {slot for named in (layers(), *statements().values()) for cls in named.values() for slot in fields_of(cls)}


@pytest.mark.parametrize("spelling", foreign.WORDS)
def test_a_spelling_means_words_of_this_language_and_is_none_itself(spelling: str) -> None:
    assert set(foreign.WORDS[spelling]) <= OURS
    assert spelling == spelling.lower()
    assert spelling not in foreign.WORDS[spelling]


def test_options_mean_options_of_this_language() -> None:
    assert {name for meant in foreign.OPTIONS.values() for name in meant} <= OPTIONS
    assert set(foreign.LENGTHS.values()) <= {"epochs", "iterations"}
    assert set(foreign.LAYERS_WITH_ARGUMENTS.values()) <= set(layers())


def test_a_word_of_several_meanings_stands_for_the_one_that_fits() -> None:
    assert foreign.meant("steps", words("schedule")) == "step"
    assert foreign.meant("steps", ["epochs", "iterations"]) == "iterations"
    assert foreign.option_meant("rate", ["lr"]) == "lr"
    assert foreign.option_meant("rate", ["probability"]) == "probability"
    assert foreign.option_meant("rate", ["stride"]) is None


def test_linear_is_an_activation_until_numbers_follow_it() -> None:
    assert foreign.meant("Linear", layers()) == "linear"
    assert foreign.meant("Linear", layers(), with_arguments=True) == "dense"
