"""Lets, includes, sweeps, repeats and blocks in other forms."""

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.syntax.grammar import after_word, is_name, value_kind
from nnspec.spec_lang.syntax.misfits.lines import home_of, rest_of
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Meaning, Walk, reads

_DECLARES = ("const", "var", "val", "set", "int", "float", "define", "def", "param", "local", "static", "final")


@reads("start", rank=1)
def a_let_of_another_form(walk: Walk) -> Meaning | None:
    """`let w 16`, `let w: 16`, `const w = 16`, `w = 16`, `$w = 16`, `let $w := 16`."""
    if not walk.first:
        return None
    declared = walk.text() in ("let", *_DECLARES)
    at = 1 if declared else 0
    name, sign = walk.text(at).removeprefix("$"), walk.text(at + 1)
    taken = at + 2 if sign in EQUALS else at + 1
    if not is_name(name) or (not declared and (sign not in ("=", ":=") or walk.kind(at) not in ("WORD", "VARIABLE"))):
        return None
    known = (
        name in walk.words.statements
        or name in walk.words.layers
        or home_of(walk, name)
        or foreign.meant(name, {**walk.words.statements, **walk.words.layers})
    )
    if known and not declared:
        return None
    value, ends = walk.text(taken), walk.kind(taken + 1) == "END" or walk.text(taken + 1) == ";"
    if (
        not ends
        or value_kind(value) in (None, "variable")
        or (walk.text() == "let" and sign == "=" and name == walk.text(at))
    ):
        return None
    used = f"${name}" in walk.source
    text = f"let {name} = {value}"
    says = None if walk.text() == "let" else "a line begins with a layer or a setting"
    help = f"a line begins with a word; a value of your own is written {text}" if not declared else f"write {text}"
    return Meaning(len(walk.pieces), text, says, help, sure=declared or used, state="after")


@reads("start", rank=1)
def an_include_of_another_form(walk: Walk) -> Meaning | None:
    """`include base.nnspec`, `include 'base.nnspec'`, `import "base.nnspec"`, `include("base.nnspec")`."""
    if not walk.first or walk.text() not in ("include", "import", "require", "source", "load"):
        return None
    written = rest_of(walk, 1).strip().rstrip(";").strip("()<> ")
    path = written.strip("'\"`‘’“”")
    if not path.endswith(".nnspec") or '"' in path or "\n" in path:
        return None
    text = f'include "{path}"'
    return (
        Meaning(len(walk.pieces), text, "a path is written in quotes", f"write {text}", state="after")
        if text != rest_of(walk, 0)
        else None
    )


@reads("start", rank=1)
def a_sweep_of_another_form(walk: Walk) -> Meaning | None:
    """`sweep lr = [0.1, 0.01]`, `sweep lr 0.1 0.01`, `sweep lr: 0.1, 0.01`, `sweep lr in (1, 2)`."""
    if not walk.first or walk.text() not in ("sweep", "grid") or walk.kind(1) != "WORD":
        return None
    if after_word("SWEEP", walk.source[walk.piece().end : walk.pieces[-1].end]):
        return None  # a range
    at = 3 if walk.text(2) in (*EQUALS, "in", "over") else 2
    values = [
        piece.text
        for piece in walk.pieces[walk.position + at :]
        if piece.text not in ("[", "]", "(", ")", "{", "}", ",", ";", "to", "and", "or")
    ]
    if not values or any(value_kind(value) is None for value in values):
        return None
    text = f"sweep {walk.text(1)} = {', '.join(values)}"
    return (
        Meaning(
            len(walk.pieces),
            text,
            "the values of a sweep are written a, b, c",
            f"write {text}",
            state="after",
            sure="to" not in [piece.text for piece in walk.pieces],
        )
        if text.replace(" ", "") != rest_of(walk, 0).replace(" ", "")
        else None
    )


@reads("start", rank=1)
def a_repeat_of_another_form(walk: Walk) -> Meaning | None:
    """`repeat(3) (…)`, `repeat 3 times (…)`, `repeat 3x (…)`, `3 x (…)`, `loop 3 (…)`, `3x dense 16`."""
    word = walk.text() in ("repeat", "loop", "times", "for")
    at = 1 if word else 0
    at += walk.text(at) == "("
    number, taken = walk.text(at).lstrip("x×*"), at + 1
    if not number.isdigit() or walk.kind(at) not in ("NUMBER", "COUNT"):
        return None
    taken += walk.text(taken) == ")" and walk.text(at - 1) == "("
    factor = walk.text(taken) in ("x", "X", "×", "*", "times", "of", ":", ",", "layers")
    taken += factor
    if walk.text(taken) == "(" and (word or factor or at == 0):
        if word and taken == 2 and walk.text() == "repeat" and walk.kind(1) == "NUMBER":
            return None
        says = "a repeat is written with its number before the bracket"
        return Meaning(
            taken, f"repeat {number}", says, f"write repeat {number} ( … )", at=1 if walk.text() == "repeat" else 0
        )
    if (not word and not (factor and at == 0)) or (word and walk.text() != "repeat"):
        return None
    end = taken
    while walk.kind(end) not in ("END", "ARROW", "NL", "OTHER_ARROW") and walk.text(end) != ")":
        end += 1
    body = walk.source[walk.piece(taken).start : walk.piece(end - 1).end]
    if end == taken or not walk.is_stage(taken):
        return None
    text = f"repeat {number} ({body})"
    alone = walk.kind(end) == "END"
    return Meaning(
        end,
        text,
        "what is repeated is written in parentheses",
        f"write {text}",
        alone,
        state="after",
        at=taken if word else 0,
    )


@reads("start", rank=1)
def a_block_of_another_form(walk: Walk) -> Meaning | None:
    """`block res w = …`, `block res(w): …`, `block res = …`, `def res(w) = …`."""
    if not walk.first or walk.text() not in ("block", "def", "function", "fn", "macro") or walk.kind(1) != "WORD":
        return None
    index, names = 2, []
    opened = walk.text(2) == "("
    index += opened
    while walk.kind(index) == "WORD" or walk.text(index) in (",", "$") or walk.text(index).startswith("$"):
        if walk.text(index) not in (",", "$"):
            names.append(walk.text(index).removeprefix("$"))
        index += 1
    index += opened and walk.text(index) == ")"
    if walk.text(index) not in (":", "=", ":=", "->", "=>", "{"):
        return None
    text = f"block {walk.text(1)}({', '.join(names)}) ="
    written = walk.source[walk.piece().start : walk.piece(index).end]
    if written.replace(" ", "") == text.replace(" ", "") or walk.text(index) == "{":
        return None
    return Meaning(index + 1, text, "a block is written with its parameters in parentheses and =", f"write {text} …")
