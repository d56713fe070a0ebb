"""Errors on their way between processes."""

import copy
import pickle

import pytest

import nnspec
from nnspec.runtime.sweep.conductor import SweepInterrupted


def spec_error() -> nnspec.SpecError:
    with pytest.raises(nnspec.SpecError) as caught:
        nnspec.check("conv 3x3 x8 -> maxpol 2 -> dens 10 softmax")
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        spec_error(),
        nnspec.SourceError("there is no such file"),
        nnspec.DataError("no samples", 2),
        nnspec.Interrupted("stopped after step 3", 15),
        SweepInterrupted("stopped", 2, None),  # type: ignore[arg-type]
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_a_pickle_with_all_that_it_says(error: nnspec.NNSpecError) -> None:
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(found) is type(error) and str(found) == str(error)
        assert {**vars(found), "diagnostics": 0} == {**vars(error), "diagnostics": 0}
        if isinstance(error, nnspec.SpecError):
            assert [d.code for d in found.diagnostics] == [d.code for d in error.diagnostics] != []
