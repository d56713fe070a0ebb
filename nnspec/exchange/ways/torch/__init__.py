"""PyTorch: a readable module in NAME.py, and its arrays in NAME.safetensors. It computes the same and trains on."""

import runpy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError, package
from nnspec.exchange.export import Files, Leaving, registered, way
from nnspec.exchange.ways.torch.program import Module, written_module
from nnspec.exchange.ways.torch.writing import GOES
from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import Mode

EXACT = 1e-6
"""How far answers, logits and gradients may be from those of the network, all computed in float64: see `difference`."""

ROUNDED = 1e-3
"""The same of the answers in float32, whose rounding grows with the depth of a network; what it is is reported."""

BUT = dict.fromkeys(
    ("crop", "groupnorm", "instancenorm", "maxpool", "pad", "permute", "upsample"),
    "yes; not over symbols, which may be padded",
)
BUT["avgpool"] = "yes; not with a dilation, or over symbols, which may be padded"
BUT |= dict.fromkeys(("attention", "gru", "lstm", "rnn"), "yes; not with the weights of another layer (`as=`)")
"""What of a layer is refused, for the table of docs/exchange.md."""

MOST_SAMPLES = 8
"""Samples of which gradients are compared."""


@way("torch", (".py", ".safetensors"), "a PyTorch module", says=registered(GOES, BUT))
def torch(leaving: Leaving) -> Files:
    """Write the module and its arrays, and run them where PyTorch is installed.

    Raises ExchangeError where a layer cannot go, or answers or gradients differ.
    """
    save = package("safetensors.numpy", "torch", "a file for PyTorch").save
    module = written_module(leaving.network, leaving.name)
    content = {".py": module.text.encode(), ".safetensors": save(module.tensors)}
    try:
        import torch
    except ModuleNotFoundError:
        return Files(content, ("the module was not run: PyTorch is not installed; pip install 'nnspec[torch]'",))
    return Files(content, _tried(leaving, module, content, torch))


def _tried(leaving: Leaving, module: Module, content: dict[str, bytes], torch: Any) -> tuple[str, ...]:
    """Run the files; return what was found. Raises ExchangeError where answers or gradients differ."""
    network, samples = leaving.network, leaving.samples
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{leaving.name}.py"
        for suffix, data in content.items():
            path.with_name(leaving.name + suffix).write_bytes(data)
        own = runpy.run_path(str(path), run_name=leaving.name)["load"]()
    with torch.no_grad():
        rounded = difference(own(_tensor(torch, samples)).numpy(), leaving.answers)
    exact = network.in_type(np.float64)
    with torch.no_grad():
        answers = own.double()(_tensor(torch, samples)).numpy()
    away = {
        "answers": difference(answers, exact.predict(samples)),
        "gradients": gradient_difference(exact, module, own, samples[:MOST_SAMPLES], torch),
    }
    for what, found in away.items():
        if not found <= EXACT:
            raise ExchangeError(f"the {what} of the PyTorch module are {found:.2g} away from those of the network")
    if not rounded <= ROUNDED:
        raise ExchangeError(f"the answers of the PyTorch module are {rounded:.2g} away from those of the network")
    return (
        f"{len(samples)} samples: the answers differ from those of nnspec predict by {rounded:.2g} at most; in float64 "
        f"by {away['answers']:.2g}",
        f"{min(len(samples), MOST_SAMPLES)} samples in training, float64: the gradients differ by "
        f"{away['gradients']:.2g} at most",
    )


def gradient_difference(exact: Network, module: Module, own: Any, samples: Array, torch: Any) -> float:
    """Return the largest difference of logits, gradients and running averages in training, without dropout.

    Both compute in float64. The gradients are those of a random sum of the logits with respect to every parameter. See
    `difference`. The averages of `own` are moved.
    """
    x = exact.preprocessing.apply(samples, np.float64)
    program = exact.program.with_own_buffers()
    z, pull = program.forward(x, Mode(training=True))
    d_z = np.random.default_rng(0).normal(size=z.shape)
    gradients = pull(d_z)
    own = own.double().train()
    for each in own.modules():
        if isinstance(each, torch.nn.Dropout):
            each.eval()
    logits = own.logits(_tensor(torch, samples))
    found = [difference(logits.detach().numpy(), z)]
    if any(parameter.requires_grad for parameter in own.parameters()):
        (logits * torch.from_numpy(d_z)).sum().backward()
    turned = {key: (array, turn) for array, (key, turn) in module.turned.items()}
    for key, parameter in own.named_parameters():
        array, turn = turned[key]
        if parameter.requires_grad:
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            found.append(difference(grad.numpy(), turn(gradients[array])))
    for key, buffer in own.named_buffers():
        if key in turned:
            found.append(difference(buffer.numpy(), program.buffers[turned[key][0]]))
    return max(found)


def difference(found: Array, wanted: Array) -> float:
    """Return the largest difference of two arrays, as a share of the largest number where that is above 1."""
    if found.shape != wanted.shape:
        return float("inf")
    away, size = np.abs(found - wanted).max(initial=0), np.abs(wanted).max(initial=0)
    return float(away / max(size, 1))


def _tensor(torch: Any, samples: Array) -> Any:
    """Return samples as a tensor; types that PyTorch does not have become wider ones."""
    kinds = {"u2": np.int32, "u4": np.int64, "u8": np.int64}
    kind = kinds.get(samples.dtype.str[1:], samples.dtype)
    return torch.from_numpy(np.ascontiguousarray(samples, kind))
