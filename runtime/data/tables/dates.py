"""Dates and times as people write them. A column decides whether its days or its months come first."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from nnspec.runtime.errors import DataError

ORDERS = ("day_first", "month_first")

_LONG_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTHS = {name[:3].lower(): number for number, name in enumerate(_LONG_NAMES, 1)}
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
_ZONE = r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?"
_TIME = rf"(?:(?:T|\s+|,\s*){_CLOCK}{_ZONE})?"
_DAY = r"(?P<day>\d{1,2})"
_NAME = rf"(?P<name>(?i:{'|'.join((*_LONG_NAMES, 'Sept', *_MONTHS))}))\.?"
_YEAR = r"(?P<year>\d{4}|\d\d)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<year>\d{{4}})(?P<sign>[-/.])(?P<month>\d{{1,2}})(?P=sign){_DAY}{_TIME}",
        r"(?P<year>\d{4})-(?P<month>\d\d)",
        rf"(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<other>\d{{1,2}})(?P=sign){_YEAR}{_TIME}",
        rf"{_DAY}[\s./-]*{_NAME}[\s./,-]*{_YEAR}{_TIME}",
        rf"{_NAME}\s+{_DAY}(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}",
        rf"{_CLOCK}{_ZONE}",
    )
)


def parse_date(text: str, order: str) -> datetime | None:
    """Return the moment that a text names, in UTC where it names a zone; None where it is not a date.

    ISO 8601, 2020/1/31, 31.1.2020, 1/31/2020, 31 Jan 2020, January 31, 2020, 2020-01, each with a time or without, and
    a time alone, which is on 1 January 1970. Years of two digits are from 1970 to 2069. `order` is one of ORDERS.
    """
    if len(text) > 48:
        return None
    for form in _FORMS:
        if match := form.fullmatch(text):
            try:
                return _moment(match.groupdict(), order)
            except (ValueError, OverflowError):  # such as the 31st of April
                return None
    return None


def order_of(column: str, texts: Iterable[str], given: str | None) -> str | None:
    """Return what comes first in the dates of a column, the day or the month; None where a text is not a date.

    Raises DataError where the texts do not tell, and nothing is given.
    """
    possible: tuple[str, ...] = ORDERS
    differs = None
    for text in texts:
        found = [parse_date(text, order) for order in ORDERS]
        possible = tuple(order for order, moment in zip(ORDERS, found, strict=True) if moment and order in possible)
        if not possible:
            return None
        differs = differs or (text if found[0] != found[1] else None)
    if given in possible:
        return given
    if len(possible) > 1 and differs is not None and "." not in differs:  # no country writes 1.31.2020
        raise DataError(
            f'the dates of column "{column}", as "{differs}", may begin with the day or with the month: write '
            "dates=day_first or dates=month_first"
        )
    return possible[0]


def _moment(found: dict[str, str | None], order: str) -> datetime:
    def part(name: str, otherwise: int) -> int:
        return int(found.get(name) or otherwise)

    year, month, day = part("year", 1970), part("month", 1), part("day", 1)
    if found.get("first"):
        day, month = part("first", 1), part("other", 1)
        if order == "month_first":
            day, month = month, day
    if name := found.get("name"):
        month = _MONTHS[name[:3].lower()]
    if len(found.get("year") or "1970") == 2:
        year += 1900 if year >= 70 else 2000
    hour, half = part("hour", 0), (found.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("not an hour of half a day")
        hour = hour % 12 + (12 if half == "p" else 0)
    micro = int((found.get("fraction") or "0").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, part("minute", 0), part("second", 0), micro)
    zone = found.get("zone") or ""
    if zone and zone[0] in "+-":
        ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        moment += ahead if zone[0] == "-" else -ahead
    return moment
