"""JAX, compiled: a step at a time, or a cycle of steps as one `scan`.

A form is the layout of images, "channels last" or "channels first", or how a sequence is read, "looped" or "unrolled".
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.worker import Steps, Tasks, serve
from benchmarks.workloads import Workload, batches, raw, weights, with_channels_first

Parameters = Mapping[str, jax.Array]
CHANNELS_FIRST = "channels first"
Optimizer = tuple[Callable[[Any], Any], Callable[[Any, Any, Any], tuple[Any, Any]]]


def parameters(workload: Workload, form: str) -> Parameters:
    """The first weights."""
    first = dict(weights(workload))
    for layer in workload.layers if form == CHANNELS_FIRST else ():
        if layer.kind == "dense":
            first[f"{layer.name}/weight"] = with_channels_first(layer, first[f"{layer.name}/weight"])
    return {name: jnp.array(value) for name, value in first.items()}


def logits(workload: Workload, form: str, p: Parameters, x: jax.Array) -> jax.Array:
    """The network up to its softmax. Takes (batch, side, side, 1), or (batch, 1, side, side) with channels first."""
    channels_first = form == CHANNELS_FIRST
    axes = ("NCHW", "HWIO", "NCHW") if channels_first else ("NHWC", "HWIO", "NHWC")
    for layer in workload.layers:
        match layer.kind:
            case "onehot":
                x = jax.nn.one_hot(x, layer.outputs[-1])
            case "rnn":
                x = states(p, layer.name, x, unroll=len(x[0]) if form == "unrolled" else 1)
            case "dense":
                x = (x if len(layer.inputs) == 2 else x.reshape(len(x), -1)) @ p[f"{layer.name}/weight"]
                if layer.bias:
                    x = x + p[f"{layer.name}/bias"]
            case "conv":
                x = jax.lax.conv_general_dilated(x, p[f"{layer.name}/weight"], (1, 1), "VALID", dimension_numbers=axes)
                if layer.bias:
                    bias = p[f"{layer.name}/bias"]
                    x = x + (bias[:, None, None] if channels_first else bias)
            case "maxpool":
                k, (height, width, channels) = layer.window, layer.outputs
                cells = (channels, height, k, width, k) if channels_first else (height, k, width, k, channels)
                x = x.reshape(len(x), *cells).max((3, 5) if channels_first else (2, 4))
        if layer.relu:
            x = jax.nn.relu(x)
    return x


def states(p: Parameters, name: str, x: jax.Array, unroll: int) -> jax.Array:
    """The states of a recurrent layer, (batch, time, in) → (batch, time, out)."""
    driven = (x @ p[f"{name}/input_weight"] + p[f"{name}/bias"]).transpose(1, 0, 2)
    weight = p[f"{name}/hidden_weight"]

    def step(h: jax.Array, a: jax.Array) -> tuple[jax.Array, jax.Array]:
        h = jnp.tanh(a + h @ weight)
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(driven[0]), driven, unroll=unroll)[1].transpose(1, 0, 2)


def optimizer(workload: Workload) -> Optimizer:
    """The first state, and (parameters, gradients, state) → (parameters, state)."""
    lr, beta, leaves = workload.option("lr"), workload.option("beta"), jax.tree.map
    if workload.optimizer_name == "adam":

        def adam(p: Any, g: Any, state: Any) -> tuple[Any, Any]:
            m, s, t = state
            t = t + 1
            m = leaves(lambda a, b: 0.9 * a + 0.1 * b, m, g)
            s = leaves(lambda a, b: 0.999 * a + 0.001 * b * b, s, g)
            rate, root = lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
            return leaves(lambda a, b, c: a - rate * b / (jnp.sqrt(c) / root + 1e-8), p, m, s), (m, s, t)

        return lambda p: (leaves(jnp.zeros_like, p), leaves(jnp.zeros_like, p), jnp.zeros(())), adam

    def momentum(p: Any, g: Any, v: Any) -> tuple[Any, Any]:
        v = leaves(lambda a, b: beta * a + b, v, g) if beta else g
        return leaves(lambda a, b: a - lr * b, p, v), v if beta else ()

    return lambda p: leaves(jnp.zeros_like, p) if beta else (), momentum


def training_step(workload: Workload, form: str) -> tuple[Callable[[Any], Any], Callable[..., Any]]:
    """The optimizer's first state, and ((parameters, state), (x, labels)) → ((parameters, state), loss)."""
    first, update = optimizer(workload)

    def loss_of(p: Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
        z = jax.nn.log_softmax(logits(workload, form, p, x))
        return -jnp.mean(jnp.take_along_axis(z, y[..., None], -1))

    def step(carry: Any, batch: Any) -> Any:
        p, state = carry
        loss, gradients = jax.value_and_grad(loss_of)(p, *batch)
        return update(p, gradients, state), loss

    return first, step


def cycle(workload: Workload, form: str) -> tuple[jax.Array, jax.Array]:
    """The batches, (cycle, batch, …), and their labels."""
    x, y = batches(workload)
    x = x.astype(np.int32) if workload.steps else x
    return jnp.array(x.transpose(0, 1, 4, 2, 3) if form == CHANNELS_FIRST else x), jnp.array(y.astype(np.int32))


class Trained(Steps):
    """A compiled step, its arguments donated."""

    def __init__(self, workload: Workload, form: str):
        p = parameters(workload, form)
        first, step = training_step(workload, form)
        self.carry = (p, first(p))
        self.batches = [*zip(*map(list, cycle(workload, form)), strict=True)]
        self.compiled = jax.jit(step, donate_argnums=0)
        self.i = 0

    def step(self) -> jax.Array:
        """The next batch."""
        batch = self.batches[self.i % len(self.batches)]
        self.i += 1
        self.carry, loss = self.compiled(self.carry, batch)
        return loss

    def finish(self) -> None:
        """JAX returns before it has computed."""
        jax.block_until_ready(self.carry)


class Scanned:
    """A cycle of steps in one call."""

    def __init__(self, workload: Workload, form: str):
        p = parameters(workload, form)
        first, step = training_step(workload, form)
        self.carry = (p, first(p))
        self.x, self.y = cycle(workload, form)
        self.compiled = jax.jit(lambda carry, x, y: jax.lax.scan(step, carry, (x, y)), donate_argnums=0)

    def check(self, steps: int) -> list[float]:
        """The losses of the first steps of a cycle."""
        self.carry, losses = self.compiled(self.carry, self.x[:steps], self.y[:steps])
        return [float(loss) for loss in losses]

    def time(self, steps: int) -> float:
        """Whole cycles, as many as these steps need."""
        rounds = -(-steps // len(self.x))
        began = time.perf_counter()
        for _ in range(rounds):
            self.carry, _ = self.compiled(self.carry, self.x, self.y)
        jax.block_until_ready(self.carry)
        return (time.perf_counter() - began) * steps / (rounds * len(self.x))


class Predicted(Steps):
    """Probabilities of a batch."""

    def __init__(self, workload: Workload, form: str):
        self.p = parameters(workload, form)
        self.x = list(cycle(workload, form)[0])
        self.compiled = jax.jit(lambda p, x: jax.nn.softmax(logits(workload, form, p, x)))
        self.i = 0

    def step(self) -> jax.Array:
        """The probabilities, (batch, classes), there when it returns."""
        self.i += 1
        return self.compiled(self.p, self.x[(self.i - 1) % len(self.x)]).block_until_ready()

    def check(self, steps: int) -> list[float]:
        """The probabilities of the first sample of each batch."""
        return [float(p) for _ in range(steps) for p in self.step()[0]]


class Occluded(Steps):
    """Every image under every place of the window: a batch for each image."""

    def __init__(self, workload: Workload, form: str):
        self.p = parameters(workload, form)
        x, y = cycle(workload, form)
        self.images, self.labels = list(x[0]), y[0].tolist()
        places = workload.side - 2
        mask = np.ones((places, places, workload.side, workload.side), np.float32)
        for row, column in product(range(places), repeat=2):
            mask[row, column, row : row + 3, column : column + 3] = 0
        flat = mask.reshape(-1, workload.side, workload.side)
        self.mask = jnp.array(flat[:, None] if form == CHANNELS_FIRST else flat[..., None])
        self.compiled = jax.jit(lambda p, x, mask, y: jax.nn.softmax(logits(workload, form, p, x * mask))[:, y])

    def step(self) -> np.ndarray:
        """The probability of the label, (images, places)."""
        pairs = zip(self.images, self.labels, strict=True)
        return np.stack([np.asarray(self.compiled(self.p, x, self.mask, y)) for x, y in pairs])

    def check(self, steps: int) -> list[float]:
        """Numbers from all over the maps."""
        return [float(value) for value in self.step().ravel()[::101]]


class Epoch(Steps):
    """Epochs over samples that stay bytes until their batch is drawn."""

    def __init__(self, workload: Workload):
        self.x, self.y = raw(workload.samples, workload.side)
        p = parameters(workload, form="")
        first, step = training_step(workload, form="")
        self.carry, self.batch = (p, first(p)), workload.batch
        self.compiled = jax.jit(lambda carry, x, y: step(carry, (x.astype(jnp.float32) / 255, y)), donate_argnums=0)
        self.random = np.random.default_rng(0)

    def step(self) -> float:
        """An epoch in a new order; the mean of its losses."""
        order, total = self.random.permutation(len(self.x)), 0.0
        for start in range(0, len(order), self.batch):
            chosen = order[start : start + self.batch]
            self.carry, loss = self.compiled(self.carry, self.x[chosen], self.y[chosen])
            total += float(loss) * len(chosen)
        return total / len(order)

    def check(self, steps: int) -> list[float]:
        """Nothing to compare: each peer draws in an order of its own."""
        return []


def tasks(workload: Workload) -> Tasks:
    """Steps one by one, for single samples also a cycle of them at once; every form. Residual networks are left out."""
    if workload.kind == "epoch":
        return {"epoch": lambda: Epoch(workload)}
    if any(layer.kind in ("batchnorm", "add") for layer in workload.layers):
        return {}
    made: dict[str, Callable[[], Any]] = {}
    convolves = any(layer.kind == "conv" for layer in workload.layers)
    for form in ("looped", "unrolled") if workload.steps else ("channels last", CHANNELS_FIRST) if convolves else ("",):
        named = f", {form}" if form else ""
        match workload.kind:
            case "train" | "first":
                made[f"jit{named}"] = partial(Trained, workload, form)
                if workload.batch == 1:
                    made[f"scan{named}"] = partial(Scanned, workload, form)
            case "predict":
                made[f"jit{named}"] = partial(Predicted, workload, form)
            case "occlude":
                made[f"jit{named}"] = partial(Occluded, workload, form)
    return made


def about() -> dict[str, str]:
    """JAX and what it runs on."""
    return {"JAX": f"{jax.__version__}, {jax.devices()[0].platform}"}


if __name__ == "__main__":
    serve(about, tasks)
