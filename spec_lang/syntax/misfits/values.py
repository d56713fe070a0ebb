"""Values without the option that they are for, and words that are not needed."""

from nnspec.spec_lang.syntax.misfits.names import HYPHENS
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Meaning, Walk, reads, value_for

_NOISE = (
    "features",
    "feature",
    "values",
    "inputs",
    "columns",
    "pixels",
    "classes",
    "outputs",
    "with",
    "of",
    "and",
    "for",
    "units",
    "unit",
    "neurons",
    "nodes",
    "size",
    "window",
    "kernel",
    "layer",
    "layers",
    "activation",
    "degrees",
)


@reads("call", rank=8)
def a_choice_without_its_option(walk: Walk) -> Meaning | None:
    """`conv 3x3 x8 same`: the value of an option without its name; `nesterov`: an option that is yes or no."""
    call = walk.call
    if call is None or not call.fields or walk.kind() not in ("WORD", "TEXT") or walk.text(1) in EQUALS:
        return None
    text = walk.text()
    for wanted in call.fields.values():
        if wanted.bare or wanted.name in call.filled:
            continue
        if text.lower() == wanted.name and "bool" in wanted.kinds:
            return Meaning(1, f"{wanted.name}=yes", f"{wanted.name} is an option", fills=wanted.name)
        if "bool" in wanted.kinds and (off := _negation(walk, wanted.name)):
            return Meaning(off, f"{wanted.name}=no", f"{wanted.name} is an option", fills=wanted.name)
        if text.lower() in wanted.choices and "bool" not in wanted.kinds:
            return Meaning(
                1,
                f"{wanted.name}={text.lower()}",
                f"{text} is a value of {wanted.name}, which needs its name",
                f"name the option: {wanted.name}={text.lower()}",
                fills=wanted.name,
            )
    return None


def _negation(walk: Walk, name: str) -> int:
    """Return how many pieces say "no" before an option: `no bias`, `no_bias`, `nobias`, `no-bias`."""
    if walk.text().lower() in (f"no_{name}", f"no{name}", f"without_{name}"):
        return 1
    if walk.text().lower() in ("no", "without"):
        hyphen = walk.text(1) in HYPHENS
        return 2 + hyphen if walk.text(1 + hyphen) == name else 0
    return 0


@reads("call", rank=8)
def a_number_without_its_option(walk: Walk) -> Meaning | None:
    """`optimizer adam 0.001`, `early_stop 5`, `leaky_relu 0.2`: the number that such a word is known for."""
    call = walk.call
    if call is None or not call.fields or walk.kind() not in ("NUMBER", "RATIO"):
        return None
    options = [found for found in call.fields.values() if not found.bare]
    free = [found for found in options if found.name not in call.filled and found.kinds & {"int", "number", "ratio"}]
    known = [found for found in free if found.name in ("lr", "patience", "split", "decay")] or free
    if len(known) != 1 or any(found.bare for found in call.free() if found.required):
        return None
    value = value_for(walk, 0, known[0])
    if value is None:
        return None
    text = f"{known[0].name}={value.text}"
    return Meaning(
        value.taken,
        text,
        f"{call.word} takes options by their names",
        fills=known[0].name,
        help=f"name the option: {text}",
        sure=not any(
            found.bare and found.kinds & {"int"} and found.name in call.filled for found in call.fields.values()
        ),
    )


@reads("call", rank=9)
def a_word_that_is_not_needed(walk: Walk) -> Meaning | None:
    """`dense 10 units`, `optimizer adam with lr=0.1`."""
    text = walk.text().lower()
    if walk.kind() != "WORD" or text not in _NOISE or walk.text(1) in EQUALS or walk.call is None:
        return None
    return Meaning(1, "", f'"{walk.text()}" is not needed', f'leave "{walk.text()}" out')


@reads("call", rank=2)
def a_list_in_brackets(walk: Walk) -> Meaning | None:
    """`metrics [accuracy, f1]`: a bracket around names."""
    if walk.call is None or not walk.call.lists_names() or walk.text() not in ("[", "]", "(", ")", "{", "}"):
        return None
    return Meaning(1, "", "a list has no brackets", f"leave the {walk.text()} out")
