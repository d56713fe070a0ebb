"""Writing a network for another program: what is asked for, the ways there are, and the files, all or none."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.exchange import ways as ways_package
from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.trial import Judged
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.report.diagnostics import near, one_of
from nnspec.spec_lang.vocabulary.bases import Layer


@dataclass(frozen=True)
class Leaving:
    """A network that leaves: `name` is that of its files, `samples` are raw ones (batch, *input shape) to try it on.

    `options` are those of the way that were given, by name. `training` are raw samples of the training split, None
    where the data are not here.
    """

    network: Network
    name: str
    samples: np.ndarray
    options: Mapping[str, Any] = field(default_factory=dict)
    training: np.ndarray | None = None
    judged: Judged | None = None

    @cached_property
    def answers(self) -> np.ndarray:
        """What the network predicts for the samples, (batch, *output shape), in the units of the targets."""
        return self.network.predict(self.samples)


@dataclass(frozen=True)
class Files:
    """What a way makes: the bytes of each file by its suffix, and sentences for the user: sizes, agreement, use."""

    content: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


Says = Callable[[type[Layer]], str]


def registered(registry: Mapping[type[Any], Any], but: Mapping[str, str] | None = None) -> Says:
    """Return what a way says of a layer: "yes" where its registry has a function for it, "no" where it has none.

    `but` are other phrases, by the word of the layer: "without dilation", "no: it draws random numbers".
    """

    def says(layer: type[Layer]) -> str:
        found = any(ancestor in registry for ancestor in layer.__mro__)
        return (but or {}).get(layer.word) or ("yes" if found else "no")

    return says


@dataclass(frozen=True)
class Way:
    """A way out. `options` are the names of those it takes besides the network; `about` is a phrase for the help.

    `says` returns "yes" for the class of a layer or merge that goes out, else why not, or what of it does not: a phrase
    for the table of docs/exchange.md. A way without it has no column there. `replaces` says whether it replaces files
    that are there already.
    """

    name: str
    suffixes: tuple[str, ...]
    about: str
    make: Callable[[Leaving], Files]
    options: tuple[str, ...] = ()
    says: Says | None = None
    replaces: bool = True


_WAYS: dict[str, Way] = {}


def way(
    name: str,
    suffixes: tuple[str, ...],
    about: str,
    options: tuple[str, ...] = (),
    says: Says | None = None,
    replaces: bool = True,
) -> Callable[[Callable[[Leaving], Files]], Callable[[Leaving], Files]]:
    """Register the decorated function as a way out.

    It returns the files, with the suffixes in `suffixes`, the first of which names them. It runs them against
    `leaving.answers` where what runs them is installed. It raises ExchangeError where the network cannot go, naming the
    layer, or the answers differ.
    """

    def register(make: Callable[[Leaving], Files]) -> Callable[[Leaving], Files]:
        _WAYS[name] = Way(name, suffixes, about, make, options, says, replaces)
        return make

    return register


def ways() -> dict[str, Way]:
    """Return every way by name."""
    for module in pkgutil.iter_modules(ways_package.__path__):
        importlib.import_module(f"{ways_package.__name__}.{module.name}")
    return dict(sorted(_WAYS.items()))


@dataclass(frozen=True)
class Exported:
    """What was written: the paths, and the sentences of the way."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def export(
    network: Network,
    to: str,
    out: Path | None,
    samples: np.ndarray,
    options: Mapping[str, Any],
    training: np.ndarray | None = None,
    judged: Judged | None = None,
) -> Exported:
    """Write a network for another program and return what was written.

    Arguments:
        network: what to write.
        to: the name of a way.
        out: the path, with the way's first suffix or without; NAME of the spec in the current folder where it is None.
        samples: raw samples (batch, *input shape) on which the files are tried.
        options: those of the way by name.
        training: raw samples of the training split, for the ways that measure on them.
        judged: samples with their targets, for the ways that measure what they cost.

    Nothing is written unless everything has been made and tried. Raises ExchangeError, OSError.
    """
    from nnspec.runtime.train.checkpointing import replace_file

    chosen = _chosen(to)
    for option in options:
        if option not in chosen.options:
            has = f"its options are {', '.join(chosen.options)}" if chosen.options else "it has no options"
            raise ExchangeError(f"{to} has no option {option}; {has}", 2)
    stem = _stem(out, chosen, network)
    made = chosen.make(Leaving(network, stem.name, samples, options, training, judged))
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = {stem.with_name(stem.name + suffix): content for suffix, content in made.content.items()}
    for path in files:
        if not chosen.replaces and path.exists():
            raise ExchangeError(f"{path} exists already: name another file with --out", 2)
    for path, content in files.items():
        replace_file(path, content)
    return Exported(tuple(files), made.notes)


def _chosen(to: str) -> Way:
    known = ways()
    if to not in known:
        close = near(to, known)
        hint = f"did you mean {close}?" if close else f"there is {one_of(known)}"
        raise ExchangeError(f'networks cannot be written for "{to}"; {hint}', 2)
    return known[to]


def _stem(out: Path | None, chosen: Way, network: Network) -> Path:
    """Return the path of the files without a suffix."""
    if out is None:
        return Path(network.spec.name)
    for suffix in chosen.suffixes:
        if out.name.endswith(suffix) and out.name != suffix:
            return out.with_name(out.name.removesuffix(suffix))
    if out.is_dir():
        return out / network.spec.name
    return out
