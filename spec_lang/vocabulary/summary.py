"""The registered words as a `KnownWords`, for the parser and the formatter, which know none themselves."""

import math
from functools import cache

from nnspec.spec_lang.report.known_words import Fields, KnownWords
from nnspec.spec_lang.vocabulary.fields import collects, fields_of
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import Word, layers, statements, words


@cache
def known_words() -> KnownWords:
    """Return all registered words."""
    named = statements()
    return KnownWords(
        layers={word: cls.examples[0] if cls.examples else word for word, cls in layers().items()},
        statements={word: _statement_example(word, classes) for word, classes in named.items()},
        options={word: {name for cls in classes.values() for name in cls.fields()} for word, classes in named.items()},
        file_heads={word for word, classes in named.items() if any(cls.heads_a_file for cls in classes.values())},
        merges=tuple(words("merge")),
        lists={
            word
            for word, classes in named.items()
            if any(collects(field) for cls in classes.values() for field in cls.model_fields.values())
        },
        metrics={
            "loss": (False, math.inf),
            **{w: (m.larger_is_better, m.most) for w, m in words("metric").items() if issubclass(m, Metric)},
        },
        fields_of=_fields,
    )


def _fields(word: str) -> dict[str, Fields]:
    """Return the fields of a layer, or of each word that a statement can name."""
    named = statements().get(word) or {name: cls for name, cls in layers().items() if name == word}
    return {name: fields_of(cls) for name, cls in named.items()}


def _statement_example(word: str, classes: dict[str, type[Word]]) -> str:
    first = classes.get(word, next(iter(classes.values())))
    example = first.examples[0] if first.examples else first.word
    return example if example.startswith(f"{word} ") else f"{word} {example}"
