"""Names as people write them: with hyphens, in several words, in quotes, of another tool, misspelled."""

from collections.abc import Callable, Container, Iterable
from difflib import SequenceMatcher

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import near
from nnspec.spec_lang.report.known_words import KnownField
from nnspec.spec_lang.syntax.grammar import is_name
from nnspec.spec_lang.syntax.misfits.pieces import unquoted
from nnspec.spec_lang.syntax.misfits.walk import Walk, Written, reads_values

MOST_WORDS = 4
"""Words of one name, such as `mean squared error loss`."""

HYPHENS = ("-", "–", "‐", "—")

SURE = 0.75
"""How similar a misspelled name is to the one that is meant, for that to be beyond doubt."""

Meant = Callable[[str], str | None]


def name_meant(
    walk: Walk, ahead: int, known: Iterable[str], meant: Meant, misspelled: bool = True, option: bool = False
) -> Written | None:
    """Return the known name that the words ahead mean; the longest run of words decides.

    Arguments:
        meant: the known name of another tool's spelling.
        misspelled: whether a single word may be a known name with a typing error.
        option: whether a sign such as = may follow; else a word before one is no part of the name.
    """
    names = set(known)
    for taken, parts in _runs(walk, ahead):
        if taken > 1 and not option and walk.text(ahead + taken) in ("=", ":"):
            continue
        for joined in ("_".join(parts), "".join(parts)):
            found = joined if joined in names else meant(joined)
            if found is not None and (taken > 1 or found != walk.text(ahead)):
                return Written(taken, found, _how(walk, ahead, taken, joined, found))
    text = walk.text(ahead)
    close = near(text, names) if misspelled and walk.kind(ahead) == "WORD" else None
    if close is None or close == text:
        return None
    return Written(1, close, None, SequenceMatcher(None, text.lower(), close).ratio() >= SURE)


def _runs(walk: Walk, ahead: int) -> list[tuple[int, list[str]]]:
    """Return the words ahead as names, the longest first: how many pieces, and the words."""
    if walk.kind(ahead) == "TEXT":
        inside = unquoted(walk.text(ahead))
        return [(1, inside.replace("-", "_").split())] if inside.strip() else []
    if walk.kind(ahead) != "WORD":
        return []
    runs, taken, parts = [], 1, [walk.text(ahead).split(".")[-1]]
    while True:
        empty = 2 if walk.text(ahead + taken) == "(" and walk.text(ahead + taken + 1) == ")" else 0
        runs.append((taken + empty, list(parts)))
        hyphen = walk.text(ahead + taken) in HYPHENS and walk.touches(ahead + taken - 1) and walk.touches(ahead + taken)
        following = walk.piece(ahead + taken + hyphen)
        if len(parts) == MOST_WORDS or following.kind not in ("WORD", "NUMBER") or empty:
            break
        if following.kind == "NUMBER" and not (hyphen and following.text.isdigit()):
            break
        parts.append(following.text)
        taken += 1 + hyphen
    return runs[::-1]


def _how(walk: Walk, ahead: int, taken: int, joined: str, found: str) -> str | None:
    if walk.kind(ahead) == "TEXT":
        return "a name has no quotes"
    written = walk.source[walk.piece(ahead).start : walk.piece(ahead + taken - 1).end]
    return f'"{written}" is not one word: a name has _ between its parts' if taken > 1 and "(" not in written else None


def of_choices(choices: Container[str]) -> Meant:
    """Return what another tool's spelling means among some choices."""
    return lambda word: foreign.meant(word, choices)


@reads_values(rank=2)
def a_choice(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """cross-entropy, mean squared error, "relu", 'same', nn.ReLU(), Relu, rellu."""
    return name_meant(walk, ahead, wanted.choices, of_choices(wanted.choices)) if wanted.choices else None


@reads_values(rank=6)
def a_free_name(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """my-net, my net and "mnist" where any name is wanted."""
    if wanted.choices or not wanted.bare or wanted.bare.kinds != ("name",):
        return None
    runs = [(taken, "_".join(parts)) for taken, parts in _runs(walk, ahead)]
    found = next(((taken, name) for taken, name in runs if is_name(name)), None)
    if found is None or (found[0] == 1 and found[1] == walk.text(ahead)):
        return None
    return Written(*found, "a name is one word without quotes")


@reads_values(rank=7)
def a_text(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """'file.csv', “file.csv” and file.csv where a text in straight quotes is wanted."""
    kinds = wanted.bare.kinds if wanted.bare else wanted.kinds
    if "text" not in kinds:
        return None
    if walk.kind(ahead) == "TEXT":
        if walk.text(ahead)[0] == '"':
            return None
        return Written(1, f'"{unquoted(walk.text(ahead))}"', "a text needs straight double quotes")
    taken = 0
    while walk.kind(ahead + taken) not in ("END", "NL", "ARROW", "TEXT") and walk.text(ahead + taken) not in (
        "(",
        ")",
        "=",
        ",",
    ):
        taken += 1
        if not walk.touches(ahead + taken - 1):
            break
    if taken < 1:
        return None
    written = walk.source[walk.piece(ahead).start : walk.piece(ahead + taken - 1).end]
    path = any(sign in written for sign in "./\\")
    if not path or written.replace(".", "").isdigit() or "$" in written:
        return None
    return Written(taken, f'"{written}"', "a path is written in quotes")
