"""Characters and their numbers."""

import pytest

from nnspec.runtime.data.sources.characters import decode_text, encode_text, vocabulary_of
from nnspec.runtime.errors import DataError


def test_a_text_comes_back_from_its_symbols() -> None:
    text = "Grüße, 世界\n"
    vocabulary = vocabulary_of(text)
    symbols = encode_text(text, vocabulary, str)
    assert decode_text(symbols.tolist(), vocabulary) == text
    assert vocabulary == tuple(sorted(set(text)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abß", r'place 2 has "ß" \(U\+00DF\), which the vocabulary lacks; it has a b c: remove the character'),
        ("aB", "it has the small letter"),
        ("a\tb", r"place 1 has U\+0009,"),
    ],
)
def test_a_character_that_the_vocabulary_lacks_is_named_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        encode_text(text, "abc", lambda index: f"place {index}")
