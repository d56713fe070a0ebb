"""The kernels: C functions in the files of this folder, each taken with what it calls."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

FILES = ("float.c", "int8.c")
"""Where they are, in the order in which they are written."""

_DEFINED = re.compile(r"^static .*?(\w+)\(|^\} (\w+);", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z_]\w*")


@cache
def definitions() -> dict[str, str]:
    """Return the text of every function and type, with its comment, by name, in the order of the files."""
    found = {}
    for file in FILES:
        text = (files(__package__) / file).read_text(encoding="utf-8")
        for block in text.strip().split("\n\n")[1:]:  # the first is the comment of the file
            name = _DEFINED.search(block)
            assert name is not None, block
            found[name.group(1) or name.group(2)] = block
    return found


def needed(names: Iterable[str]) -> list[str]:
    """Return the texts of these kernels and of all that they use, each after what it uses."""
    known, wanted, waiting = definitions(), set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name in known and name not in wanted:
            wanted.add(name)
            waiting += _WORDS.findall(_COMMENT.sub("", known[name]))
    return [text for name, text in known.items() if name in wanted]
