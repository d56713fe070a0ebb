"""Maps that say which pixels a classifier's answer depends on, by several methods.

All explain one number: the log-odds of a class (log_odds.py). A map is (image, height, width), one number for each
pixel; channels are joined as the method says. A new method is a function under `@method("name")`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.explain.incremental import occlude, require_probabilities
from nnspec.runtime.explain.log_odds import class_log_odds, log_odds_gradient
from nnspec.runtime.explain.occlusion import OcclusionError, OcclusionRequest
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import INPUT

_AT_ONCE = 128
"""The most images whose gradients are computed together."""


class SaliencyError(OcclusionError):
    """A method that does not exist, or that the network has no layer for."""


@dataclass(frozen=True)
class Question:
    """What is asked: which pixels of the images decide about the labels.

    `images` are raw, (image, height, width, channels), `labels` (image,) classes. `fill` is an image that stands for
    absence, the baseline. `window` and `stride` are those of occlusion, `steps` the points of integrated gradients.
    """

    network: Network
    images: Array
    labels: Array
    fill: Array
    window: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    steps: int = 128

    @classmethod
    def of(
        cls,
        network: Network,
        images: ArrayLike,
        labels: ArrayLike,
        baseline: ArrayLike = 0.0,
        window: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        steps: int = 128,
    ) -> "Question":
        """Check the arguments and bring them into one form. Raises OcclusionError, DataError."""
        require_probabilities(network)
        request = OcclusionRequest.of(images, labels, window, stride, baseline)
        shape = network.spec.output_shape
        if shape is None or len(shape) != 1:
            raise SaliencyError(f"the network gives {shape} for each sample: maps explain a classifier of images")
        if steps < 1:
            raise SaliencyError(f"integrated gradients need 1 step or more, not {steps}")
        request.check_labels(max(shape[0], 2))
        asked = cls(network, request.images, request.labels, request.fill, request.window, request.stride, steps)
        network.programs.as_samples(asked.samples(asked.images[:1]))
        return asked

    def samples(self, images: Array) -> Array:
        """Return images as raw samples of the network, which may have no axis of channels."""
        return images.reshape(len(images), *self.network.preprocessing.input_shape)

    def normalized(self, images: Array) -> Array:
        """Return images as the network sees them, (batch, height, width, channels), in its dtype."""
        samples = self.network.preprocessing.apply(self.samples(images), self.network.dtype)
        return np.asarray(samples.reshape(images.shape))

    @cached_property
    def seen(self) -> Array:
        """The images as the network sees them."""
        return self.normalized(self.images)

    @cached_property
    def absent(self) -> Array:
        """The baseline as the network sees it, (height, width, channels)."""
        return np.asarray(self.normalized(self.fill[None])[0])

    def log_odds(self, images: Array, labels: Array | None = None) -> Array:
        """Return the log-odds of the label of each raw image, (batch,)."""
        labels = self.labels if labels is None else labels
        return np.asarray(class_log_odds(self.network, self.samples(images))[np.arange(len(labels)), labels])

    def gradients(self, seen: Array, labels: Array, node: str = INPUT) -> tuple[Array, Array]:
        """Return the values of a node and the gradients of the log-odds with respect to them, (batch, *its shape).

        `seen` are normalized images. Of the samples themselves, the shape is that of the images.
        """
        program = self.network.program
        head = program.graph.head
        values, gradients = [], []
        with fixed_threads(1):  # another thread's number would change the bits
            for part in _parts(len(seen)):
                d_logits = partial(log_odds_gradient, labels=labels[part], head=head)
                found, slopes = program.sensitivities(seen[part], d_logits, (node,))
                values.append(found[node])
                gradients.append(slopes[node])
        shape = seen.shape if node == INPUT else (len(seen), *values[0].shape[1:])
        return np.concatenate(values).reshape(shape), np.concatenate(gradients).reshape(shape)


Method = Callable[[Question], Array]

METHODS: dict[str, Method] = {}
"""The methods by name, in the order in which they are drawn."""

WORDS: dict[str, str] = {}
"""What a map of each method shows, in words."""


_NEEDS: dict[str, Callable[[Network], object]] = {}
"""What a method looks for in a network; it raises SaliencyError where that is missing."""


def method(
    name: str, words: str, needs: Callable[[Network], object] = lambda network: None
) -> Callable[[Method], Method]:
    """Register the function as a method; `words` say what a number of its map is, `needs` looks for what it needs."""

    def register(function: Method) -> Method:
        METHODS[name], WORDS[name], _NEEDS[name] = function, words, needs
        return function

    return register


def saliency(question: Question, name: str) -> Array:
    """Return the map of a method, (image, height, width) float32. Raises SaliencyError."""
    if name not in METHODS:
        raise SaliencyError(f"no method is called {name!r}: use {', '.join(METHODS)}")
    return np.asarray(METHODS[name](question), np.float32)


def input_gradient(question: Question) -> Array:
    """Return the gradient of the log-odds with respect to each number of the raw images, of the shape of the images."""
    _, slopes = question.gradients(question.seen, question.labels)
    scale = question.network.preprocessing.scale.astype(slopes.dtype)  # of the last axis of a sample
    return np.asarray((question.samples(slopes) / scale).reshape(slopes.shape))


def integrated_gradients(question: Question) -> Array:
    """Return (x − baseline) · the mean gradient on the straight way from the baseline to x, of the shape of the images.

    Their sum over an image is the difference of the log-odds of x and of the baseline (completeness, Sundararajan, Taly
    & Yan, "Axiomatic Attribution for Deep Networks", 2017, section 3). The mean is taken at the `steps` points of
    Gauss–Legendre quadrature.
    """
    points, weights = np.polynomial.legendre.leggauss(question.steps)
    points, weights = (points + 1) / 2, weights / 2
    difference = question.seen - question.absent
    total = np.zeros_like(difference)
    for point, weight in zip(points.astype(difference.dtype), weights.astype(difference.dtype), strict=True):
        _, slopes = question.gradients(question.absent + point * difference, question.labels)
        total += weight * slopes
    return np.asarray(difference * total)


@method("occlusion", "drop of the log-odds with a window covered, the mean of the windows over a pixel")
def occlusion(question: Question) -> Array:
    """Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014, section 4.2."""
    arguments = question.labels, question.window, question.stride, question.fill
    drops = occlude(question.network, question.images, *arguments, scale="drop")  # (image, row, column)
    height, width = question.images.shape[1:3]
    total, count = np.zeros((len(drops), height, width)), np.zeros((height, width))
    for row, column in np.ndindex(*drops.shape[1:]):
        top, left = row * question.stride[0], column * question.stride[1]
        place = slice(top, top + question.window[0]), slice(left, left + question.window[1])
        total[:, *place] += drops[:, row, column, None, None]
        count[place] += 1
    return np.asarray(total / np.maximum(count, 1))


@method("gradient", "largest |gradient| of the log-odds over the channels of a pixel")
def gradient(question: Question) -> Array:
    """Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks", 2014, section 3.1."""
    return np.asarray(np.abs(input_gradient(question)).max(axis=-1))


