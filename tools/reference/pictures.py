"""The pictures of the words: the shapes that a layer takes and returns, the curve of an activation."""

import numpy as np

import nnspec
from nnspec.spec_lang.vocabulary.registry import words
from tools.reference.drawing import case_picture, curve_picture
from tools.reference.words import picture_name, pictured

POINTS = 81


def pictures() -> dict[str, str]:
    """Return every picture by its file name."""
    made: dict[str, str] = {}
    for kind in ("layer", "activation", "merge"):
        for cls in words(kind).values():
            drawn = pictured(cls)
            made |= {picture_name(cls, number): case_picture(case) for number, case in enumerate(drawn)}
            if kind == "activation" and not drawn:
                made[picture_name(cls)] = _curve(cls.word)
    return made


def _curve(word: str) -> str:
    """Return the curve of an activation, computed by a network of it alone."""
    across = np.linspace(-4, 4, POINTS)
    (up,) = nnspec.compile(f"input {POINTS}\n{word}", dtype="float64").predict(across[None])
    return curve_picture(f"{word}(x)", list(zip(across.tolist(), up.tolist(), strict=True)), "x", word)
