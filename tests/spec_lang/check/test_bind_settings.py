"""Statements → words."""

import pytest

from nnspec.spec_lang.vocabulary.registry import words
from tests.support.spec_findings import codes_of, error_of, spec_of

OPTIMIZERS = ", ".join(words("optimizer"))


def test_a_setting_may_use_the_lets() -> None:
    spec = spec_of("let rate = 0.5\nlet kind = sgd\ninput 4\ndense 3\noptimizer $kind lr=$rate")
    assert (spec.optimizer.word, spec.optimizer.lr) == ("sgd", 0.5)


def test_a_setting_with_a_broken_let_in_it_is_no_second_error() -> None:
    assert codes_of("let rate =\ninput 4\ndense 3\noptimizer sgd lr=$rate") == ["E002"]


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("optimizer", "optimizer needs a name first", f"write optimizer and one of {OPTIMIZERS}"),
        ("optimizer lr=0.1 adam", "optimizer needs a name first",
         f"write optimizer and one of {OPTIMIZERS}"),
        ('data "iris.csv" target=y', "data needs a name first", 'name the format first: data csv "iris.csv" target=…'),
    ],
)  # fmt: skip
def test_a_section_begins_with_the_name_of_its_word(text: str, message: str, help: str) -> None:
    error = error_of(f"input 4\ndense 3\n{text}")
    assert (error.code, error.message, error.help) == ("E105", message, help)
