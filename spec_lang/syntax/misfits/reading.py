"""A statement or a call that does not fit → what was meant by it, as an edit that the language reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules

from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.automaton import UnexpectedToken
from nnspec.spec_lang.syntax.grammar import OUTSIDE, parse_statement, tokens
from nnspec.spec_lang.syntax.misfits.language import next_meaning
from nnspec.spec_lang.syntax.misfits.pieces import pieces_of
from nnspec.spec_lang.syntax.misfits.walk import Edit, Meaning, Walk

MOST_PIECES, LONGEST = 4000, 40_000
"""Pieces and characters of a statement that is read loosely; a longer one gets the help of the parser alone."""

LONGEST_HELP = 100
"""Characters of a text that help shows whole."""

_BOUNDS = " \t\n=(),"


PASSES = 4
"""How often a text is read until it needs no further edit."""


@dataclass(frozen=True)
class Reading:
    """What a misfit means.

    Arguments:
        span: the place of the mistake.
        says: the message, None for that of the language.
        help: what to write.
        fix: the edit.
        word: the first word of what is meant.
    """

    span: Span
    says: str | None
    help: str
    fix: Fix | None
    word: str

    def of(self, plain: Diagnostic) -> Diagnostic:
        """Return an error with the place, the message, the help and the fix of what is meant."""
        return replace(
            plain, message=self.says or plain.message, span=self.span, notes=(), help=self.help, fix=self.fix
        )


def load_readers() -> None:
    """Import every module of this package, so that its readers are registered."""
    package = import_module("nnspec.spec_lang.syntax.misfits")
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)


def read(
    span: Span, words: KnownWords, blocks: Mapping[str, Sequence[str]] | None = None, line: bool = True
) -> Reading | None:
    """Return what the text of a span means, a line, or else a stage of a network; None if no reading makes it sound.

    `blocks` are the blocks of the spec with their parameters.
    """
    load_readers()
    text, start, end = span.source.text, span.start, span.end
    first: Meaning | None = None
    place = (start, end)
    sure, several = True, False
    for _ in range(PASSES):
        walked = _walked(text, start, end, words, blocks or {}, line)
        if walked is None:
            return None
        edits, meanings, places = walked
        if not edits:
            break
        if first is None:
            first, place = meanings[0], places[0]
            several = len(meanings) > 1
        sure = sure and all(meaning.sure for meaning in meanings)
        text, end = _edited(text, end, edits)
    else:
        return None
    if first is None or not _parses(text[start:end]):
        return None
    return _reading(span, text[start:end], first, place, sure, several)


def _reading(
    span: Span, after: str, first: Meaning, place: tuple[int, int], sure: bool, several: bool
) -> Reading | None:
    begin, old, new = _difference(span.text, after)
    if old == new:
        return None
    at = span.start + begin
    fix = Fix(Span(span.source, at, at + len(old)), new, sure) if first.mends else None
    whole = new.strip() or after.strip()
    written = whole if several or not first.text else first.text.strip()
    help = f"write {written}" if first.help is None or (several and len(written) < LONGEST_HELP) else first.help
    if fix is None and first.text and help.startswith("did you mean"):  # the name alone would be the next error
        help = f"here it is called {first.text.strip()}, with arguments of its own"
    return Reading(Span(span.source, *place), first.says, help, fix, after.split()[0])


def _difference(before: str, after: str) -> tuple[int, str, str]:
    """Return the part in which two texts differ: its offset, and the two texts without what they have in common.

    The part begins and ends between words, an option's name and its value being two.
    """
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    while start and before[start - 1] not in _BOUNDS:
        start -= 1
    while end and before[len(before) - end] not in _BOUNDS:
        end -= 1
    return start, before[start : len(before) - end], after[start : len(after) - end]


def _edited(text: str, end: int, edits: Sequence[Edit]) -> tuple[str, int]:
    """Return the text with the edits, and the end of the span in it."""
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        start, stop, new = edit
        if not new:  # the blanks before what is left out, or after it at the start of a line
            while start and text[start - 1] in " \t":
                start -= 1
            if (start == 0 or text[start - 1] == "\n") and start < edit.start:
                start = edit.start
            if start == edit.start and (start == 0 or text[start - 1] in "\n("):
                while stop < len(text) and text[stop] in " \t":
                    stop += 1
            elif start < edit.start and stop < len(text) and text[stop] not in " \t\n)":
                new = " "
        text = text[:start] + new + text[stop:]
        end += len(new) - (stop - start)
    return text, end


def _walked(
    text: str, start: int, end: int, words: KnownWords, blocks: Mapping[str, Sequence[str]], line: bool = True
) -> tuple[list[Edit], list[Meaning], list[tuple[int, int]]] | None:
    """Return the edits that a text needs, with what they mean and where; None where no reading is found."""
    pieces = pieces_of(text, start, end) if end - start <= LONGEST else []
    if not pieces or len(pieces) > MOST_PIECES:
        return None
    walk = Walk(text, pieces, words, blocks, line=line)
    edits: list[Edit] = []
    meanings: list[Meaning] = []
    places: list[tuple[int, int]] = []
    steps = 0
    while walk.position < len(pieces):
        meaning = next_meaning(walk)
        steps += 1
        if meaning is None or steps > 2 * MOST_PIECES:
            return None
        begin = walk.piece().start
        taken = pieces[walk.position : walk.position + meaning.taken]
        stop = taken[-1].end if taken else begin
        if meaning.text is not None:
            edits += [Edit(begin, stop, meaning.text), *meaning.more]
            meanings.append(meaning)
            mistake = walk.piece(meaning.at)
            last = walk.piece(meaning.at + meaning.width - 1).end if meaning.width else stop
            places.append((mistake.start, last if taken and (meaning.width or not meaning.at) else mistake.end))
        if meaning.fills is not None and walk.call is not None:
            walk.call.filled.add(meaning.fills)
        walk.call = meaning.call if meaning.call is not None else walk.call
        walk.state = meaning.state or walk.state
        walk.position += meaning.taken
    if walk.brackets:
        meaning = Meaning(
            0, ")" * len(walk.brackets), 'this "(" is never closed', 'write the ")" where the part ends', sure=False
        )
        edits.append(Edit(pieces[-1].end, pieces[-1].end, str(meaning.text)))
        meanings.append(meaning)
        places.append((walk.brackets[-1], walk.brackets[-1] + 1))
    complete = walk.state == "after" or (walk.state == "call" and (walk.call is None or walk.call.complete()))
    return (edits, meanings, places) if complete else None


def is_sound(span: Span, words: KnownWords, blocks: Mapping[str, Sequence[str]] | None = None) -> bool:
    """Return whether the language reads the text of a span, apart from the ranges of its values."""
    load_readers()
    walked = _walked(span.source.text, span.start, span.end, words, blocks or {})
    return walked is not None and not walked[0]


def mends(
    span: Span, fix: Fix, words: KnownWords, blocks: Mapping[str, Sequence[str]] | None = None, line: bool = True
) -> bool:
    """Return whether the text of a span is sound with a fix in it."""
    load_readers()
    text = span.source.text[: fix.span.start] + fix.text + span.source.text[fix.span.end :]
    end = span.end + len(fix.text) - (fix.span.end - fix.span.start)
    walked = _walked(text, span.start, end, words, blocks or {}, line)
    return walked is not None and not walked[0] and _parses(text[span.start : end])


def without_fix(plain: Diagnostic, words: KnownWords) -> Diagnostic:
    """Return an error without a fix that does not mend it; the help of a layer's name alone has an example."""
    example = words.layers.get(plain.fix.text) if plain.fix is not None else None
    needs_more = plain.fix is not None and example is not None and example != plain.fix.text
    return replace(plain, fix=None, help=f"write {example}, for example" if needs_more else plain.help)


def _parses(text: str) -> bool:
    """Return whether the grammar accepts a text as one statement."""
    found = [token for token in tokens(Source("", text)) if token.type != "_NL"]
    if not found or any(token.type in OUTSIDE for token in found):
        return False
    try:
        parse_statement(found)
    except UnexpectedToken:
        return False
    return True
