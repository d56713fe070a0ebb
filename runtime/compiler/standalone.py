"""Collects the source of functions with all that they use, so that the text runs without this package.

What a function uses is read from its syntax tree and looked up where it was defined: functions and constants of this
package are written out, once each and before their use; what is of other packages is imported.
"""

import ast
import inspect
import sys
import textwrap
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

PACKAGE = __name__.split(".")[0]


@dataclass
class Standalone:
    """Imports and definitions, in the order in which they are needed. `imported` are objects that are never written
    out, although they belong to this package."""

    imported: frozenset[str] = frozenset()
    imports: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    _known: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        """Add what makes `value` available under a name. Raises ValueError where two different values share one."""
        if name in self._known:
            if self._known[name] is not value and self._known[name] != value:
                raise ValueError(f"the program would need two things called {name}")
            return
        self._known[name] = value
        if isinstance(value, ModuleType):
            self._import(f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else ""))
        elif not callable(value):
            self._add_constant(name, value)
        elif name not in self.imported and _is_ours(value):
            self._add_function(name, value)
        else:
            self._import(f"from {value.__module__} import {value.__name__}" + _renamed(value.__name__, name))

    def add_used(self, text: str, names: dict[str, Any]) -> None:
        """Add those of `names` that a text uses."""
        for name in _used(ast.parse(text)):
            if name in names:
                self.add(name, names[name])

    def attributes_of(self, word: Any) -> dict[str, Any]:
        """Return the fields of a word, and its other attributes that the definitions read, by name."""
        nodes = ast.walk(ast.parse("\n".join(self.definitions)))
        read = dict.fromkeys(node.attr for node in nodes if isinstance(node, ast.Attribute))
        literals = {name: getattr(word, name) for name in read if _is_literal(getattr(word, name, inspect))}
        return {**word.model_dump(), **literals}

    def _import(self, line: str) -> None:
        if line not in self.imports:
            self.imports.append(line)

    def _add_function(self, name: str, function: Any) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        assert isinstance(tree, ast.FunctionDef | ast.ClassDef)
        decorated = isinstance(tree, ast.ClassDef)  # a decorator of a function registers it; one of a class shapes it
        if not decorated:
            tree.decorator_list = []
        source = textwrap.dedent(inspect.getsource(function)).splitlines()
        source = source if decorated else source[tree.lineno - 1 :]
        if tree.name != name:
            source.append(f"\n\n{name} = {tree.name}")
        self.add_used(ast.unparse(ast.Module([tree], [])), _names_of(function))
        self.definitions.append("\n".join(source).rstrip())

    def _add_constant(self, name: str, value: Any) -> None:
        if _is_literal(value):
            self.definitions.append(f"{name} = {value!r}")
            return
        for module in [module for key, module in sys.modules.items() if key.split(".")[0] == PACKAGE]:
            if module.__dict__.get(name) is value and (text := _assignment(module, name)):
                self.add_used(text, vars(module))
                self.definitions.append(text)
                return
        raise ValueError(f"{name} is {value!r}, which cannot be written as a constant")


def used_names(text: str) -> list[str]:
    """Return the names that a program reads, without those in annotations."""
    return _used(ast.parse(text))


def _is_ours(value: Any) -> bool:
    """Whether a function was written for this program rather than installed: of this package, or registered with it."""
    if not isinstance(value, FunctionType | type):
        return False
    if value.__module__.split(".")[0] == PACKAGE:
        return True
    file = inspect.getsourcefile(value) if isinstance(value, FunctionType) else None
    return file is not None and "site-packages" not in file and not file.startswith(sys.base_prefix)


def _names_of(function: Any) -> dict[str, Any]:
    """Return the names that a function sees: those of its module, then those of the function around it."""
    if not isinstance(function, FunctionType):
        return dict(vars(sys.modules[function.__module__]))
    return {**function.__globals__, **inspect.getclosurevars(function).nonlocals}


def _used(tree: ast.AST) -> list[str]:
    """Return the names that a syntax tree reads, without those in annotations, which are never evaluated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    loaded = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return list(dict.fromkeys(loaded))


def _assignment(module: ModuleType, name: str) -> str:
    """Return the statement of a module that sets a name, or nothing."""
    for node in ast.parse(inspect.getsource(module)).body:
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.unparse(node)
    return ""


def _is_literal(value: Any) -> bool:
    """Whether `repr` of a value is a Python literal of the same value."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _renamed(own: str, name: str) -> str:
    return f" as {name}" if own != name else ""
