"""`data arrays`: samples that a program gives in memory, which no file has."""

from pathlib import Path
from typing import NoReturn

from nnspec.runtime.data.load import reads
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.given_arrays import GivenArrays


@reads(GivenArrays)
def load_arrays(word: GivenArrays, folder: Path) -> NoReturn:
    """Raise DataError: the samples come as arguments."""
    raise DataError(
        "the data are arrays that Python gives: nnspec.train(spec, data=(x, y)); for data in a file give --data, as in "
        "--data 'csv \"FILE\" target=COLUMN'",
        exit_code=2,
    )
