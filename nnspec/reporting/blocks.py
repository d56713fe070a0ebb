"""What a page consists of: blocks of text, tables and pictures, in sections. It knows neither HTML nor runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Paragraph:
    """A sentence or more; `warning` sets it apart."""

    text: str
    warning: bool = False
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows. `right` are columns of numbers; `folded` hides it behind its caption.

    A table with an `id` has columns that sort.
    """

    caption: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    folded: bool = False
    id: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Image:
    """A picture as a data URI, another for dark screens where there is one, and what one sees on it in words.

    `pixels` says that it is a small sample to be enlarged without smoothing.
    """

    light: str
    alt: str
    dark: str = ""
    caption: str = ""
    width: int = 0
    height: int = 0
    pixels: bool = False
    kind: ClassVar[str] = "image"


@dataclass(frozen=True)
class Code:
    """Text in a fixed font: parts, each with the name of its colour, "" for none. `folded` hides it behind a title."""

    parts: Sequence[tuple[str, str]]
    title: str
    folded: bool = False
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Card:
    """One sample: its pictures, and lines such as truth and belief, each a name and a text."""

    images: Sequence[Image]
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Cards:
    """Samples next to each other."""

    caption: str
    cards: Sequence[Card]
    kind: ClassVar[str] = "cards"


@dataclass(frozen=True)
class Chart:
    """Curves of several trials that a reader picks: panels drawn by the page's own script, and a table without it.

    `data` is JSON: series by trial. `caption` says what the axes are.
    """

    caption: str
    data: str
    kind: ClassVar[str] = "chart"


Block = Paragraph | Table | Image | Code | Cards | Chart


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading; `id` is its name in links."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole page: its title, a sentence below it, and its sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    script: bool = False
