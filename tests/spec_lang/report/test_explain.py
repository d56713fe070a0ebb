"""What a code means, at length."""

import pytest

from nnspec.spec_lang.check.code_examples import example_error
from nnspec.spec_lang.report.errors import NNSpecError
from nnspec.spec_lang.report.explain import explain


def test_an_explanation_shows_the_error_and_how_it_is_fixed() -> None:
    text = explain("e101", example_error)
    assert text.startswith("E101: a layer or statement is not known\n\n")
    assert '    error[E101] no layer is called "maxpol"\n' in text
    assert text.endswith("Fixed:\n\n    input 28x28x1\n    conv 3x3 x8 -> maxpool 2 -> dense 10 softmax")


def test_a_code_that_does_not_exist_is_answered_with_near_ones() -> None:
    with pytest.raises(NNSpecError, match='no error has the code "E110": did you mean E1'):
        explain("E110", example_error)
    with pytest.raises(NNSpecError, match="the codes are E001, E002, "):
        explain("xyz", example_error)
