"""nnspec: a network, its data and its training as a page of text, compiled to NumPy.

    network = nnspec.compile("input 28x28 -> dense 10 softmax", seed=7)
    run = nnspec.train("conv 3x3 x8 -> maxpool 2 -> dense 10 softmax", data="mnist_sample", out="runs/first")
    network = nnspec.load("runs/first/best.h5")

Everything is imported on first use, so that `import nnspec` is fast.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.api import (
        check,
        compile,
        cross_validate,
        evaluate,
        export,
        from_bytes,
        import_weights,
        load,
        occlude,
        plot,
        report,
        report_markdown,
        reproduce,
        resume,
        saliency,
        save,
        spec_from,
        sweep,
        train,
    )
    from nnspec.exchange.errors import ExchangeError
    from nnspec.runtime.data.load import data_from_arrays
    from nnspec.runtime.errors import CheckpointError, DataError, Interrupted, NetworkError, TrainingError
    from nnspec.runtime.infer.network import Network
    from nnspec.runtime.sweep.conductor import SweepResult
    from nnspec.runtime.train.cross_validation import CrossValidation
    from nnspec.runtime.train.reproducing import Reproduction
    from nnspec.runtime.train.reproducing_folds import FoldsReproduction
    from nnspec.runtime.train.run import Run
    from nnspec.spec_lang.report.errors import NNSpecError, SourceError, SpecError

_HERE = Path(__file__).resolve().parent
if not (_HERE / "spec_lang").is_dir() and (_HERE.parent / "spec_lang" / "__init__.py").is_file():
    # A checkout: the rooms are folders next to this one, not inside it as in an installed package.
    __path__.append(str(_HERE.parent))

_HOMES = {
    "nnspec.api": (
        "check",
        "compile",
        "cross_validate",
        "evaluate",
        "export",
        "from_bytes",
        "import_weights",
        "load",
        "occlude",
        "plot",
        "report",
        "report_markdown",
        "reproduce",
        "resume",
        "saliency",
        "save",
        "spec_from",
        "sweep",
        "train",
    ),
    "nnspec.exchange.errors": ("ExchangeError",),
    "nnspec.runtime.data.load": ("data_from_arrays",),
    "nnspec.runtime.errors": ("CheckpointError", "DataError", "Interrupted", "NetworkError", "TrainingError"),
    "nnspec.runtime.infer.network": ("Network",),
    "nnspec.runtime.sweep.conductor": ("SweepResult",),
    "nnspec.runtime.train.cross_validation": ("CrossValidation",),
    "nnspec.runtime.train.reproducing": ("Reproduction",),
    "nnspec.runtime.train.reproducing_folds": ("FoldsReproduction",),
    "nnspec.runtime.train.run": ("Run",),
    "nnspec.spec_lang.report.errors": ("NNSpecError", "SourceError", "SpecError"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckpointError",
    "CrossValidation",
    "DataError",
    "ExchangeError",
    "FoldsReproduction",
    "Interrupted",
    "NNSpecError",
    "Network",
    "NetworkError",
    "Reproduction",
    "Run",
    "SourceError",
    "SpecError",
    "SweepResult",
    "TrainingError",
    "check",
    "compile",
    "cross_validate",
    "data_from_arrays",
    "evaluate",
    "export",
    "from_bytes",
    "import_weights",
    "load",
    "occlude",
    "plot",
    "report",
    "report_markdown",
    "reproduce",
    "resume",
    "saliency",
    "save",
    "spec_from",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nnspec")
    if name not in _HOME:
        raise AttributeError(f"module 'nnspec' has no attribute {name!r}")
    from nnspec.spec_lang.garbage import grow_old, nothing_collected

    with nothing_collected():  # a tenth of an import would be the search for garbage
        value = getattr(import_module(_HOME[name]), name)
    grow_old()
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """Register `%%nnspec` for `%load_ext nnspec` in a notebook: a cell that begins with it is a spec."""
    from nnspec.notebook import register_magic

    register_magic(shell)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
