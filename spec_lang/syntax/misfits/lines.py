"""The beginning of a line: settings with a colon or =, options without their statement, lets, bullets, numbers."""

from collections.abc import Mapping

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.known_words import Fields
from nnspec.spec_lang.syntax.misfits.brackets import called, word_called
from nnspec.spec_lang.syntax.misfits.names import name_meant
from nnspec.spec_lang.syntax.misfits.pieces import closing
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Call, Meaning, Walk, reads, value_for

_FIRST_OF = {"optimizer": "adam", "schedule": "constant", "init": "he"}
_HOMES = ("optimizer", "train", "early_stop", "schedule", "loss", "init", "data")
_KEYWORDS = ("let", "block", "include", "sweep", "expect", "variant", "repeat")
_BULLETS = ("-", "*", "•", "–", "—", "+", "·", "○")


def rest_of(walk: Walk, ahead: int) -> str:
    """Return the rest of the statement from the piece at a distance, as it is written."""
    first, last = walk.piece(ahead), walk.pieces[-1]
    return walk.source[first.start : last.end] if first.kind != "END" else ""


@reads("start", rank=2)
def a_bullet(walk: Walk) -> Meaning | None:
    """`- conv 3x3 x8`, `1. dense 10`: a line of a list."""
    if not walk.first:
        return None
    taken = (
        1 if walk.text() in _BULLETS else 2 if walk.text().rstrip(".").isdigit() and walk.text(1) in (".", ")") else 0
    )
    taken = 1 if walk.kind() == "NUMBER" and walk.text().endswith(".") else taken
    if not taken or walk.kind(taken) != "WORD":
        return None
    return Meaning(taken, "", "a line has no bullet or number", f"leave the bullet out: {walk.text()}")


@reads("start", rank=4)
def a_setting_with_a_sign(walk: Walk) -> Meaning | None:
    """`loss: mse`, `optimiser = adam`, `optimizer = Adam(lr=0.1)`, `criterion = nn.MSELoss()`."""
    if not walk.first:
        return None
    found = name_meant(
        walk,
        0,
        walk.words.statements,
        lambda word: foreign.meant(word, walk.words.statements),
        misspelled=False,
        option=True,
    )
    name, taken, known = walk.text(), 1, walk.text() in walk.words.statements
    if found is not None and not known:
        name, taken = found.text, found.taken
    elif not known:
        return None
    sign = walk.text(taken)
    if sign not in EQUALS or walk.kind(taken + 1) == "END" or _option_first(walk, taken):
        return None
    says = "a statement has no colon" if ":" in sign else "a statement has no equals sign"
    call = Call.of(name, walk.words, statement=True)
    inside = walk.piece(taken + 1)
    if walk.text(taken + 2) == "(" and inside.kind == "WORD":
        end = closing(walk.pieces, walk.position + taken + 2)
        meant = word_called(walk, inside.text.split(".")[-1], walk.words)
        if end is not None and meant is not None and meant[1] and meant[0].startswith(f"{name} "):
            walk.position += taken + 1
            text = called(walk, meant[0], walk.pieces[walk.position + 2 : end])
            walk.position -= taken + 1
            if text is None:
                return None
            call.fields, call.named = (call.named or {})[meant[0].split()[1]], None
            call.filled |= text[1]
            return Meaning(end - walk.position + 1, text[0], says, f"write {text[0]}", call=call, state="call")
    return Meaning(
        taken + 1,
        f"{name} " if walk.touches(taken) else name,
        f"{says}",
        f"write {name} {rest_of(walk, taken + 1)}",
        call=call,
        state="call",
    )


def _option_first(walk: Walk, taken: int) -> bool:
    """Return whether a line such as `epochs: 5` or `lr = 0.1` gives an option rather than a setting."""
    text = "_".join(walk.text(n) for n in range(taken)).replace("-", "_").replace("__", "_").lower()
    if "." in text:
        return True
    return text not in walk.words.statements and home_of(walk, text) is not None


def home_of(walk: Walk, name: str) -> tuple[str, str, str, Fields] | None:
    """Return the statement, the word, the field and the fields that an option of this name belongs to."""
    if name in foreign.LENGTHS:
        return "train", "train", "length", walk.words.fields_of("train")["train"]
    for statement in (*_HOMES, *walk.words.statements):
        if statement in walk.words.file_heads:
            continue
        named: Mapping[str, Fields] = walk.words.fields_of(statement)
        first = _FIRST_OF.get(statement, statement)
        for word in sorted(named, key=lambda word: word != first):
            fields = named[word]
            known = name if name in fields else foreign.option_meant(name, fields)
            if known is not None and not (fields[known].bare and statement != "train") and statement != "data":
                return statement, word, known, fields
    return None


