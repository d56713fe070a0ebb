"""The rules of the language as a walk follows them; where they do not fit, the readers are asked."""

from nnspec.spec_lang.syntax.grammar import after_word, is_name
from nnspec.spec_lang.syntax.misfits.names import name_meant, of_choices
from nnspec.spec_lang.syntax.misfits.walk import READERS, Call, Meaning, Walk, accepts, value_for

DEFAULT_WORDS = {"optimizer": "adam", "init": "he", "schedule": "constant"}
"""The word of a statement whose options are given without one."""


def next_meaning(walk: Walk) -> Meaning | None:
    """Return the meaning of the pieces ahead: of a reader, else that of the language itself."""
    if walk.kind() == "NL":
        return Meaning(1)
    for _, _, reader in READERS[walk.state]:
        meaning = reader(walk)
        if meaning is not None:
            return meaning
    if walk.state == "start":
        return _start(walk)
    return _argument(walk) if walk.state == "call" else _after(walk)


def _start(walk: Walk) -> Meaning | None:
    """Read the beginning of a stage or statement by the rules of the language."""
    text = walk.text()
    if text == "(":
        walk.brackets.append(walk.piece().start)
        return Meaning(1)
    if text == "repeat" and walk.text(2) == "(" and (walk.text(1).isdigit() or walk.kind(1) == "VARIABLE"):
        return Meaning(2)
    if walk.kind() != "WORD":
        return None
    if walk.text(1) == ":" and is_name(text) and text not in walk.words.statements and walk.kind(2) != "END":
        return Meaning(2)
    if walk.first and text in ("let", "sweep", "expect", "include", "block"):
        return _keyword(walk)
    if text in walk.blocks or text == "skip":
        return Meaning(1, call=Call(text, False, None), state="call")
    if text in walk.words.layers:
        return Meaning(1, call=Call.of(text, walk.words), state="call")
    if walk.first and text in walk.words.statements:
        return Meaning(1, call=Call.of(text, walk.words, statement=True), state="call")
    return None


def _keyword(walk: Walk) -> Meaning | None:
    """Read a let, a sweep or an include whole, and a block up to its body."""
    text, count = walk.text(), len(walk.pieces)
    if text == "block":
        equals = next((n for n in range(1, count) if walk.text(n) == "=" and walk.text(n - 1) == ")"), None)
        if equals is None or walk.text(2) != "(" or walk.text(equals - 1) != ")":
            return None
        return Meaning(equals + 1)
    if text == "include":
        return (
            Meaning(count, state="after") if count == 2 and walk.kind(1) == "TEXT" and walk.text(1)[0] == '"' else None
        )
    if text == "let" and after_word("LET", walk.source[walk.piece().end : walk.piece(count - 1).end]):
        return Meaning(count, state="after")
    if text == "expect":
        first, last = walk.piece(), walk.piece(count - 1)
        read = after_word("EXPECT", walk.source[first.end : last.end])
        return Meaning(count, state="after") if read else None
    if text == "sweep" and after_word("SWEEP", walk.source[walk.piece().end : walk.piece(count - 1).end]):
        return Meaning(count, state="after")
    return Meaning(count, state="after") if walk.kind(1) == "WORD" and walk.text(2) == "=" and count > 3 else None


def _argument(walk: Walk) -> Meaning | None:
    """Read an argument, or what follows the arguments, by the rules of the language."""
    call, text, kind = walk.call, walk.text(), walk.kind()
    if kind == "ARROW" or text in walk.words.merges or text == ")":
        if call is not None and (not call.complete() or (call.statement and call.word != "input")):
            return None
        return _after(walk)
    if call is None:
        return None
    if call.named is not None:
        return _named(walk, call)
    if kind == "WORD" and walk.text(1) == "=":
        return _option(walk, call)
    if call.fields is None:
        return Meaning(1) if kind in ("WORD", "NUMBER", "SIZE", "COUNT", "RATIO", "TEXT", "VARIABLE") else None
    if text == "," and walk.kind(-1) == "WORD" and call.lists_names():
        return Meaning(1)
    written_alone = call.option(text) if kind == "WORD" else None
    if written_alone is not None and written_alone.alone is not None:
        return Meaning(1, fills=text)
    place = call.place(text)
    values = [(wanted, value_for(walk, 0, wanted)) for wanted in call.free()]
    longer = [(wanted, value) for wanted, value in values if value is not None and value.taken > 1]
    if place is not None and not longer:
        return Meaning(1, fills=place.name)
    for wanted, value in longer or values:
        if value is not None:
            help = f"did you mean {value.text}?" if kind == "WORD" and value.taken == 1 else None
            return Meaning(value.taken, value.text, value.says, help, value.sure, wanted.name)
    return None


def _named(walk: Walk, call: Call) -> Meaning | None:
    """Read the name that a statement chooses, such as `adam`."""

    named = call.named or {}
    text = walk.text()
    if walk.kind() == "VARIABLE":
        return None
    default = DEFAULT_WORDS.get(call.word)
    if walk.text(1) == "=" and walk.text() in named.get(default or "", {}):
        call.fields, call.named = named[str(default)], None
        says = f"{call.word} needs a name first"
        return Meaning(0, f"{default} ", says, f"write {call.word} {default} …", sure=False)
    found = name_meant(walk, 0, named, of_choices(named))
    if text in named and (found is None or found.taken == 1):
        found = None
    elif found is None:
        return None
    first, last = walk.piece(), walk.piece(found.taken - 1 if found else 0)
    call.chosen, call.others = (first.start, last.end), named
    call.fields, call.named = named[found.text if found else text], None
    if found is None:
        return Meaning(1)
    return Meaning(
        found.taken, found.text, found.says, f"did you mean {found.text}?" if found.taken == 1 else None, found.sure
    )


def _option(walk: Walk, call: Call) -> Meaning | None:
    """Read `name=value`, or `name=a, b` of an option with several values."""
    if call.fields is None:
        return Meaning(3)
    wanted = call.option(walk.text())
    if wanted is None or wanted.bare:
        return None
    taken = 3
    while walk.text(taken) == "," and wanted.several:
        taken += 2
    if walk.text(taken) == "," and walk.kind(taken + 1) == "NUMBER" and not wanted.several:
        return None
    if accepts(wanted, walk.text(2)):
        return Meaning(taken, fills=wanted.name)
    return None


def _after(walk: Walk) -> Meaning | None:
    """Read what follows a stage by the rules of the language."""
    text = walk.text()
    if walk.kind() == "ARROW" or (text in walk.words.merges and walk.brackets):
        return Meaning(1, state="start", call=None)
    if text == ")" and walk.brackets:
        walk.opened.append(walk.brackets.pop())
        return Meaning(1, state="after")
    return None
