"""Which map to trust: how fast the probability of the class falls, or rises, as pixels go in the order of a map.

Deletion sets the pixels to the baseline, the most important ones first; insertion begins with the baseline and brings
them back. A map that has found what the network needs has a small area under the curve of deletion and a large one
under that of insertion (Petsiuk, Das & Saenko, "RISE", 2018, section 4.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.saliency import Question
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.randomness import stream

RANDOM = "random"
"""The name of the order that no map gives: the same random one for all images, against which maps are judged."""

POINTS = 32
"""The points of a curve after its first."""


@dataclass(frozen=True)
class Curves:
    """The probability of the label as pixels are deleted and inserted, (image, points), over the `shares` of pixels."""

    shares: Array
    deletion: Array
    insertion: Array

    @property
    def deletion_area(self) -> float:
        """The mean area under the curves of deletion, 0 to 1: less is better."""
        return float(np.trapezoid(self.deletion.mean(axis=0), self.shares))

    @property
    def insertion_area(self) -> float:
        """The mean area under the curves of insertion, 0 to 1: more is better."""
        return float(np.trapezoid(self.insertion.mean(axis=0), self.shares))


def deletion_curves(question: Question, maps: Mapping[str, Array], points: int = POINTS) -> dict[str, Curves]:
    """Return the curves of each map (image, height, width) by name, and of a random order of pixels."""
    pixels = question.images.shape[1] * question.images.shape[2]
    random = stream(0, "deletion").permutation(pixels).astype(np.float64)
    every = {**maps, RANDOM: np.tile(random.reshape(1, *question.images.shape[1:3]), (len(question.images), 1, 1))}
    return {name: _curves(question, values, points) for name, values in every.items()}


def _curves(question: Question, maps: Array, points: int) -> Curves:
    count = len(question.images)
    flat = maps.reshape(count, -1)
    pixels = flat.shape[1]
    ranks = np.empty((count, pixels), np.intp)  # 0: the most important pixel
    order = np.argsort(-flat, axis=1, kind="stable")
    np.put_along_axis(ranks, order, np.arange(pixels)[None].repeat(count, 0), axis=1)
    counts = np.unique(np.linspace(0, pixels, min(points, pixels) + 1).round().astype(int))
    deletion, insertion = np.empty((count, len(counts))), np.empty((count, len(counts)))
    size = question.images.shape[1:3]
    for place, changed in enumerate(counts):
        first = (ranks < changed).reshape(count, *size)[..., None]  # (image, height, width, 1)
        for curve, covered in ((deletion, first), (insertion, ~first)):
            samples = np.where(covered, question.fill, question.images)
            answers = class_probabilities(question.network.predict(question.samples(samples)))
            curve[:, place] = answers[np.arange(count), question.labels]
    return Curves(counts / pixels, deletion, insertion)
