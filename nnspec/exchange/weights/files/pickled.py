"""PyTorch's .pt and .pth, which are pickles: PyTorch reads them, and tensors alone (weights_only)."""

import io
from collections.abc import Mapping
from typing import Any

from nnspec.exchange.errors import ExchangeError, package
from nnspec.exchange.weights.stored import Stored, checked_name
from nnspec.runtime.arrays import Array

_HOLDERS = ("state_dict", "model_state_dict", "model", "net", "weights")
"""The names that programs give the weights of the network in a checkpoint with more than these."""


def read_pickled(content: bytes, where: str) -> Stored:
    """Return the tensors of a state_dict. Raises ExchangeError where torch is missing, or the file holds anything else.

    torch.load with weights_only rebuilds tensors and plain containers, and calls nothing that a file names.
    """
    advice = "save it there as safetensors: safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
    try:
        torch = package("torch", "torch", f"{where}: a file of PyTorch's own format")
    except ExchangeError as error:
        raise ExchangeError(f"{error}, or {advice}", error.exit_code) from None
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises on a damaged or hostile file
        said = str(error).split("\n", 1)[0][:160]
        raise ExchangeError(
            f"{where} is not a file of weights alone, or it is damaged ({said})\n  help: {advice}"
        ) from None
    return from_tensors(found, where)


def from_tensors(found: Any, where: str) -> Stored:
    """Return the tensors of a state_dict, or of the one in a checkpoint, as arrays. Raises ExchangeError for others."""
    notes: tuple[str, ...] = ()
    if isinstance(found, Mapping) and not _all_tensors(found):
        held = [name for name in _HOLDERS if isinstance(found.get(name), Mapping) and _all_tensors(found[name])]
        if len(held) == 1:
            others = [str(name) for name in found if name != held[0]]
            notes = (f"{where}: the weights are its {held[0]!r}; left out: {', '.join(others)}",)
            found = found[held[0]]
    if not isinstance(found, Mapping) or not found or not _all_tensors(found):
        raise ExchangeError(f"{where} does not hold a state_dict\n  help: torch.save(model.state_dict(), 'weights.pt')")
    return Stored({checked_name(name, where): _array(tensor) for name, tensor in found.items()}, "torch", notes=notes)


def _all_tensors(found: Mapping[Any, Any]) -> bool:
    return all(hasattr(each, "detach") for each in found.values())


def _array(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    array: Array = tensor.numpy()
    return array