@reads("start", rank=5)
def an_option_without_its_statement(walk: Walk) -> Meaning | None:
    """`lr = 0.1`, `epochs: 5`, `batch size 32`, `learning rate: 0.01`, `--epochs 10`."""
    if not walk.first:
        return None
    dashes = 1 if walk.text() in ("-", "--", "–") else 0
    dashes += walk.text(1) == "-" and dashes
    for taken in (2, 3, 1):
        if walk.kind(dashes) not in ("WORD", "TEXT"):
            return None
        name = "_".join(walk.text(dashes + n) for n in range(taken)).replace("_-_", "_").strip("'\"").lower()
        name = name.removeprefix("optimizer.").removeprefix("train.")
        home = None if name in walk.words.statements or name in walk.words.layers else home_of(walk, name)
        if home is not None:
            break
    else:
        return None
    statement, word, field, fields = home
    at = dashes + taken + (walk.text(dashes + taken) in EQUALS)
    value = value_for(walk, at, fields[field])
    if value is None:
        return None
    given = f"{value.text} {foreign.LENGTHS[name]}" if field == "length" else f"{field}={value.text}"
    head = statement if word == statement else f"{statement} {word}"
    call = Call(statement, True, fields, filled={field, "unit"} if field == "length" else {field})
    help = f"write {head} {given}" if field == "length" else f"it is an option of {statement}: write {head} {given}"
    line = _given_in(walk, statement)
    mends = line is None
    if line is not None:
        help = f"it belongs to {statement}: write {given} in line {line}"
    return Meaning(
        at + value.taken,
        f"{head} {given}",
        f"{walk.text(dashes)} is not a statement",
        help,
        sure=len(walk.pieces) <= at + value.taken,
        call=call,
        state="call",
        mends=mends,
    )


def _given_in(walk: Walk, statement: str) -> int | None:
    """Return the number of another line that begins with a statement."""
    here = walk.source.count("\n", 0, walk.piece().start)
    lines = enumerate(walk.source.split("\n"))
    return next((n + 1 for n, line in lines if n != here and line.split()[:1] == [statement]), None)


@reads("start", rank=6)
def a_setting_of_another_spelling(walk: Walk) -> Meaning | None:
    """`early stop patience=5`, `optimiser adam`, `Loss mse`, `criterion mse`, `dataset mnist`, `epochs 10`."""
    if not walk.first or walk.text() in walk.words.statements or walk.kind() == "NUMBER":
        return None
    every = walk.words.statements
    if walk.text() in (*_KEYWORDS, *walk.words.layers, *walk.blocks):
        return None
    found = name_meant(walk, 0, every, lambda word: foreign.meant(word, every))
    if found is None:
        return None
    layer = name_meant(walk, 0, walk.words.layers, lambda word: foreign.meant(word, walk.words.layers, True))
    if layer is not None and (
        layer.taken > found.taken or (layer.taken == found.taken and layer.sure and not found.sure)
    ):
        return None
    call = Call.of(found.text, walk.words, statement=True)
    return Meaning(
        found.taken,
        found.text,
        found.says,
        None if found.taken > 1 else f"did you mean {found.text}?",
        sure=found.sure,
        call=call,
        state="call",
    )


@reads("start", rank=2)
def a_layer_by_its_arguments(walk: Walk) -> Meaning | None:
    """`linear 128 relu`: a word that is another layer where values follow it."""
    word = foreign.LAYERS_WITH_ARGUMENTS.get(walk.text().lower())
    if word is None or walk.kind(1) not in ("NUMBER", "COUNT"):
        return None
    return Meaning(
        1,
        word,
        f"{walk.text()} takes no numbers",
        f"did you mean {word}?",
        call=Call.of(word, walk.words),
        state="call",
    )


@reads("start", rank=7)
def a_layer_of_another_spelling(walk: Walk) -> Meaning | None:
    """`max pool 2`, `Conv2D 3x3 x8`, `fc 10`, `maxpol 2`, `leaky-relu`."""
    if walk.kind() not in ("WORD", "TEXT") or walk.is_stage() or walk.text(1) in ("=", ":", ":="):
        return None
    if walk.first and (walk.text() in walk.words.statements or walk.text() in _KEYWORDS):
        return None
    if walk.text() == "repeat":
        return None
    every = {**walk.words.layers, **dict.fromkeys(walk.blocks), "skip": ""}
    arguments = walk.kind(1) not in ("END", "ARROW", "NL", "OTHER_ARROW")
    found = name_meant(walk, 0, every, lambda word: foreign.meant(word, every, arguments))
    if found is None:
        return None
    unknown = found.text in walk.blocks or found.text == "skip"
    call = Call(found.text, False, None) if unknown else Call.of(found.text, walk.words)
    return Meaning(
        found.taken, found.text, found.says, f"did you mean {found.text}?", sure=found.sure, call=call, state="call"
    )


@reads("start", rank=3)
def a_length_alone(walk: Walk) -> Meaning | None:
    """`10 epochs`: the length of training without its statement."""
    if not walk.first or walk.kind() != "NUMBER":
        return None
    fields = walk.words.fields_of("train").get("train", {})
    value = value_for(walk, 0, fields["length"]) if "length" in fields else None
    unit = foreign.LENGTHS.get(walk.text(value.taken).lower()) if value else None
    if value is None or unit is None:
        return None
    call = Call("train", True, fields, filled={"length", "unit"})
    text = f"train {value.text} {unit}"
    return Meaning(value.taken + 1, text, "a line begins with a word", f"write {text}", call=call, state="call")


@reads("start", rank=3)
def a_shape_alone(walk: Walk) -> Meaning | None:
    """`28x28 -> conv 3x3 x8`: the shape of a sample without its statement."""
    if not walk.first or walk.kind() not in ("SIZE", "NUMBER") or walk.kind(1) not in ("ARROW", "OTHER_ARROW"):
        return None
    fields = walk.words.fields_of("input").get("input", {})
    call = Call("input", True, fields, filled={"shape"})
    text = f"input {walk.text()}"
    return Meaning(1, text, "a line begins with a word", f"write {text}", call=call, state="call")
