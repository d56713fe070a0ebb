"""Samples: read, checked, split, normalized. One source a file; each registers itself."""

from runtime.data.datasets import DATASETS, Dataset, datasets, fetch, missing
from runtime.data.inputs import read_inputs
from runtime.data.load import data_from_arrays, load_data, load_sources, reads
from runtime.data.parts import Data, Part
from runtime.data.preprocessing import Preprocessing
from runtime.data.samples import Samples
from runtime.errors import DataError

__all__ = [
    "DATASETS",
    "Data",
    "DataError",
    "Dataset",
    "Part",
    "Preprocessing",
    "Samples",
    "data_from_arrays",
    "datasets",
    "fetch",
    "load_data",
    "load_sources",
    "missing",
    "read_inputs",
    "reads",
]
