"""What goes wrong on the way out of nnspec or in."""

from importlib import import_module
from types import ModuleType

from nnspec.spec_lang.report.errors import NNSpecError


class ExchangeError(NNSpecError):
    """A network that a format cannot express, files that do not compute the same, weights that do not fit."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


def package(name: str, extra: str, what: str) -> ModuleType:
    """Return a package of an extra. Raises ExchangeError with the command that installs it where it is missing.

    Arguments:
        name: the name by which it is imported.
        extra: the extra of nnspec that brings it.
        what: what needs it, at the beginning of a sentence: "a file for ONNX".
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != name.partition(".")[0]:
            raise
        advice = f"pip install 'nnspec[{extra}]'"
        raise ExchangeError(
            f"{what} needs {name.partition('.')[0]}, which is not installed\n  help: {advice}", exit_code=2
        ) from None
