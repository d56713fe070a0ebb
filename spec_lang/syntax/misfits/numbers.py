"""Numbers as people write them: 10k, 80%, 0,5, 1/2, 10^-3, x 8, and shares."""

import re
from fractions import Fraction

from nnspec.spec_lang.report.known_words import KnownField
from nnspec.spec_lang.syntax.misfits.walk import Walk, Written, reads_values

_ONE_AFTER_ANOTHER = "its numbers follow one another with blanks between them"
_POWERS = {"k": 3, "K": 3, "m": 6, "M": 6, "mio": 6}
_EVERY_PLAIN = re.compile(r"[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,2})?")
"""A number that is computed exactly; longer ones are not read, for 1e999999999 has as many digits."""


def plain(text: str) -> str:
    """Return a number without underscores and with an ordinary minus."""
    return text.replace("_", "").replace("−", "-")


def whole(number: Fraction) -> str | None:
    """Return a whole number as text, None for another."""
    return str(number.numerator) if number.denominator == 1 else None


def decimal(number: Fraction) -> str:
    """Return a number as a decimal, as short as it is exact."""
    return whole(number) or f"{float(number):.12g}"


def _takes_numbers(wanted: KnownField) -> bool:
    return bool({"number", "int"} & _kinds(wanted))


def _kinds(wanted: KnownField) -> frozenset[str]:
    return frozenset(wanted.bare.kinds) if wanted.bare else wanted.kinds


def written_number(wanted: KnownField, number: Fraction) -> str | None:
    """Return a number as a field takes it, None if the field takes whole numbers and this is not one."""
    kinds = _kinds(wanted)
    if kinds == {"count"}:
        return f"x{number.numerator}" if number.denominator == 1 else None
    return decimal(number) if "number" in kinds else whole(number)


