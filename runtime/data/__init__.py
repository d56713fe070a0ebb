"""The data of a run: read from a source, checked, split and normalized.

Each source has its own module, which registers a reader for its word. Networks, training and the command use this
package; it must not import them, nor the compiler. Each name is imported on first use: a prediction reads no data set.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.runtime.data.datasets import DATASETS, Dataset, fetch, missing
    from nnspec.runtime.data.fitted.preprocessing import Preprocessing
    from nnspec.runtime.data.inputs import read_inputs
    from nnspec.runtime.data.load import SOURCES, data_from_arrays, load_data, reads
    from nnspec.runtime.data.samples import Samples
    from nnspec.runtime.data.split import Data, Split
    from nnspec.runtime.errors import DataError

__all__ = [
    "DATASETS",
    "SOURCES",
    "Data",
    "DataError",
    "Dataset",
    "Preprocessing",
    "Samples",
    "Split",
    "data_from_arrays",
    "fetch",
    "load_data",
    "missing",
    "read_inputs",
    "reads",
]

_HOMES = {
    "DATASETS": "nnspec.runtime.data.datasets",
    "Data": "nnspec.runtime.data.split",
    "DataError": "nnspec.runtime.errors",
    "Dataset": "nnspec.runtime.data.datasets",
    "Preprocessing": "nnspec.runtime.data.fitted.preprocessing",
    "SOURCES": "nnspec.runtime.data.load",
    "Samples": "nnspec.runtime.data.samples",
    "Split": "nnspec.runtime.data.split",
    "data_from_arrays": "nnspec.runtime.data.load",
    "fetch": "nnspec.runtime.data.datasets",
    "load_data": "nnspec.runtime.data.load",
    "missing": "nnspec.runtime.data.datasets",
    "read_inputs": "nnspec.runtime.data.inputs",
    "reads": "nnspec.runtime.data.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
