"""The arguments of a call: options without =, layers without ->, and words that belong elsewhere."""

from dataclasses import replace

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import near
from nnspec.spec_lang.report.known_words import KnownField
from nnspec.spec_lang.syntax.misfits.names import name_meant
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Edit, Meaning, Walk, Written, reads, value_for

_SHARES_OF_VALIDATION = ("val_split", "validation_split", "val_size", "test_size")
"""Options of other tools that give the second share alone."""

_SHARED = ("lr", "weight_decay", "warmup")

_DASHES = ("-", "--", "–", "—")


def option_ahead(walk: Walk, ahead: int = 0) -> tuple[Written, KnownField] | None:
    """Return the option of the call that the words ahead name, also in another spelling."""
    fields = walk.call.fields if walk.call else None
    if not fields:
        return None
    quoted = walk.kind(ahead) == "TEXT" and walk.text(ahead + 1) == ":"
    if walk.kind(ahead) != "WORD" and not quoted:
        return None
    found = name_meant(
        walk, ahead, fields, lambda word: foreign.option_meant(word, fields), misspelled=False, option=True
    )
    if walk.text(ahead) in fields and (found is None or found.taken == 1):
        found = Written(1, walk.text(ahead))
    return (found, fields[found.text]) if found is not None else None


@reads("call", rank=3)
def an_option_without_its_sign(walk: Walk) -> Meaning | None:
    """`batch 64`, `batch: 64`, `batch == 64`, `--batch 64`, `learning rate 0.1`, `padding='same'`, `units=10`."""
    if walk.call is None:
        return None
    dashes = 1 if walk.text() in _DASHES else 0
    while dashes and walk.text(dashes) in _DASHES:
        dashes += 1
    named = option_ahead(walk, dashes)
    if named is None or named[1].name in walk.call.filled:
        return None
    name, wanted = named
    at = dashes + name.taken
    sign = walk.text(at) in EQUALS
    if walk.taken_by() and not sign:
        return None  # an activation of the same name
    if wanted.name == "unit" or (wanted.name == "length" and not sign):
        return None
    value = value_for(walk, at + sign, wanted)
    if (
        value is None
        and sign
        and walk.piece(at + 1).kind == "NUMBER"
        and wanted.bare
        and wanted.bare.kinds == ("count",)
    ):
        value = Written(1, f"x{walk.text(at + 1)}")
    if value is None and "size" in (wanted.bare.kinds if wanted.bare else ()):
        return None
    if value is None:
        return None
    if walk.text(dashes).lower() in _SHARES_OF_VALIDATION:
        value = replace(value, text="/".join(value.text.split("/")[::-1]))
    text = value.text if wanted.bare else f"{wanted.name}={value.text}"
    taken = at + sign + value.taken
    if walk.source[walk.piece().start : walk.piece(taken - 1).end].replace(" ", "") == text.replace(" ", ""):
        return None
    says: str | None
    if wanted.bare:
        says = f"{walk.call.word} takes its {wanted.name} without a name"
    elif not sign or walk.text(at) != "=":
        says = f"{wanted.name} is an option: it needs ="
    elif wanted.name != walk.text(dashes):
        says = f'{walk.call.word} has no option "{walk.text(dashes)}"'
    else:
        says = value.says
    sure = name.sure and value.sure
    renamed = (
        wanted.name != walk.text(dashes)
        and sign
        and not wanted.bare
        and walk.text(at) == "="
        and value.text == walk.text(at + 1)
        and not dashes
    )
    if renamed:
        help = f"here it is called {wanted.name}: write {text}"
        return Meaning(taken, text, says, help, sure, wanted.name, width=name.taken)
    return Meaning(taken, text, says, sure=sure, fills=wanted.name)


@reads("call", rank=6)
def a_misspelled_option(walk: Walk) -> Meaning | None:
    """`strde=2`."""
    fields = walk.call.fields if walk.call else None
    if not fields or walk.kind() != "WORD" or walk.text(1) != "=" or walk.text() in fields:
        return None
    options = [
        name for name, found in fields.items() if not found.bare and name not in (walk.call.filled if walk.call else ())
    ]
    close = near(walk.text(), options)
    if close is None:
        return None
    value = value_for(walk, 2, fields[close])
    if value is None:
        return None
    named = name_meant(walk, 0, options, lambda word: None)
    word = walk.call.word if walk.call else ""
    return Meaning(
        2 + value.taken, f"{close}={value.text}", f'{word} has no option "{walk.text()}"',
        f"did you mean {close}?" if value.says is None and value.text == walk.text(2) else None,
        sure=value.sure and (named is None or named.sure), fills=close, width=int(value.text == walk.text(2)),
    )  # fmt: skip