@reads_values(rank=2)
def a_number_with_a_unit(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """10k, 1.5M, 80 %."""
    if walk.kind(ahead) != "NUMBER" or not _EVERY_PLAIN.fullmatch(plain(walk.text(ahead))):
        return None
    number, after = Fraction(plain(walk.text(ahead))), walk.text(ahead + 1)
    written = walk.text(ahead) + after
    if after in _POWERS and walk.touches(ahead):
        text = written_number(wanted, number * 10 ** _POWERS[after])
        return Written(2, text, f"{written} is not a number of the language") if text else None
    if after == "%" and "number" in _kinds(wanted):
        return Written(2, decimal(number / 100), "a share is written as a number")
    return None


@reads_values(rank=1)
def several_numbers(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """[30, 60], 30 60 and 30/60 for an option of several numbers, which are written 30, 60."""
    if not wanted.several or "number" not in wanted.kinds:
        return None
    opened = walk.text(ahead) in ("(", "[", "{")
    at, numbers = ahead + opened, []
    while walk.kind(at) == "NUMBER":
        numbers += walk.text(at).split("/")
        at += 1 + (walk.text(at + 1) in (",", "/", ";"))
    if not numbers or (opened and walk.text(at) not in (")", "]", "}")):
        return None
    return Written(at + opened - ahead, ", ".join(numbers), "several numbers are written a, b, c")


@reads_values(rank=1)
def an_order(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """2, 1, 3 and (2, 1, 3) and 2x1x3 for the order of axes, whole numbers one after another."""
    if not wanted.collects or wanted.bare is None or wanted.bare.kinds != ("int",):
        return None
    taken, numbers = int(walk.text(ahead) in ("(", "[")), []
    if walk.kind(ahead) == "SIZE":
        taken, numbers = 1, walk.text(ahead).split("x")
    while walk.text(ahead + taken).isdecimal():
        numbers.append(walk.text(ahead + taken))
        taken += 2 if walk.text(ahead + taken + 1) == "," else 1
    taken += walk.text(ahead + taken) in (")", "]")
    signs = taken != len(numbers)
    order = sorted(numbers) == [str(axis) for axis in range(1, len(numbers) + 1)]
    return Written(taken, " ".join(numbers), _ONE_AFTER_ANOTHER) if signs and order and len(numbers) > 1 else None


@reads_values(rank=3)
def a_number_with_a_separator(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """50,000 and 50 000 and 50'000 for a whole number, 0,5 for a fraction."""
    first, sign, last = (walk.text(ahead + n) for n in range(3))
    kinds = _kinds(wanted)
    if not first.isdigit():
        return None
    glued = sign in (",", "'", "’") and walk.touches(ahead) and walk.touches(ahead + 1) and last.isdigit()
    if glued and "number" in kinds and sign == "," and first == "0":
        return Written(3, f"{first}.{last}", "a decimal is written with a point")
    if glued and len(last) == 3 and kinds & {"int", "number"} and first != "0":
        groups = 3
        while walk.text(ahead + groups) == sign and len(walk.text(ahead + groups + 1)) == 3:
            last += walk.text(ahead + groups + 1)
            groups += 2
        return Written(groups, first + last, "a number has no separators of thousands")
    spaced = (
        "int" in kinds
        and "size" not in kinds
        and len(sign) == 3
        and sign.isdigit()
        and walk.kind(ahead + 1) == "NUMBER"
    )
    if spaced and len(first) <= 3 and not walk.touches(ahead):
        return Written(2, first + sign, "a number has no separators of thousands", sure=sign == "000")
    return None


@reads_values(rank=4)
def a_number_of_another_form(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """1_000, 1e4 and 10.0 for a whole number, −1 with a typographic minus, 0.001f."""
    text = plain(walk.text(ahead))
    if walk.kind(ahead) != "NUMBER" or not _takes_numbers(wanted) or not _EVERY_PLAIN.fullmatch(text):
        return None
    shown = text if text != walk.text(ahead) and "number" in _kinds(wanted) else None
    shown = shown or (written_number(wanted, Fraction(text)) if "number" not in _kinds(wanted) else text)
    if shown is None:
        return None
    suffix = walk.text(ahead + 1) == "f" and walk.touches(ahead)
    message = None if shown == text else f"a whole number is written {shown}"
    return Written(2 if suffix else 1, shown, "a number has no suffix" if suffix else message)


@reads_values(rank=3)
def a_computed_number(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """1/2 where a number is wanted, 10^-3, 10**-3, 2**10."""
    text = walk.text(ahead)
    if (
        walk.kind(ahead) == "RATIO"
        and text.count("/") == 1
        and "number" in _kinds(wanted)
        and "ratio" not in _kinds(wanted)
    ):
        above, below = text.split("/")
        if not (_EVERY_PLAIN.fullmatch(above) and _EVERY_PLAIN.fullmatch(below)):
            return None
        return (
            Written(1, decimal(Fraction(above) / Fraction(below)), "a fraction is written as a decimal")
            if Fraction(below)
            else None
        )
    if walk.text(ahead + 1) not in ("^", "**") or not re.fullmatch("[0-9]{1,9}", text) or not _takes_numbers(wanted):
        return None
    minus = walk.text(ahead + 2) in ("-", "−")
    exponent = plain(walk.text(ahead + 3 if minus else ahead + 2))
    if not re.fullmatch(r"[-+]?\d{1,2}", exponent):
        return None
    number = Fraction(int(text)) ** int(f"-{exponent}" if minus else exponent)
    shown = f"{float(number):g}" if number.denominator != 1 else whole(number)
    return Written(4 if minus else 3, shown or "", "a number is written out")


@reads_values(rank=2)
def shares(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """80%, 0.8, 80:20, 80-20, 0.8, 0.2 and 80 20 where shares such as 80/20 are wanted."""
    if "ratio" not in wanted.kinds or walk.kind(ahead) not in ("NUMBER", "RATIO"):
        return None
    taken, parts = 1, re.split("/", plain(walk.text(ahead)))
    if walk.text(ahead + 1) == "%":
        taken = 2
    while walk.text(ahead + taken) in (":", "-", "/", ",", "–") and walk.kind(ahead + taken + 1) == "NUMBER":
        parts.append(plain(walk.text(ahead + taken + 1)))
        taken += 2
        taken += walk.text(ahead + taken) == "%"
    parts_more = walk.kind(ahead + taken) == "NUMBER" and plain(walk.text(ahead + taken)).startswith("-")
    if parts_more and len(parts) == 1:  # 80-20, read as 80 and -20
        parts.append(plain(walk.text(ahead + taken))[1:])
        taken += 1
    try:
        if not all(_EVERY_PLAIN.fullmatch(part) for part in parts):
            return None
        numbers = [Fraction(part) for part in parts]
    except ValueError:
        return None
    if all(number < 1 for number in numbers):
        numbers = [100 * number for number in numbers]
    if len(numbers) == 1 and 0 < numbers[0] < 100:
        numbers.append(100 - numbers[0])
    text = "/".join(map(decimal, numbers))
    return Written(taken, text, "shares are written with a slash") if len(numbers) > 1 else None


@reads_values(rank=1)
def a_count(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """x 8, 8x, X8, ×8, 8 filters where a count such as x8 is wanted; 8 alone is read with the word's own arguments."""
    if not wanted.bare or wanted.bare.kinds != ("count",):
        return None
    text, after = walk.text(ahead), walk.text(ahead + 1)
    says = "a count is written with an x before it, without a blank"
    if text in ("x", "X") and after in ("-", "−") and walk.text(ahead + 2).isdigit():
        return Written(3, f"x{walk.text(ahead + 2)}", f"{wanted.name} cannot be negative", sure=False)
    if text in ("x", "X", "×", "*") and after.isdigit():
        return Written(2, f"x{after}", says)
    if walk.kind(ahead) == "COUNT":
        return Written(1, f"x{text[1:]}", says)
    if text.isdigit() and after in ("x", "X", "×") and walk.touches(ahead):
        return Written(2, f"x{text}", says)
    if text.isdigit() and after in ("filters", "filter", "channels", "maps", "kernels"):
        return Written(2, f"x{text}", "a number of filters is written as a count")
    alone = walk.call is not None and not any("int" in (f.bare.kinds if f.bare else ()) for f in walk.call.free())
    if text.isdigit() and alone and walk.kind(ahead) == "NUMBER":
        return Written(1, f"x{text}", f"{wanted.name} are written as a count")
    return None


@reads_values(rank=6)
def a_whole_number_from_a_count(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """x10 where a whole number is wanted."""
    text = walk.text(ahead)
    if text.isdigit() and walk.text(ahead + 1) in ("x", "X") and walk.touches(ahead) and "int" in _kinds(wanted):
        return Written(2, text, f"{wanted.name} is a whole number, not a count")
    if walk.kind(ahead) != "COUNT" or "int" not in _kinds(wanted):
        return None
    return Written(1, text[1:], f"{wanted.name} is a whole number, not a count")


@reads_values(rank=6)
def yes_or_no(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """0 and 1, None and the like where yes or no is wanted."""
    text = walk.text(ahead).lower()
    if "bool" not in wanted.kinds:
        return None
    meant = {
        "1": "yes",
        "0": "no",
        "none": "no",
        "null": "no",
        "y": "yes",
        "n": "no",
        "ja": "yes",
        "enabled": "yes",
        "disabled": "no",
    }.get(text)
    return Written(1, meant, f"{wanted.name} is yes or no") if meant else None


_SMALL = "zero one two three four five six seven eight nine ten eleven twelve"

_WORDS = {
    **{word: str(number) for number, word in enumerate(_SMALL.split())},
    "sixteen": "16",
    "twenty": "20",
    "thirty": "30",
    "fifty": "50",
    "hundred": "100",
    "thousand": "1000",
}
_PARTS = {"half": "0.5", "quarter": "0.25"}


@reads_values(rank=7)
def a_number_in_words(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """ten, half, and "0.1" in quotes."""
    text = walk.text(ahead)
    if not _takes_numbers(wanted):
        return None
    if walk.kind(ahead) == "TEXT":
        inside = plain(text[1:-1].strip())
        return Written(1, inside, "a number has no quotes") if _EVERY_PLAIN.fullmatch(inside) else None
    number = _WORDS.get(text.lower()) or (_PARTS.get(text.lower()) if "number" in _kinds(wanted) else None)
    return Written(1, number, f"a number is written in digits: {number}") if number else None
