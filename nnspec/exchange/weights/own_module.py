"""The arrays of a module that `nnspec export --to torch` wrote, perhaps trained on there, on their way back."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.program import written_module
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.fitted.target_scaling import TargetScaling
from nnspec.runtime.infer.network import Network

_FITTED = {"shift", "scale", "target_shift", "target_scale"}


def arrays_of_own_module(network: Network, arrays: Mapping[str, Array]) -> dict[str, tuple[str, Array]] | None:
    """Return our arrays by name, each after its name in the file, as the way out turns them, turned back.

    None where the file is not of such a module of this network.
    """
    if not {"shift", "scale"} <= set(arrays):
        return None
    try:
        turned = written_module(network, "module").turned
    except ExchangeError:
        return None
    if {key for key, _ in turned.values()} != set(arrays) - _FITTED:
        return None
    found = {}
    known = {**network.parameters, **network.buffers}
    for name, (key, turn) in turned.items():
        places = turn(np.arange(known[name].size).reshape(known[name].shape))
        if places.shape != arrays[key].shape:
            raise ExchangeError(f"{key} is {arrays[key].shape}, and the module of this network has {places.shape}")
        ours = np.empty(known[name].size, arrays[key].dtype)
        ours[places.ravel()] = arrays[key].ravel()
        found[name] = key, ours.reshape(known[name].shape)
    return found


def preprocessing_of(fitted: Preprocessing, arrays: Mapping[str, Array], answers: int) -> Preprocessing:
    """Return preprocessing with the normalization, and the scaling of targets, that the module has in its file."""
    shift, scale = (np.asarray(arrays[name], np.float64) for name in ("shift", "scale"))
    if shift.shape != fitted.shift.shape or scale.shape != fitted.scale.shape or not (scale > 0).all():
        raise ExchangeError("shift and scale of the file are not a normalization of these samples")
    if shift.any() or (scale != 1).any():
        fitted = replace(fitted, normalize="zscore", shift=shift, scale=scale)
    if "target_shift" in arrays and "target_scale" in arrays:
        numbers = (np.asarray(arrays[name], np.float64)[::answers] for name in ("target_shift", "target_scale"))
        fitted = replace(fitted, target_scaling=TargetScaling(*numbers))
    return fitted
