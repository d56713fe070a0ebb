"""Which module imports which, read from the source files alone."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("spec_lang", "runtime", "checkpoints", "nnspec")
"""Folders at the root that are installed as packages: `nnspec` itself, and the others inside it."""


@dataclass(frozen=True, order=True)
class Import:
    """An import statement, or a string that names a module: the importing module, the imported one, where it is."""

    importer: str
    imported: str
    place: str


def module_of(path: Path) -> str:
    """Return the name under which a file is imported: runtime/train/step.py is nnspec.runtime.train.step."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    inside = parts if parts[0] == "nnspec" else ("nnspec", *parts)
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


@cache
def modules() -> dict[str, Path]:
    """Return the file of every module of the installed package."""
    return {module_of(path): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}


@cache
def imports() -> tuple[Import, ...]:
    """Return every import of every module, at any depth of a file, in any form.

    Forms are `import a.b`, `from a import b`, relative imports, and strings that name a module of ours (the arguments
    of importlib, tables of names imported on first use).
    """
    return tuple(
        Import(module, imported, f"{path.relative_to(ROOT)}:{line}")
        for module, path in modules().items()
        for imported, line in imports_of(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")
    )


def imports_of(text: str, module: str, is_package: bool = False) -> Iterator[tuple[str, int]]:
    """Yield (name, line) for every import in the source text of a module."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=name, names=names, level=level):
                base = importlib.util.resolve_name("." * level + (name or ""), package) if level else name or ""
                yield from ((f"{base}.{a.name}" if _is_ours(f"{base}.{a.name}") else base, node.lineno) for a in names)
            case ast.Constant(value=str(value)) if re.fullmatch(r"\.*\w+(\.\w+)*\.?", value):
                yield from ((name, node.lineno) for name in _named(value, package))


def _named(value: str, package: str) -> Iterator[str]:
    """Yield the module that a string names, absolutely or relative to a package."""
    name = value.rstrip(".")
    if name.startswith("."):
        level = len(name) - len(name.lstrip("."))
        if level > package.count(".") + 1:
            return
        name = importlib.util.resolve_name(name, package)
    if name.startswith("nnspec.") and _is_ours(name):
        yield name


def _is_ours(name: str) -> bool:
    return name in modules()
