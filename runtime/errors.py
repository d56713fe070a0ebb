"""The errors of running a spec that its author can cause and fix.

A command ends with `exit_code`: 2 where a file does not exist or a call asks for the impossible, 1 where something was
found to be wrong.
"""

from typing import Any

from nnspec.spec_lang.report.errors import NNSpecError


class RuntimeFault(NNSpecError):
    """The base class of the errors of this module."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


class DataError(RuntimeFault):
    """Data that do not exist or cannot be used."""


class NetworkError(RuntimeFault):
    """Weights or samples that do not fit the network."""


class TrainingError(RuntimeFault):
    """A run that cannot start or continue: its folder cannot be written to, its loss is NaN or infinite."""


class CheckpointError(RuntimeFault):
    """A checkpoint that does not exist, is damaged, or was not written by nnspec."""


class LockedError(CheckpointError):
    """Another process is writing the run."""


class Interrupted(TrainingError):
    """A run that stopped on request, after saving; `signal` is the number of SIGINT or SIGTERM."""

    def __init__(self, message: str, signal: int):
        super().__init__(message, exit_code=128 + signal)
        self.signal = signal

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.signal)
