"""Every broken spec of the collection is answered as it should be."""

import pytest

from tests.spec_lang.collection import Case, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.text.replace("input 28x28x1\n", "").strip())
def test_a_mistake_is_one_error_at_its_place_with_the_word_that_mends_it(case: Case) -> None:
    assert case.problems() == []


def test_the_collection_is_large_and_has_every_case_once() -> None:
    texts = [case.text for case in cases()]
    assert len(texts) >= 400
    assert len(set(texts)) == len(texts)
