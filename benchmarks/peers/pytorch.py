"""PyTorch, eager, in each of the settings that may be its best: optimizer, memory format, threads."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from math import radians
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.layers import Layer
from benchmarks.peers.worker import Steps, Tasks, serve
from benchmarks.workloads import Workload, batches, raw, weights, with_channels_first


def network(workload: Workload, first: Mapping[str, Any] | None = None) -> nn.Sequential:
    """The workload's network with its first weights, up to the softmax. Takes (batch, 1, side, side), or symbols."""
    if workload.steps:
        return text_network(workload)
    first = first or weights(workload)
    made, block = nn.Sequential(), nn.Sequential()
    flat = False
    for layer in workload.layers:
        if layer.kind in ("dense", "globalavgpool") and not flat:
            made.append(nn.AdaptiveAvgPool2d(1) if layer.kind == "globalavgpool" else nn.Identity())
            made.append(nn.Flatten())
            flat = True
        inside = block if "/" in layer.name else made
        match layer.kind:
            case "add":
                made.append(Residual(block))
                block = nn.Sequential()
            case "relu":
                (made if not len(block) else inside).append(nn.ReLU())
            case "globalavgpool":
                pass
            case _:
                inside.append(_module(layer, first))
                if layer.relu:
                    inside.append(nn.ReLU())
    return made


def _module(layer: Layer, first: Mapping[str, np.ndarray]) -> nn.Module:
    """A layer that has weights, with its first ones, or a pool."""
    module: nn.Module
    match layer.kind:
        case "dense":
            module = nn.Linear(*layer.weight_shape, bias=layer.bias)
            weight = with_channels_first(layer, first[f"{layer.name}/weight"]).T
        case "conv":
            padding = "same" if layer.same else 0
            module = nn.Conv2d(layer.inputs[-1], layer.outputs[-1], layer.window, padding=padding, bias=layer.bias)
            weight = first[f"{layer.name}/weight"].transpose(3, 2, 0, 1)
        case "batchnorm":
            return nn.BatchNorm2d(layer.inputs[-1])  # begins with ones and zeros
        case _:
            return nn.MaxPool2d(layer.window)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        if module.bias is not None:
            module.bias.zero_()
    return module


class Residual(nn.Module):
    """What its layers make of their input, and the input itself."""

    def __init__(self, body: nn.Sequential):
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width), the same shape."""
        return self.body(x) + x


class OneHot(nn.Module):
    """Symbols as rows of a single one, (batch, time) → (batch, time, symbols)."""

    def __init__(self, symbols: int):
        super().__init__()
        self.symbols = symbols

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The rows, as float32."""
        return F.one_hot(x, self.symbols).float()


class States(nn.RNN):
    """PyTorch's recurrent layer without its last state."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, time, in) → (batch, time, out)."""
        return super().forward(x)[0]


def text_network(workload: Workload) -> nn.Sequential:
    """onehot → rnn → dense with their first weights. Of the two biases of PyTorch's rnn one is left as it is, zero."""
    first = {name: torch.from_numpy(value.T.copy()) for name, value in weights(workload).items()}
    symbols, rnn, dense = workload.layers
    states = States(*rnn.weight_shape, batch_first=True)
    out = nn.Linear(*dense.weight_shape)
    with torch.no_grad():
        states.weight_ih_l0.copy_(first[f"{rnn.name}/input_weight"])
        states.weight_hh_l0.copy_(first[f"{rnn.name}/hidden_weight"])
        out.weight.copy_(first[f"{dense.name}/weight"])
        for bias in (states.bias_ih_l0, states.bias_hh_l0, out.bias):
            bias.zero_()
    states.bias_hh_l0.requires_grad_(False)
    return nn.Sequential(OneHot(symbols.outputs[-1]), states, out)


def optimizer(workload: Workload, parameters: Any, fused: bool) -> torch.optim.Optimizer:
    """The workload's optimizer, in one kernel over all parameters or as PyTorch does by itself."""
    lr, chosen = workload.option("lr"), True if fused else None
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    if workload.optimizer_name == "adam":
        return torch.optim.Adam(parameters, lr=lr, fused=chosen)
    return torch.optim.SGD(parameters, lr=lr, momentum=workload.option("beta"), fused=chosen)


def changed(x: torch.Tensor, workload: Workload) -> torch.Tensor:
    """A batch of images, each shifted, rotated and scaled at random about its middle."""
    many, side = len(x), workload.side
    angle = (2 * torch.rand(many) - 1) * radians(workload.option("rotate"))
    scale = 1 + (2 * torch.rand(many) - 1) * workload.option("zoom")
    most = int(workload.option("shift"))
    places = torch.randint(-most, most + 1, (2, many)) * 2 / side
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    rows = torch.stack([torch.stack([cosine, -sine, places[0]], 1), torch.stack([sine, cosine, places[1]], 1)], 1)
    return F.grid_sample(x, F.affine_grid(rows, list(x.shape), align_corners=False), align_corners=False)


