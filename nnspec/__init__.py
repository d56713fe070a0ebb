"""nnspec: a network, its data and its training as a page of text, compiled to NumPy.

    network = nnspec.compile("input 28x28 -> dense 10 softmax", seed=7)
    run = nnspec.train("conv 3x3 x8 -> maxpool 2 -> dense 10 softmax", data="mnist_sample", out="runs/first")
    network = nnspec.load("runs/first/best.h5")

Everything is imported when it is first used, so that `import nnspec` costs nothing.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.api import check, compile, evaluate, load, occlude, resume, train
    from runtime.errors import CheckpointError, DataError, Interrupted, NetworkError, TrainingError
    from runtime.network import Network
    from runtime.training import Run
    from spec_lang.errors import NNSpecError, SourceError, SpecError

_HOMES = {
    "nnspec.api": ("check", "compile", "evaluate", "load", "occlude", "resume", "train"),
    "runtime.errors": ("CheckpointError", "DataError", "Interrupted", "NetworkError", "TrainingError"),
    "runtime.network": ("Network",),
    "runtime.training": ("Run",),
    "spec_lang.errors": ("NNSpecError", "SourceError", "SpecError"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckpointError",
    "DataError",
    "Interrupted",
    "NNSpecError",
    "Network",
    "NetworkError",
    "Run",
    "SourceError",
    "SpecError",
    "TrainingError",
    "check",
    "compile",
    "evaluate",
    "load",
    "occlude",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nnspec")
    if name not in _HOME:
        raise AttributeError(f"module 'nnspec' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext nnspec` in a notebook: cells that begin with `%%nnspec` are specs from there on."""
    from nnspec.notebook import load as make_known

    make_known(shell)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _our_packages_are_not_hidden() -> None:
    """nnspec's parts are packages of plain names; a file of the user's with such a name would be imported in their
    place."""
    home = Path(__file__).resolve().parent.parent
    for name in ("spec_lang", "runtime", "checkpoints"):
        found = find_spec(name)
        origin = Path(found.origin).resolve() if found is not None and found.origin else None
        if origin is None or origin.parent.parent != home:
            where = origin or f"a folder called {name}"
            raise ImportError(
                f"{where} hides nnspec's own package {name!r}, which lies in {home}: "
                f"rename it, or run from another folder"
            )


_our_packages_are_not_hidden()
