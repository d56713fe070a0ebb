"""The data of a run: read from a source, checked, split and normalized.

Each source has its own module, which registers a reader for its word. Networks, training and the command use this
package; it must not import them, nor the compiler.
"""

from nnspec.runtime.data.datasets import DATASETS, Dataset, datasets, fetch, missing
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
    "datasets",
    "fetch",
    "load_data",
    "missing",
    "read_inputs",
    "reads",
]
