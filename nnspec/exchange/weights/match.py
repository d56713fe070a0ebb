"""Which module of a file is which layer of the network: by name, by order, or by kind and number."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.weights.modules import Module
from nnspec.exchange.weights.recipes import Filled, Recipe, Slot
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.check.spec import Node
from nnspec.spec_lang.vocabulary.shape import Shape


@dataclass(frozen=True)
class Part:
    """A layer of the network that keeps arrays, and what it would be there."""

    node: Node
    recipe: Recipe

    @property
    def tied(self) -> bool:
        """Whether all its arrays are those of an earlier layer, which a file may repeat or not."""
        return not self.node.parameters() and not self.node.buffers()


@dataclass(frozen=True)
class Pair:
    """A layer and the modules that it is filled from."""

    part: Part
    modules: tuple[Module, ...]

    def filled(self) -> list[Filled]:
        """Return the arrays of the layer."""
        if self.only_bias():
            return [Filled("bias", ("bias",), self.modules[0].arrays["bias"])]
        slots = self.part.recipe.modules
        given = [_roles(module, each) for module, each in zip(self.modules, slots, strict=True)]
        return self.part.recipe.fill(
            [
                {role: module.arrays[key] for role, key in roles.items()}
                for module, roles in zip(self.modules, given, strict=True)
            ]
        )

    def names(self, filled: Filled) -> tuple[str, ...]:
        """Return the full names in the file of what an array was filled from."""
        if not filled.roles:
            return ()
        if self.only_bias():
            return (self.modules[0].names["bias"],)
        slots = self.part.recipe.modules
        wanted = [*((filled.module, role) for role in filled.roles), *filled.more]
        roles = {place: _roles(self.modules[place], slots[place]) for place, _ in wanted}
        return tuple(self.modules[place].names[roles[place][role]] for place, role in wanted)

    def only_bias(self) -> bool:
        """Whether the module keeps the bias alone, and the weight is that of an earlier layer."""
        return "weight" in self.part.node.ties and [*self.modules[0].arrays] == ["bias"]


def pairs_of(parts: Sequence[Part], modules: Sequence[Module], ordered: bool, by: str | None) -> tuple[list[Pair], str]:
    """Return every layer with its modules, and in words how they were matched.

    Arguments:
        parts: the layers that keep arrays, in order.
        modules: those of the file, in its order.
        ordered: whether that is the order of the network.
        by: "name" or "order"; None to take names where every layer has one there, else the order.

    Raises ExchangeError where a layer has no module, or one that does not fit, or a module is left over.
    """
    named = _by_name(parts, modules)
    missing = [part.node.name for part in parts if part.node.name not in named and not part.tied]
    if by == "name" and missing:
        there = ", ".join(module.title for module in modules[:12])
        raise ExchangeError(f"the file has no layer called {missing[0]}; it has {there}")
    if by != "order" and named and not missing:
        _check_all(named.values())
        return list(named.values()), "by name"
    found, said = _by_order(parts, modules) if ordered else _by_kind(parts, modules)
    _check_all(found)
    if by is None:
        _check_names(found, named)
    return found, said


def why_not(part: Part, modules: Sequence[Module]) -> str | None:
    """Return why modules are not a layer, None where they fit."""
    if Pair(part, tuple(modules)).only_bias():
        bias = part.node.layer.parameters(part.node.input_shape)["bias"]
        return _shape_differs("bias", modules[0].arrays["bias"].shape, bias.shape)
    for module, slots in zip(modules, part.recipe.modules, strict=True):
        reason = part.recipe.refuses(module) or _misfit(module, slots)
        if reason is not None:
            return f"{module.title}: {reason}"
    return None


def _misfit(module: Module, slots: Sequence[Slot]) -> str | None:
    roles = _roles(module, slots)
    if not roles and any(_numbered(role) for role in module.arrays):
        needed = ", ".join(slot.role for slot in slots)
        return f"it has {len(module.arrays)} arrays without names, and {len(slots)} are needed: {needed}"
    for slot in slots:
        if slot.role not in roles:
            if not slot.optional:
                has = ", ".join(f"{_short(role)} {_size(array)}" for role, array in module.arrays.items())
                return f"it has no {slot.role}; it has {has}"
            continue
        differs = _shape_differs(slot.role, module.arrays[roles[slot.role]].shape, slot.shape)
        if differs is not None:
            return differs
    for role, array in module.arrays.items():
        if role not in roles.values():
            return f"it has {_short(role)} {_size(array)}, and the layer here has none"
    return None


def _short(role: str) -> str:
    return f"array {role}" if role.isdecimal() else role


def _shape_differs(role: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
    return None if found == wanted else f"its {role} is {Shape(found)}, and {Shape(wanted)} is needed"


def _size(array: Array) -> str:
    return str(Shape(array.shape))


def _roles(module: Module, slots: Sequence[Slot]) -> Mapping[str, str]:
    """Return the key in the module of each role that it has.

    Arrays without names, or with those of another framework, are in the order of the slots.
    """
    if not any(map(_numbered, module.arrays)):
        named = {slot.role: slot.role for slot in slots if slot.role in module.arrays}
        if set(named) <= {"bias"} and len(slots) == len(module.arrays) > len(named):
            return dict(zip((slot.role for slot in slots), module.arrays, strict=True))
        return named
    roles: dict[str, str] = {}
    flat = not any("/" in role for role in module.arrays)  # a list of arrays
    for start, group in groupby(slots, key=lambda slot: "" if flat else slot.role.rpartition("/")[0]):
        here = list(group)
        keys = [role for role in module.arrays if role.rpartition("/")[0] == start]
        given = [slot for slot in here if not _left_out(slot, module)]
        needed = [slot for slot in here if not slot.optional]
        for choice in (given, here, needed):
            if len(choice) == len(keys):
                roles |= {slot.role: key for slot, key in zip(choice, keys, strict=True)}
                break
    return roles


def _numbered(role: str) -> bool:
    return role.rpartition("/")[2].isdecimal()


def _left_out(slot: Slot, module: Module) -> bool:
    """Return whether the arguments of a normalization there say that it has no such array."""
    return module.settings.get({"gamma": "scale", "beta": "center"}.get(slot.role, ""), True) is False


def _by_name(parts: Sequence[Part], modules: Sequence[Module]) -> dict[str, Pair]:
    """Return the layers whose modules have their name, by it."""
    known: dict[str, list[Module]] = {}
    for module in modules:
        base = re.sub(r"\[\d+\]$", "", module.path)
        for name in {module.called, base, base.replace(".", "/")} - {""}:
            known.setdefault(name, []).append(module)
    found = {}
    for part in parts:
        named = known.get(part.node.name, ())
        if len(named) == len(part.recipe.modules):
            found[part.node.name] = Pair(part, tuple(named))
    return found


def _by_order(parts: Sequence[Part], modules: Sequence[Module]) -> tuple[list[Pair], str]:
    """Return the layers with the modules in their order."""
    rest, found = list(modules), list[Pair]()
    for part in parts:
        count = len(part.recipe.modules)
        taken = tuple(rest[:count])
        if part.tied and (len(taken) < count or why_not(part, taken) is not None):
            continue
        if len(taken) < count:
            raise ExchangeError(
                f"the file ends before {part.node.name}: it has {_count(len(modules))} with weights, the network more"
                f"{_so_far(found)}"
            )
        if (reason := why_not(part, taken)) is not None:
            raise ExchangeError(f"{part.node.name} cannot be {reason}{_so_far(found)}")
        found.append(Pair(part, taken))
        del rest[:count]
    if rest:
        titles = ", ".join(module.title for module in rest[:6])
        raise ExchangeError(
            f"the network ends before {titles}: the file has {_count(len(modules))} with weights, "
            f"the network {len(modules) - len(rest)}"
        )
    return found, "by order"


def _by_kind(parts: Sequence[Part], modules: Sequence[Module]) -> tuple[list[Pair], str]:
    """Return the layers with the modules of their kind, in the order of their numbers: dense, dense_1, dense_2."""
    folders = {module.path.rpartition("/")[0] for module in modules}
    if len(folders) > 1:
        listed = ", ".join(sorted(folders)[:4])
        raise ExchangeError(
            f"the file does not say the order of layers in {listed}\n  help: model.save('net.keras') writes a file "
            "that has it, or give the layers of the spec their names there"
        )
    rest, found = list(modules), list[Pair]()
    for part in parts:
        kinds, count = part.recipe.kinds, len(part.recipe.modules)
        taken = [module for module in rest if module.kind in kinds][:count]
        if part.tied and len(taken) < count:
            continue
        if len(taken) < count:
            there = ", ".join(module.path.rpartition("/")[2] for module in rest) or "nothing more"
            kind = kinds[0] if kinds else part.node.layer.word
            raise ExchangeError(f"the file has no {kind} for {part.node.name}: it has {there}{_so_far(found)}")
        if (reason := why_not(part, taken)) is not None:
            raise ExchangeError(f"{part.node.name} cannot be {reason}{_so_far(found)}")
        found.append(Pair(part, tuple(taken)))
        rest = [module for module in rest if module not in taken]
    if rest:
        raise ExchangeError(f"the network has no layer for {', '.join(module.title for module in rest[:6])}")
    return found, "by kind and number"


def _check_all(found: Iterable[Pair]) -> None:
    """Raise ExchangeError where a layer's modules do not fit."""
    for pair in found:
        reason = why_not(pair.part, pair.modules)
        if reason is not None:
            raise ExchangeError(f"{pair.part.node.name} cannot be {reason}")


