"""The arrays of a file put together by layer: a module is what one layer keeps, as its framework names it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.exchange.weights.stored import Stored
from nnspec.runtime.arrays import Array


@dataclass(frozen=True)
class Module:
    """The arrays of one layer there. `path` names it in the file, `called` is its own name, `kind` its class if known.

    `arrays` are by their role: weight, kernel, forward/kernel, query/bias; a number for one that the file does not
    name. `names` are the full names in the file, `settings` its arguments, where the file has them.
    """

    path: str
    arrays: Mapping[str, Array]
    names: Mapping[str, str]
    called: str = ""
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name by which a message calls it."""
        return self.called or self.path or next(iter(self.names.values()))


_STACKED = re.compile(r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(\d+)(_reverse)?")
_WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile


def torch_modules(stored: Stored) -> list[Module]:
    """Return the modules of a state_dict, in its order; each of the stacked layers of a recurrent one is one itself.

    What counts batches is no weight and left out.
    """
    found: dict[str, dict[str, str]] = {}
    for name in stored.arrays:
        path, _, role = _separated(_unwrapped(name), ".", stored).rpartition(".")
        if role == "num_batches_tracked":
            continue
        stacked = _STACKED.fullmatch(role)
        if stacked is not None:
            path, role = f"{path}[{stacked[2]}]", f"{stacked[1]}{stacked[3] or ''}"
        elif path.endswith("out_proj") and f"{path.rpartition('.')[0]}.in_proj_weight".lstrip(".") in map(
            _unwrapped, stored.arrays
        ):
            path, role = path.rpartition(".")[0], f"out_proj.{role}"
        elif not _is_role(role):  # an array of its own, such as a class token or positions
            path, role = f"{path}.{role}".lstrip("."), "weight"
        found.setdefault(path, {})[role] = name
    return _put_together(stored, found)


def _separated(name: str, sign: str, stored: Stored) -> str:
    """Return a name with a framework's sign between its parts, also where all names of a file have the other's."""
    other = {".": "/", "/": "."}[sign]
    return name if any(sign in each for each in stored.arrays) else name.replace(other, sign)


def _is_role(role: str) -> bool:
    return role in ("weight", "bias", "running_mean", "running_var") or role.startswith("in_proj")


def _unwrapped(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


_ROLES = {
    "forward_layer": "forward", "backward_layer": "backward", "cell": "", "layer": "",
    "query_dense": "query", "key_dense": "key", "value_dense": "value", "output_dense": "output",
    "query": "query", "key": "key", "value": "value", "attention_output": "output",
}  # fmt: skip
"""Parts of a path that are inside a layer, and what they say of an array."""


def keras_modules(stored: Stored) -> list[Module]:
    """Return the layers of a file of Keras, in the order of the network where the file has one."""
    found: dict[str, dict[str, str]] = {}
    for name in stored.arrays:
        parts = _separated(name, "/", stored).split("/")
        if len(parts) > 1 and parts[-2] == "vars":
            del parts[-2]
        *path, role = parts
        inside: list[str] = []
        while path and (part := _part(path[-1])) is not None:
            inside.insert(0, part)
            path.pop()
        role = "/".join([*filter(None, inside), role.removesuffix(":0")])
        found.setdefault("/".join(path), {})[role] = name
    modules = _put_together(stored, found)
    if stored.order is not None:
        places = {path: place for place, path in enumerate(stored.order)}
        modules.sort(key=lambda module: places.get(module.path, len(places)))
    return modules


def _part(part: str) -> str | None:
    """Return what a part of a path says of an array, "" for nothing; None where it is the name of a layer."""
    if re.fullmatch(r"(lstm|gru|simple_rnn)_cell(_\d+)?", part):
        return ""
    for start in ("forward", "backward"):
        if part.startswith(f"{start}_"):
            return start
    return _ROLES.get(part)


def _put_together(stored: Stored, found: Mapping[str, Mapping[str, str]]) -> list[Module]:
    modules = []
    for path, names in found.items():
        last = path.rpartition("/")[2]
        settings = stored.settings.get(path) or stored.settings.get(last) or {}
        called = stored.called.get(path) or str(settings.get("name") or ("" if "vars" in path else last))
        modules.append(
            Module(
                path,
                {role: stored.arrays[name] for role, name in names.items()},
                names,
                called,
                re.sub(r"_\d+$", "", last),
                settings,
            )
        )
    return modules


def unnamed_modules(stored: Stored, counts: Iterable[int]) -> list[Module]:
    """Return modules of a list of arrays without telling names, as many arrays for each as the next layer keeps."""
    names = list(stored.arrays)
    modules = []
    for count in counts:
        taken, names = names[:count], names[count:]
        roles = {str(place): name for place, name in enumerate(taken)}
        modules.append(Module("", {role: stored.arrays[name] for role, name in roles.items()}, roles))
    if names:
        roles = {str(place): name for place, name in enumerate(names)}
        modules.append(Module("", {role: stored.arrays[name] for role, name in roles.items()}, roles))
    return modules