@reads("call", rank=2)
def several_numbers_without_their_option(walk: Walk) -> Meaning | None:
    """`schedule milestones 30, 60` of a word with one option of several numbers."""
    fields = walk.call.fields if walk.call else None
    if not fields or walk.kind() != "NUMBER" or walk.text(1) != "," or walk.kind(2) != "NUMBER":
        return None
    wanted = next((field for field in fields.values() if field.several and "number" in field.kinds), None)
    value = value_for(walk, 0, wanted) if wanted is not None else None
    if wanted is None or value is None or walk.call is None or wanted.name in walk.call.filled:
        return None
    return Meaning(value.taken, f"{wanted.name}={value.text}", "several numbers need a name", fills=wanted.name)


@reads("call", rank=2)
def a_length(walk: Walk) -> Meaning | None:
    """`train epochs=10`, `train epochs 10`, `train for 10 epochs`, `train 10epochs`, `train 10 epoch`."""
    fields = walk.call.fields if walk.call else None
    if not fields or not {"length", "unit"} <= set(fields) or walk.call is None or "length" in walk.call.filled:
        return None
    lead = 1 if walk.text() in ("for", "during", "length", "duration") else 0
    lead += lead and walk.text(lead) == "="
    named = foreign.LENGTHS.get(walk.text(lead).lower())
    if named is not None:
        sign = walk.text(lead + 1) in EQUALS
        value = value_for(walk, lead + 1 + sign, fields["length"])
        if value is None:
            return None
        walk.call.filled.add("unit")
        text = f"{value.text} {named}"
        return Meaning(
            lead + 1 + sign + value.taken, text, f"the length of training is written {text}", f"write {text}",
            fills="length",
        )  # fmt: skip
    value = value_for(walk, lead, fields["length"])
    after = walk.text(lead + value.taken).lower() if value is not None else ""
    unit = foreign.LENGTHS.get(after)
    if (
        value is None
        or unit is None
        or (lead == 0 and value.text == walk.text() and unit == after and not walk.touches())
    ):
        return None
    walk.call.filled.add("unit")
    text = f"{value.text} {unit}"
    says = value.says or f"the length of training is written {text}"
    return Meaning(lead + value.taken + 1, text, says, f"write {text}", fills="length")


@reads("call", rank=1)
def an_option_of_another_place(walk: Walk) -> Meaning | None:
    """`in_channels=3`, `shuffle=True`, `verbose=1`: nothing to write here."""
    call = walk.call
    if (
        call is None
        or not call.fields
        or walk.kind() != "WORD"
        or walk.text(1) not in ("=", ":")
        or walk.text() in call.fields
    ):
        return None
    name = walk.text().lower()
    if name not in foreign.NEEDLESS or foreign.option_meant(name, call.fields):
        return None
    taken = 3
    if walk.text(2) in ("(", "["):
        while taken < 40 and walk.text(taken - 1) not in (")", "]", ""):
            taken += 1
    return Meaning(taken, "", f'{call.word} has no option "{name}"', foreign.NEEDLESS[name])


@reads("call", rank=7)
def an_option_of_another_word(walk: Walk) -> Meaning | None:
    """`optimizer sgd momentum=0.9`: an option of a word of the same kind."""
    call = walk.call
    if call is None or call.chosen is None or walk.kind() != "WORD" or call.filled - set(_SHARED):
        return None
    sign = walk.text(1) in EQUALS
    if walk.text() in (call.fields or {}):
        return None
    for word, fields in call.others.items():
        name = walk.text() if walk.text() in fields else foreign.option_meant(walk.text(), fields)
        if name is None or not call.filled <= set(fields):
            continue
        value = value_for(walk, 1 + sign, fields[name])
        if value is None:
            return None
        chosen, call.fields = call.chosen, fields
        text = f"{name}={value.text}"
        return Meaning(
            1 + sign + value.taken, text, f'{walk.source[chosen[0] : chosen[1]]} has no option "{walk.text()}"',
            f"{word} has it: write {word} {text}", sure=word == "momentum", fills=name, more=(Edit(*chosen, word),),
        )  # fmt: skip
    return None
