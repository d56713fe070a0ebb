"""Expectations in other forms: `expect accuracy at least 95`, `assert val_acc >= 0.95`, `expect 0.9 <= accuracy`."""

import re

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.syntax.grammar import value_kind
from nnspec.spec_lang.syntax.misfits.lines import rest_of
from nnspec.spec_lang.syntax.misfits.walk import Meaning, Walk, reads

_WORDS = ("expect", "expects", "expected", "expectation", "assert", "require", "requires", "ensure")

_SIGNS = {
    ">=": r">=|=>|≥|⩾|:|==?|at least|min(?:imum)?|no less than|reaches|reach|of",
    "<=": r"<=|=<|≤|⩽|at most|max(?:imum)?|no more than|up to",
    ">": r">|above|over|more than|greater than|better than|exceeds",
    "<": r"<|below|under|less than|smaller than",
}
_MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
_SPLITS = {"val": "validation_", "valid": "validation_", "dev": "validation_", "train": "training_", "eval": "test_"}
_SPLITS |= {split: f"{split}_" for split in ("validation", "training", "test")}
_SIGN = re.compile("|".join(f"(?P<s{n}>{pattern})" for n, pattern in enumerate(_SIGNS.values())))
_NUMBER = r"(?P<number>[+-]?(?:\d+(?:[.,]\d+)?|\.\d+)(?:e[+-]?\d+)?|\$\w+)\s*(?P<percent>%|percent|per cent|pct)?"
_METRIC = r"(?P<metric>[a-z]\w*(?:[ .-](?!(?:is|should|must|at|of|no)\b)[a-z]\w*)?)"
_BETWEEN = rf"\s*(?:(?:is|should be|must be|to be)\s+)?(?P<sign>{'|'.join(_SIGNS.values())})\s*(?:or better\s*)?"
_FORWARDS = re.compile(f"{_METRIC}{_BETWEEN}{_NUMBER}", re.IGNORECASE)
_BACKWARDS = re.compile(rf"{_NUMBER}\s*(?P<sign>{'|'.join(_SIGNS.values())})?\s*{_METRIC}", re.IGNORECASE)
_ALONE = re.compile(rf"{_METRIC}\s+{_NUMBER}", re.IGNORECASE)


@reads("start", rank=1)
def an_expectation_of_another_form(walk: Walk) -> Meaning | None:
    """`expect accuracy at least 95 %`, `expect accuracy: 0.9`, `assert acc > 0.9`, `expect a >= 1 and b <= 2`."""
    if not walk.first or walk.text().lower() not in _WORDS or walk.kind(1) == "END":
        return None
    written = rest_of(walk, 1).rstrip(";. ")
    parts = re.split(r"\s*(?:&&?|\band\b|;|,(?!\d))\s*|(?<=[\d%])\s+(?=[a-z_]+\s*[<>])", written)
    conditions = [_condition(part.strip().strip("()"), walk.words) for part in parts]
    if any(condition is None for condition in conditions):
        return None
    text = f"expect {', '.join(str(condition) for condition in conditions)}"
    if text.replace(" ", "") == rest_of(walk, 0).replace(" ", ""):
        return None
    says = "an expectation is a metric, a sign such as >= and a number"
    sure = all("==" not in part and ":" not in part for part in parts)
    return Meaning(len(walk.pieces), text, says, f"write {text}", sure=sure, state="after", at=1)


def _condition(part: str, words: KnownWords) -> str | None:
    """Return a condition in the form of the language, None for what is none."""
    found = _FORWARDS.fullmatch(part) or _BACKWARDS.fullmatch(part) or _ALONE.fullmatch(part)
    if found is None:
        return None
    metric = re.sub(r"[ .-]", "_", found["metric"].lower())
    split, _, bare = metric.partition("_")
    split, bare = (_SPLITS[split], bare) if split in _SPLITS else ("", metric)
    bare = foreign.meant(bare, words.metrics) or bare
    larger, most = words.metrics.get(bare, (False, None))
    said = found.groupdict().get("sign")
    usual = ">=" if larger else "<="
    sign = _sign(said) if said is not None else usual
    if said in ("=", "==", ":"):
        sign = usual
    if found.re is _BACKWARDS and said is not None:
        sign = _MIRRORED[sign]
    number = found["number"].replace(",", ".")
    in_percent = most == 1 and value_kind(number) in ("int", "number") and 1 < float(number) <= 100
    percent = " %" if found["percent"] or in_percent else ""
    return f"{split}{bare} {sign} {number}{percent}"


def _sign(said: str) -> str:
    match = _SIGN.fullmatch(said.lower())
    assert match is not None
    return list(_SIGNS)[int(str(match.lastgroup)[1:])]
