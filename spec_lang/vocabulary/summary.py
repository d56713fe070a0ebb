"""The registered words as a `KnownWords`, for the parser and the formatter, which know none themselves."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from nnspec.spec_lang.report.known_words import Fields, KnownWords
from nnspec.spec_lang.vocabulary.fields import collects, fields_of
from nnspec.spec_lang.vocabulary.registry import Word, indexed, layers, statements, words


@cache
def known_words() -> KnownWords:
    """Return all words."""
    stored = indexed()
    parts = stored.summary if stored is not None else summarized()
    metrics = {word: (larger, math.inf if most is None else most) for word, (larger, most) in parts["metrics"].items()}
    return KnownWords(**parts | {"metrics": metrics}, fields_of=_fields)


def summarized() -> dict[str, Any]:
    """Return what `known_words` holds in types that JSON has, with None for a metric without a largest value."""
    named = statements()
    fields = {
        word: [field for cls in classes.values() for field in cls.model_fields.values()]
        for word, classes in named.items()
    }
    from nnspec.spec_lang.vocabulary.metrics import Metric

    metrics = [cls for cls in words("metric").values() if issubclass(cls, Metric)]
    return {
        "layers": {word: cls.examples[0] if cls.examples else word for word, cls in layers().items()},
        "statements": {word: _statement_example(word, classes) for word, classes in named.items()},
        "options": {
            word: sorted({name for cls in classes.values() for name in cls.fields()}) for word, classes in named.items()
        },
        "file_heads": [word for word, classes in named.items() if any(cls.heads_a_file for cls in classes.values())],
        "merges": list(words("merge")),
        "lists": [word for word in named if any(map(collects, fields[word]))],
        "metrics": {
            "loss": (False, None),
            **{m.word: (m.larger_is_better, m.most if math.isfinite(m.most) else None) for m in metrics},
        },
    }


def _fields(word: str) -> dict[str, Fields]:
    """Return the fields of a layer, or of each word that a statement can name."""
    named = statements().get(word) or {name: cls for name, cls in layers().items() if name == word}
    return {name: fields_of(cls) for name, cls in named.items()}


def _statement_example(word: str, classes: Mapping[str, type[Word]]) -> str:
    first = classes.get(word, next(iter(classes.values())))
    example = first.examples[0] if first.examples else first.word
    return example if example.startswith(f"{word} ") else f"{word} {example}"
