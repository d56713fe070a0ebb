"""Signs of other languages: arrows, commas, semicolons, comments, brackets."""

import unicodedata

from nnspec.spec_lang.syntax.misfits.walk import Edit, Meaning, Walk, reads


@reads("call", "after", rank=2)
def another_arrow(walk: Walk) -> Meaning | None:
    """=>, →, -->, >>, |>, >, and a second arrow after the first."""
    ready = walk.state == "after" or (walk.call is not None and (not walk.call.statement or walk.call.word == "input"))
    if walk.kind() != "OTHER_ARROW" or not ready:
        return None
    taken = 1
    while walk.kind(taken) in ("OTHER_ARROW", "NL"):
        taken += 1
    if walk.kind(taken) == "END" or walk.text(taken) in (")", ""):
        return Meaning(taken, "", f'"{walk.text()}" does not fit here', "leave it out")
    after = "" if walk.kind(taken) == "ARROW" else "->"
    blank = " " if not after or walk.piece(taken - 1).end == walk.piece(taken).start else ""
    before = " " if walk.touches(-1) else ""
    return Meaning(
        taken,
        f"{before}{after}{blank}".rstrip() + (blank if after else ""),
        "an arrow is written ->",
        "write ->",
        state="start" if after else None,
    )


@reads("call", "after", "start", rank=1)
def another_blank(walk: Walk) -> Meaning | None:
    """A blank that is no space, as from a web page."""
    if walk.kind() != "BLANK":
        return None
    name = unicodedata.name(walk.text(), "a blank").lower()
    return Meaning(
        1, " ", f"the character U+{ord(walk.text()):04X}, {name}, has no place in a spec", "write an ordinary space"
    )


@reads("start", rank=2)
def an_arrow_too_many(walk: Walk) -> Meaning | None:
    """A second arrow after an arrow, and one before the first layer."""
    if walk.kind() not in ("ARROW", "OTHER_ARROW"):
        return None
    if walk.first and walk.kind() == "OTHER_ARROW" and walk.text() in (">", "»", "►", "▶"):
        return Meaning(1, "", "a line has no bullet", "leave it out")
    help = "write a layer before the arrow, or leave it out" if walk.first else "one arrow is enough"
    return Meaning(1, "", f'"{walk.text()}" does not fit here', help, sure=not walk.first)


@reads("call", "after", rank=2)
def a_sign_at_the_end(walk: Walk) -> Meaning | None:
    """`;`, `,`, `.`, a backslash and an arrow at the end of a line or of a stage."""
    text, after = walk.text(), walk.kind(1)
    if walk.kind() == "ARROW" and after == "END":
        return Meaning(
            1, "", "the line ends too early", "write a layer after the arrow, or leave the arrow out", sure=False
        )
    if text not in (";", ",", ".", "\\", "|", ":") or (after not in ("END", "NL", "ARROW") and walk.text(1) != ")"):
        return None
    says = {";": "a line's end ends a statement; no ; is needed", ",": "no comma is needed at the end"}.get(
        text, f'"{text}" does not fit here'
    )
    return Meaning(1, "", says, f"leave the {text} out")


@reads("call", rank=3)
def a_comma(walk: Walk) -> Meaning | None:
    """A comma or semicolon between arguments, or before the next layer."""
    if walk.text() not in (",", ";", "|", "/", "and", "&", "+") or walk.call is None:
        return None
    if walk.text() in ("&", "and") and walk.brackets:
        return Meaning(1, "|", "branches are joined by + or |", "write | or +", sure=False, state="start")
    if walk.call.lists_names():
        return (
            None if walk.text() == "," else Meaning(1, ",", "names of a list have commas between them", "write a comma")
        )
    begins = (walk.is_stage(1) and walk.text(1) not in walk.call.filled) and not walk.call.statement
    if begins and walk.call.complete() and not (walk.text() == "," and walk.call.place(walk.text(1))):
        if walk.text() in ("|", "+"):
            says = f"branches are joined by {walk.text()} inside brackets, and layers follow each other by ->"
            arrow = f"{' ' if walk.touches(-1) else ''}->{' ' if walk.touches() else ''}"
            branches = walk.brackets or any(piece.text == "skip" for piece in walk.pieces)
            return None if branches else Meaning(1, arrow, says, "write ->", sure=False, state="start")
        return Meaning(1, " ->", "layers are joined by ->", "write ->", state="start")
    if walk.text() in ("|", "+"):
        return None
    glued = walk.touches() and walk.touches(-1)
    return Meaning(
        1,
        " " if glued else "",
        "arguments are separated by spaces, without commas",
        "separate arguments by spaces, not commas",
    )


@reads("call", "after", "start", rank=1)
def another_comment(walk: Walk) -> Meaning | None:
    """A comment after // or --, or between /* and */."""
    if walk.kind() != "COMMENT":
        return None
    text = walk.text()
    for mark in ("//", "/*", "--"):
        text = text.removeprefix(mark)
    return Meaning(1, f"# {text.removesuffix('*/').strip()}", "a comment begins with #", "write # before it")


@reads("after", rank=3)
def a_stage_after_a_bracket(walk: Walk) -> Meaning | None:
    """`(…) dense 10`: an arrow is missing."""
    if not walk.is_stage():
        return None
    name = walk.text()
    return Meaning(0, "-> ", f"an arrow is missing before {name}", f"write -> before {name}", state="start")


@reads("after", rank=4)
def a_factor_after_a_bracket(walk: Walk) -> Meaning | None:
    """`(…) x3`, `(…) * 3`: a repeat."""
    taken = 1 if walk.kind() == "COUNT" else 2 if walk.text() in ("*", "x", "×") and walk.text(1).isdigit() else 0
    if not taken or not walk.opened:
        return None
    number = walk.text()[1:] if taken == 1 else walk.text(1)
    before = Edit(walk.opened[-1], walk.opened[-1], f"repeat {number} ")
    return Meaning(
        taken, "", "repetition is written before the bracket", f"write repeat {number} ( … )", more=(before,)
    )


@reads("call", "after", rank=8)
def a_bracket_too_many(walk: Walk) -> Meaning | None:
    """A closing bracket that closes nothing."""
    if walk.text() not in (")", "]", "}") or walk.brackets:
        return None
    return Meaning(
        1,
        "",
        f'this "{walk.text()}" closes nothing',
        f'leave the "{walk.text()}" out, or write the one that opens it',
        sure=False,
    )
