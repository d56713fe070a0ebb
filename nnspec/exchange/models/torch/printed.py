"""The text that print(model) writes of an nn.Sequential. Its arguments are read as literals; nothing is executed."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.torch.words import CONTAINERS, MODULES, Leaf

_POSITIONS = {
    "Conv1d": "in_channels out_channels", "Conv2d": "in_channels out_channels",
    "ConvTranspose1d": "in_channels out_channels", "ConvTranspose2d": "in_channels out_channels",
    "BatchNorm1d": "num_features", "BatchNorm2d": "num_features",
    "InstanceNorm1d": "num_features", "InstanceNorm2d": "num_features",
    "GroupNorm": "num_groups num_channels", "LayerNorm": "normalized_shape",
    "Embedding": "num_embeddings embedding_dim",
    "ZeroPad1d": "padding", "ZeroPad2d": "padding", "ReflectionPad1d": "padding", "ReflectionPad2d": "padding",
    "ReplicationPad1d": "padding", "ReplicationPad2d": "padding",
}  # fmt: skip
"""The names of the arguments that a printed module shows without them."""

MOST_LINES = 20_000


def parsed(text: str) -> Iterator[Leaf]:
    """Yield the modules of a printed model. Raises ExchangeError for any other text."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or len(lines) > MOST_LINES or not re.fullmatch(r"Sequential\(\)?", lines[0]):
        raise ExchangeError(
            "it is not a printed nn.Sequential\n  help: open('model.txt', 'w').write(str(model)), "
            "or nnspec.spec_from(model) in Python"
        )
    path: list[str] = []
    for number, line in enumerate(lines[1:-1] if lines[-1] == ")" else lines[1:], 2):
        if line == ")":
            if not path:
                raise ExchangeError(f"line {number}: it ends before its last line")
            path.pop()
            continue
        found = re.fullmatch(r"\(([\w.-]+)\): (\w+)\((.*)", line)
        if found is None:
            raise ExchangeError(f"line {number} is not a module: {line[:60]!r}")
        name, kind, rest = found.groups()
        if rest == "":
            if kind not in CONTAINERS:
                raise ExchangeError(
                    f"{'.'.join([*path, name])} ({kind}): it has modules inside, whose order is not said"
                )
            path.append(name)
        elif kind in CONTAINERS:
            continue  # an empty one
        else:
            arguments = _arguments(kind, rest, number) if kind in MODULES else {}
            yield Leaf(".".join([*path, name]), kind, arguments)


def _arguments(kind: str, rest: str, number: int) -> dict[str, Any]:
    """Return the arguments in the text of a call, which are literals."""
    try:
        call = ast.parse(f"f({rest}", mode="eval").body
        assert isinstance(call, ast.Call)
        names = _POSITIONS.get(kind, "").split()
        if len(call.args) > len(names):
            raise ValueError
        found = {name: _literal(given) for name, given in zip(names, call.args, strict=False)}
        return found | {str(each.arg): _literal(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
        raise ExchangeError(f"line {number}: the arguments of {kind} are not literals: {rest[:60]!r}") from None


def _literal(node: ast.expr) -> Any:
    """Return a literal; a bare word, as in padding=same, is a text. Raises ValueError for anything else."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
