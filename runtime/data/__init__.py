"""Samples: read, checked, split, normalized. One source a file; each registers itself."""

from nnspec.runtime.data.datasets import DATASETS, Dataset, datasets, fetch, missing
from nnspec.runtime.data.inputs import read_inputs
from nnspec.runtime.data.load import data_from_arrays, load_data, load_sources, reads
from nnspec.runtime.data.preprocessing import Preprocessing
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.split import Data, Split
from nnspec.runtime.errors import DataError

__all__ = [
    "DATASETS",
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
    "load_sources",
    "missing",
    "read_inputs",
    "reads",
]