@method("gradient_input", "gradient · (pixel − baseline), summed over the channels")
def gradient_input(question: Question) -> Array:
    """Shrikumar et al., "Not Just a Black Box", 2016, with the baseline instead of 0."""
    _, slopes = question.gradients(question.seen, question.labels)
    return np.asarray((slopes * (question.seen - question.absent)).sum(axis=-1))


@method("integrated", "integrated gradients from the baseline, summed over the channels")
def integrated(question: Question) -> Array:
    """Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", 2017."""
    return np.asarray(integrated_gradients(question).sum(axis=-1))


@method("grad_cam", "Grad-CAM at the last layer that is an image", needs=lambda network: grad_cam_layer(network))
def grad_cam(question: Question) -> Array:
    """Selvaraju et al., "Grad-CAM", 2017, equations 1 and 2: ReLU(Σ αₖ Aₖ), αₖ the mean gradient of a channel Aₖ.

    The small map is resized to the image bilinearly. Raises SaliencyError where no layer gives an image.
    """
    values, slopes = question.gradients(question.seen, question.labels, grad_cam_layer(question.network))
    importance = slopes.mean(axis=(1, 2), keepdims=True)
    small = np.maximum((importance * values).sum(axis=-1), 0)
    return _resized(small, question.images.shape[1:3])


def grad_cam_layer(network: Network) -> str:
    """Return the name of the last node that is an image of more than one pixel. Raises SaliencyError."""
    for node in reversed(network.program.graph.nodes):
        shape = node.output_shape
        if len(shape) == 3 and math.prod(shape[:2]) > 1:
            return node.name
    raise SaliencyError(
        f"{network.spec.title} has no layer whose output is an image, which grad_cam needs: use another method"
    )


def methods_for(network: Network) -> list[str]:
    """Return the methods that a network can be explained by."""
    return [name for name in METHODS if _fits(name, network)]


def _fits(name: str, network: Network) -> bool:
    try:
        _NEEDS[name](network)
    except SaliencyError:
        return False
    return True


def maps_by(question: Question, names: list[str]) -> Mapping[str, Array]:
    """Return the maps of several methods by name."""
    return {name: saliency(question, name) for name in names}


def _resized(maps: Array, size: tuple[int, ...]) -> Array:
    """Return maps (image, rows, columns) in another size, linear between the centres of their cells."""
    for axis, count in ((1, size[0]), (2, size[1])):
        have = maps.shape[axis]
        at = np.clip((np.arange(count) + 0.5) * have / count - 0.5, 0, have - 1)
        low = np.minimum(at.astype(int), max(have - 2, 0))
        share = (at - low).reshape(-1, 1) if axis == 1 else at - low
        maps = np.take(maps, low, axis) * (1 - share) + np.take(maps, np.minimum(low + 1, have - 1), axis) * share
    return maps


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, count))
