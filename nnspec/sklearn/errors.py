"""The errors of nnspec as scikit-learn's callers expect them: each is also a ValueError."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from nnspec.runtime.errors import CheckpointError, DataError, Interrupted, NetworkError, RuntimeFault, TrainingError
from nnspec.spec_lang.report.errors import NNSpecError, SourceError, SpecError


class SpecValueError(SpecError, ValueError):
    """A spec with errors, or one that does not fit the samples."""


class SourceValueError(SourceError, ValueError):
    """A spec file that does not exist or cannot be read."""


class DataValueError(DataError, ValueError):
    """Samples or targets that cannot be used."""


class NetworkValueError(NetworkError, ValueError):
    """Weights or samples that do not fit the network."""


class TrainingValueError(TrainingError, ValueError):
    """A training that diverged or cannot begin."""


class CheckpointValueError(CheckpointError, ValueError):
    """A checkpoint that the spec begins with and that cannot be used."""


_OF_FAULTS: dict[type[RuntimeFault], type[RuntimeFault]] = {
    DataError: DataValueError,
    NetworkError: NetworkValueError,
    TrainingError: TrainingValueError,
    CheckpointError: CheckpointValueError,
}


@contextmanager
def as_value_errors() -> Iterator[None]:
    """Raise nnspec's errors as ValueErrors without a chain, and a signal as Python does: KeyboardInterrupt, SystemExit.

    A search counts an Exception as one failed fit and goes on; an interrupt has to end it.
    """
    try:
        yield
    except Interrupted as error:
        stopped = KeyboardInterrupt() if error.signal == signal.SIGINT else SystemExit(error.exit_code)
        raise stopped from None
    except NNSpecError as error:
        raise _as_value_error(error) from None


def _as_value_error(error: NNSpecError) -> NNSpecError:
    if isinstance(error, ValueError):
        return error
    if isinstance(error, SpecError):
        return SpecValueError(error.diagnostics)
    for kind, with_value in _OF_FAULTS.items():
        if isinstance(error, kind):
            return with_value(str(error), error.exit_code)
    return SourceValueError(str(error))
