"""Variables and arithmetic as other languages write them: ${width}, {width}, {width*2}, $width/2."""

import re

from nnspec.spec_lang.report.known_words import KnownField
from nnspec.spec_lang.syntax.grammar import is_name, value_kind
from nnspec.spec_lang.syntax.misfits.walk import Walk, Written, reads_values

_SIGNS = "+-*/%"


@reads_values(rank=1)
def a_formula_of_another_form(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """`${width}`, `{width}`, `${width}/2`, `{width*2}` and `$width/2` for a variable or a formula."""
    if walk.kind(ahead) != "VARIABLE" or "$(" in walk.text(ahead):
        return None
    taken = 1
    while walk.touches(ahead + taken - 1) and (
        walk.text(ahead + taken)[:1] in tuple(_SIGNS) or walk.text(ahead + taken - 1)[-1] in _SIGNS
    ):
        taken += 1
    written = walk.source[walk.piece(ahead).start : walk.piece(ahead + taken - 1).end]
    inner = re.sub(r"[${}]", "", written).strip()
    counted = "x" if written.startswith(("x$", "x{")) else ""
    inner = inner[len(counted) :]
    if not counted and wanted.bare is not None and wanted.bare.kinds == ("count",):
        counted = "x"
    text = f"{counted}${inner}" if is_name(inner) else f"{counted}$({inner})"
    if text == written or value_kind(text) is None:
        return None
    says = "a variable is written $name" if is_name(inner) else "arithmetic is written in $( )"
    known = all(re.search(rf"\blet {name}\b", walk.source) for name in re.findall(r"[A-Za-z_]\w*", inner))
    return Written(taken, text, says, sure=known)
