"""Ranges of a sweep in other forms: `0.1 to 0.9`, `loguniform(1e-4, 1e-1)`, `np.linspace(0, 1, 5)`, `8:64:8`."""

import re

from nnspec.spec_lang.syntax.misfits.lines import rest_of
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Meaning, Walk, reads

_N = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_KEY = r"(?P<key>[A-Za-z_][\w.]*)\s*(?:=|:|in\b|over\b|~|from\b)?\s*"
_LOG = r"(?P<log>(?:log(?:arithmic|uniform)?|geometric)\b\s*:?\s*)?"
_PLAIN = r"(?:(?:lin(?:ear)?|uniform|range|from|(?P<between>between))\b\s*)?"
_TO = r"\s*(?:\.\.\.?|…|to\b|until\b|through\b|–|—|-|:)\s*"
_TAIL = (
    rf"(?:\s*,?\s*(?:(?:step(?:s of)?|by|every|stride|:)\s*=?\s*(?P<step>{_N})"
    r"|(?:points|in|num|n|count|steps)\s*=?\s*(?P<points>\d+)(?:\s*(?:points|steps|values))?"
    r"|(?P<counted>\d+)\s*(?:points|steps|values)))?"
    r"(?P<late>\s*,?\s*\(?\s*(?:on a\s+)?(?:in\s+)?log(?:arithmic)?(?:\s*scale|\s*=\s*true)?\)?)?"
)
_AFTER_A_WORD = r"(?(log)\s*,\s*|(?!))|(?(between)\s*and\s*|(?!))"
_SPELT = re.compile(
    rf"{_KEY}{_LOG}{_PLAIN}[\[(]?\s*(?P<a>{_N})(?:{_TO}|{_AFTER_A_WORD})(?P<b>{_N})\s*[\])]?{_TAIL}",
    re.IGNORECASE,
)
_CALLED = re.compile(
    rf"{_KEY}(?:\w+\.)*(?P<name>[A-Za-z_]+)\s*\(\s*(?:(?:low|start|min)\s*=\s*)?(?P<a>{_N})\s*(?:,|\.\.)\s*"
    rf"(?:(?:high|stop|max)\s*=\s*)?(?P<b>{_N})\s*(?:,\s*(?:(?P<word>num|step|n|steps|log)\s*=\s*)?(?P<c>{_N}|true)\s*)?\)",
    re.IGNORECASE,
)
_CALLS = {
    **dict.fromkeys(("loguniform", "log_uniform", "qloguniform", "log", "logrange", "lograndint"), (True, "step")),
    **dict.fromkeys(("geomspace",), (True, "points")),
    **dict.fromkeys(
        ("uniform", "quniform", "randint", "range", "arange", "suggest_int", "suggest_float"), (False, "step")
    ),
    **dict.fromkeys(("linspace", "lin", "linear"), (False, "points")),
}


@reads("start", rank=0)
def a_range_of_another_form(walk: Walk) -> Meaning | None:
    """`sweep lr = 1e-4 to 1e-1 log`, `sweep lr = loguniform(1e-4, 1e-1)`, `sweep w = range(8, 64, 8)`."""
    if not walk.first or walk.text() not in ("sweep", "grid") or walk.kind(1) != "WORD":
        return None
    written = rest_of(walk, 1).rstrip("; ")
    text = _spelt(written) or _called(written)
    if text is None or text.replace(" ", "") == written.replace(" ", ""):
        return None
    whole = f"sweep {text}"
    at = 3 if walk.text(2) in (*EQUALS, "in", "over", "from") else 2
    says = "a range of a sweep is written low..high"
    return Meaning(len(walk.pieces), whole, says, f"write {whole}", state="after", at=at, sure=False)


def _spelt(written: str) -> str | None:
    match = _SPELT.fullmatch(written)
    if match is None:
        return None
    log = bool(match["log"] or match["late"])
    points = match["points"] or match["counted"]
    return _range(match["key"], match["a"], match["b"], log, match["step"], points)


def _called(written: str) -> str | None:
    match = _CALLED.fullmatch(written)
    if match is None:
        return None
    name, third = match["name"].lower(), match["c"]
    a, b = match["a"], match["b"]
    if name == "logspace":  # of powers of ten
        a, b = f"1e{float(a):g}", f"1e{float(b):g}"
        return _range(match["key"], a, b, True, None, third) if third and third.isdigit() else None
    if name not in _CALLS:
        return None
    log, means = _CALLS[name]
    if name in ("range", "arange") and all(n is None or re.fullmatch(r"[+-]?\d+", n) for n in (a, b, third)):
        every = range(int(a), int(b), int(third or 1) or 1)  # without the end
        if len(every) < 2:
            return None
        b = str(every[-1])
    log = log or (match["word"] or "").lower() == "log"
    third = None if third is not None and third.lower() == "true" else third
    step = third if means == "step" and not log else None
    return _range(match["key"], a, b, log, step, third if means == "points" else None)


def _range(key: str, low: str, high: str, log: bool, step: str | None, points: str | None) -> str:
    """Return the range in the form of the language, its smaller end first."""
    low, high = sorted((_number(low), _number(high)), key=float)
    more = f" step {_number(step)}" if step is not None else f" points {points}" if points is not None else ""
    return f"{key} = {'log ' * log}{low}..{high}{more}"


def _number(text: str) -> str:
    """Return a number with a digit before and after its point."""
    text = re.sub(r"^([+-]?)\.", r"\g<1>0.", text)
    return re.sub(r"\.(?=e|$)", ".0", text, flags=re.IGNORECASE)
