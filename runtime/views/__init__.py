"""Pictures, one file each: a module of this package draws the picture of the same name, from plain arrays.

`figures` draws those of a network or a run: a Subject → figures, with one signature for all.

A new picture is a new file with one function under `@picture("name")`; no list names it. Files whose name begins with
an underscore are shared by the pictures. Matplotlib is imported with the first picture, not before.
"""

import functools
import importlib
import io
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from nnspec.runtime.errors import RuntimeFault
from nnspec.spec_lang.report.escapes import escaped_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

STYLES = ("light", "dark", "paper")
"""The styles: on white and on black for screens; for print, also without colours, with a serif font and 300 dpi."""

# Metadata of each format about the date and the software, left out so that equal pictures have equal bytes.
_ANONYMOUS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


class PictureError(RuntimeFault, ValueError):
    """Arrays that a picture cannot show, or a file format that is not supported."""

    def __init__(self, message: str):
        super().__init__(message, exit_code=2)


def picture(name: str) -> Callable[[Callable[P, "Figure"]], Callable[P, "Figure"]]:
    """Register the function as the picture `name`, drawn in the style of `in_style`, not in the user's."""

    def register(draw: Callable[P, "Figure"]) -> Callable[P, "Figure"]:
        @functools.wraps(draw)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> "Figure":
            from nnspec.runtime.views._style import styled

            with styled():
                return draw(*args, **kwargs)

        _drawers[name] = drawn
        return drawn

    return register


@contextmanager
def in_style(name: str) -> Iterator[None]:
    """Draw pictures in a style, one of `STYLES`, while the context lasts. Raises PictureError for another name."""
    from nnspec.runtime.views._style import find_style, styled

    with styled(find_style(name)):
        yield


class _Gallery(Mapping[str, Callable[..., "Figure"]]):
    """The pictures by name. Names are those of the modules, so that only the requested picture is imported.

    It is not a `Registry`: pictures belong to no word, and importing all of them would import Matplotlib to list them.
    """

    def __iter__(self) -> Iterator[str]:
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return iter(sorted(name for name in names if name[0] != "_" and name != "figures"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Callable[..., "Figure"]:
        if name not in list(self):
            raise KeyError(name)
        importlib.import_module(f"{__name__}.{name}")
        return _drawers[name]


_drawers: dict[str, Callable[..., "Figure"]] = {}

PICTURES: Mapping[str, Callable[..., "Figure"]] = _Gallery()
"""Every picture: name → function from arrays to a matplotlib Figure."""


def save_figure(figure: "Figure", path: str | Path) -> Path:
    """Write the figure as PNG, SVG or PDF, by the path's suffix, and return the path; missing folders are created.

    Equal figures give equal bytes: the file contains neither the date nor the software's version.
    Raises PictureError for another suffix, OSError where the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _ANONYMOUS:
        known = ", ".join(_ANONYMOUS)
        ends = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise PictureError(f"{path.name!r} {ends}, and pictures are written as {known}: use {path.stem}.png")
    content = figure_bytes(figure, suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def figure_bytes(figure: "Figure", suffix: str) -> bytes:
    """Return the figure as the bytes of a .png, .svg or .pdf file; equal figures give equal bytes."""
    from nnspec.runtime.views._style import LIGHT, styled

    drawing = io.BytesIO()
    with styled(getattr(figure, "style", LIGHT)):
        figure.savefig(drawing, format=suffix[1:], metadata=_ANONYMOUS[suffix])
    if suffix == ".svg":  # XML cannot hold control characters, which names may
        return escaped_lines(drawing.getvalue().decode()).encode()
    return drawing.getvalue()
