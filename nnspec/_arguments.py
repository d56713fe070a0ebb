"""The arguments of the Python functions: what callers may give, and an error with what to give instead."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from nnspec.runtime.data import Data
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.errors import CheckpointError, DataError, NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.run import Run
from nnspec.spec_lang.check.spec_request import Request


def request_for(
    spec: Any, settings: Any, variant: Any, data: Arrays | Data | str | None, seed: int | None = None
) -> Request:
    """Return the request for a spec, with a data statement or with data given in memory."""
    statement = data if isinstance(data, str) else None
    in_memory = isinstance(data, Arrays | Data)
    return Request(spec, checked_settings(settings, variant), variant, statement, seed, in_memory)


def given_data(
    data: Any, validation: tuple[Any, Any] | None = None, sample_weight: Any = None
) -> Arrays | Data | str | None:
    """Return the data that a caller gives: arrays or frames, loaded data, a data statement, or None for the spec's own.

    Raises DataError for anything else.
    """
    if data is None or isinstance(data, str | Data):
        for name, value in (("validation", validation), ("sample_weight", sample_weight)):
            if value is not None:
                example = "validation=(x, y)" if name == "validation" else "sample_weight=w"
                raise DataError(f"{name} needs data given as arrays: data=(x, y), {example}", 2)
        return data
    for name, pair in (("data", data), ("validation", validation)):
        if pair is not None and not (isinstance(pair, tuple | list) and len(pair) == 2):
            count = f"{len(pair)} values" if isinstance(pair, tuple | list) else f"a {type(pair).__name__}"
            raise DataError(f"{name} is {count}: give the pair {name}=(x, y), or a data statement as text", 2)
    return Arrays(data[0], data[1], validation, sample_weight)


def loaded_given(given: Arrays | Data | str | None) -> Arrays | Data | None:
    """Return data given in memory, None for a statement or the spec's own."""
    return given if isinstance(given, Arrays | Data) else None


def checked_network(given: Any) -> Network:
    """Return a network. Raises NetworkError that names what to give instead of a run or a path."""
    if isinstance(given, Network):
        return given
    advice = "give a network, as nnspec.load and nnspec.compile return"
    if isinstance(given, Run):
        advice = "give its network, run.network"
    elif isinstance(given, str | Path):
        advice = f"give nnspec.load({str(given)!r})"
    raise NetworkError(f"network is a {type(given).__name__}: {advice}", 2)


def checked_path(name: str, given: Any) -> Any:
    """Return a path. Raises CheckpointError for what is not a path."""
    if isinstance(given, str | PathLike) and isinstance(fspath(given), str):
        return given
    raise CheckpointError(f"{name} is a {type(given).__name__}: give a path", 2)


def checked_settings(given: Any, variant: Any) -> Mapping[str, object]:
    """Return the settings. Raises DataError where they are not a mapping, or the variant is not a name."""
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"settings are a {type(given).__name__}: give a dict such as {{'train.epochs': 3}}", 2)
    if variant is not None and not isinstance(variant, str):
        raise DataError(f"variant is a {type(variant).__name__}: give the name of a variant of the spec", 2)
    return given or {}