def _check_names(found: Sequence[Pair], named: Mapping[str, Pair]) -> None:
    """Raise ExchangeError where a layer would be filled from another module than the one with its name."""
    for pair in found:
        name = pair.part.node.name
        if name in named and named[name].modules != pair.modules:
            raise ExchangeError(
                f"in order, {name} would be {pair.modules[0].title}, though the file has another {name}\n  help: "
                "--match order takes the order, --match name the names"
            )


def _so_far(found: Sequence[Pair]) -> str:
    """Return the pairs before the one that failed, in words."""
    if not found:
        return ""
    listed = [f"{pair.part.node.name} is {pair.modules[0].title}" for pair in found[-4:]]
    return f" (before it, {', '.join(listed)})"


def _count(number: int) -> str:
    return f"{number} layer" if number == 1 else f"{number} layers"


def parts_of(nodes: Sequence[Node], recipe: Callable[[Node], Recipe | None]) -> list[Part]:
    """Return the layers that keep arrays, with their recipes. Raises ExchangeError for one without a recipe."""
    parts = []
    for node in nodes:
        shape = node.input_shape
        if not node.layer.parameters(shape) and not node.layer.buffers(shape):
            continue
        found = recipe(node)
        if found is None:
            raise ExchangeError(f"{node.name}: weights of {node.layer.word} are not imported from there")
        parts.append(Part(node, found))
    return parts


def without_counters(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays but whole numbers by themselves, which count batches."""
    return {name: array for name, array in arrays.items() if array.ndim or array.dtype.kind not in "iu"}