class Network(Steps):
    """The network and its batches, in a memory format; `threads` is set before each timing."""

    def __init__(self, workload: Workload, threads: int, channels_last: bool):
        torch.set_num_threads(threads)
        self.threads = threads
        form = torch.channels_last if channels_last else torch.contiguous_format
        self.network = network(workload).to(memory_format=form)
        x, y = batches(workload)
        if workload.steps:
            self.x = list(torch.from_numpy(x))
        else:
            images = torch.from_numpy(x).permute(0, 1, 4, 2, 3)  # (cycle, batch, channels, height, width)
            self.x = [batch.contiguous(memory_format=form) for batch in images]
        self.y = list(torch.from_numpy(y))
        self.i = 0

    def next(self) -> int:
        """The number of the next batch."""
        self.i += 1
        return (self.i - 1) % len(self.x)

    def time(self, steps: int) -> float:
        """With the number of threads that this way has."""
        torch.set_num_threads(self.threads)
        return super().time(steps)


class Trained(Network):
    """Training steps over prepared batches."""

    def __init__(self, workload: Workload, threads: int, channels_last: bool, fused: bool):
        super().__init__(workload, threads, channels_last)
        self.plain = partial(Trained, replace(workload, augment=""), threads, channels_last, fused)
        self.workload = workload
        self.optimizer = optimizer(workload, self.network.parameters(), fused)

    def check(self, steps: int) -> list[float]:
        """The losses without augmentation, which every peer draws for itself."""
        return self.plain().check(steps) if self.workload.augment else super().check(steps)

    def step(self) -> torch.Tensor:
        """Forward, loss, backward, update."""
        i = self.next()
        self.optimizer.zero_grad(set_to_none=True)
        answers = self.network(changed(self.x[i], self.workload) if self.workload.augment else self.x[i])
        loss = F.cross_entropy(answers.reshape(-1, answers.shape[-1]), self.y[i].reshape(-1))
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class Predicted(Network):
    """Probabilities of a batch."""

    @torch.inference_mode()
    def step(self) -> torch.Tensor:
        """The probabilities, (batch, classes)."""
        return torch.softmax(self.network(self.x[self.next()]), 1)

    def check(self, steps: int) -> list[float]:
        """The probabilities of the first sample of each batch."""
        return [p for _ in range(steps) for p in self.step()[0].tolist()]


class Occluded(Network):
    """Every image under every place of the window: a batch for each image."""

    def __init__(self, workload: Workload, threads: int, channels_last: bool):
        super().__init__(workload, threads, channels_last)
        places = workload.side - 2
        mask = torch.ones(places, places, 1, workload.side, workload.side)
        for row, column in product(range(places), repeat=2):
            mask[row, column, 0, row : row + 3, column : column + 3] = 0
        self.mask = mask.flatten(0, 1)

    @torch.inference_mode()
    def step(self) -> torch.Tensor:
        """The probability of the label, (images, places)."""
        maps = [torch.softmax(self.network(x * self.mask), 1)[:, y] for x, y in zip(self.x[0], self.y[0], strict=True)]
        return torch.stack(maps)

    def check(self, steps: int) -> list[float]:
        """Numbers from all over the maps."""
        return [float(value) for value in self.step().flatten()[::101]]


class Epoch(Steps):
    """Epochs over samples that stay bytes until their batch is drawn."""

    def __init__(
        self, workload: Workload, given: tuple[Any, Any] | None = None, first: Mapping[str, Any] | None = None
    ):
        x, y = given or raw(workload.samples, workload.side)
        self.x, self.y = torch.from_numpy(x.transpose(0, 3, 1, 2)), torch.from_numpy(y)
        self.batch = workload.batch
        self.network = network(workload, first)
        self.optimizer = optimizer(workload, self.network.parameters(), fused=True)

    def step(self) -> float:
        """An epoch in a new order; the mean of its losses."""
        total = 0.0
        for chosen in torch.randperm(len(self.x)).split(self.batch):
            self.optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(self.network(self.x[chosen].float().div_(255)), self.y[chosen])
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(chosen)
        return total / len(self.x)

    def check(self, steps: int) -> list[float]:
        """Nothing to compare: each peer draws in an order of its own."""
        return []


class Call:
    """The network and its optimizer built anew, and an epoch over samples in memory."""

    def __init__(self, workload: Workload):
        self.workload = workload
        self.arrays, self.first = raw(workload.samples, workload.side), weights(workload)

    def check(self, steps: int) -> list[float]:
        """Nothing to compare: each peer draws in an order of its own."""
        return []

    def time(self, steps: int) -> float:
        """Call after call."""
        began = time.perf_counter()
        for _ in range(steps):
            Epoch(self.workload, self.arrays, self.first).step()
        return time.perf_counter() - began


def tasks(workload: Workload) -> Tasks:
    """Every combination of settings that can matter to the workload."""
    if workload.kind == "epoch":
        return {"epoch": lambda: Epoch(workload), "arrays": lambda: Call(workload)}
    convolves = any(layer.kind == "conv" for layer in workload.layers)
    made: dict[str, Callable[[], Any]] = {}
    for threads, last in product((1, 2), (False, True) if convolves else (False,)):
        setting = f"{threads} thread{'s' * (threads > 1)}{', channels last' * last}"
        match workload.kind:
            case "train" | "first":
                for fused in (False, True):
                    made[f"{'fused' if fused else 'eager'}, {setting}"] = partial(
                        Trained, workload, threads, last, fused
                    )
            case "predict":
                made[f"eager, {setting}"] = partial(Predicted, workload, threads, last)
            case "occlude":
                made[f"eager, {setting}"] = partial(Occluded, workload, threads, last)
    return made


def about() -> dict[str, str]:
    """PyTorch and the instructions it uses."""
    return {"PyTorch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"}


if __name__ == "__main__":
    serve(about, tasks)
