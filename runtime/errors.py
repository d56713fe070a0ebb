"""The errors of running a spec that its author can make and mend.

`exit_code` is what a command ends with: 2 where a file is not there or a call asks for what cannot be, 1 where
something was found and is wrong.
"""

from nnspec.spec_lang.report.errors import NNSpecError


class RuntimeFault(NNSpecError):
    """The base of the errors below."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


class DataError(RuntimeFault):
    """Data that are not there or cannot be used."""


class NetworkError(RuntimeFault):
    """Weights or samples that do not fit the network."""


class TrainingError(RuntimeFault):
    """A run that cannot start or go on: a folder that cannot be written, a loss that is no number."""


class CheckpointError(RuntimeFault):
    """A checkpoint that is not there, is damaged, or is not one of this program's."""


class Interrupted(TrainingError):
    """A run that stopped because it was asked to, after saving; `signal` is the number of SIGINT or SIGTERM."""

    def __init__(self, message: str, signal: int):
        super().__init__(message, exit_code=128 + signal)
        self.signal = signal
