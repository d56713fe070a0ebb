"""/occlude: which pixels of an image the network needs for a class."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.responses import Response

from nnspec.cli.output import JSON_FORMAT
from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.scales import occlude_by_scale
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.serving.answers import HEADERS, PNG, array_response, json_response
from nnspec.serving.bodies import NPY
from nnspec.serving.served import Served

SCALES = ("drop", "log_odds", "probability")


@dataclass(frozen=True)
class Question:
    """What is asked: a window of `window` pixels a side every `stride` pixels, set to `baseline`; the map's scale.

    `label` is a class, None for the predicted one.
    """

    window: int = 3
    stride: int = 1
    baseline: float = 0.0
    scale: str = "drop"
    label: str | None = None


def occluded(served: Served, image: Array, question: Question, kind: str) -> Response:
    """Return the map of one raw sample (1, height, width, …) as JSON, an array or a picture. Raises OcclusionError."""
    found = explained(served, image, question)
    if kind == NPY:
        return array_response(found.maps[question.scale][0], kind)
    if kind == PNG:
        return Response(_picture(served, image, found, question), 200, HEADERS, PNG)
    return json_response({"format_version": JSON_FORMAT, **found.as_json(served, question)})


@dataclass(frozen=True)
class Explained:
    """The maps (1, row, column) by scale, the class that they are of, and the probabilities (1, class)."""

    maps: dict[str, Array]
    label: int
    probabilities: Array

    def as_json(self, served: Served, question: Question) -> dict[str, Any]:
        """Return the map of the question's scale; NaN and infinity are null."""
        probability = float(self.probabilities[0, self.label])
        rows = self.maps[question.scale][0]
        return {
            "label": (served.classes or [])[self.label],
            "probability": probability if math.isfinite(probability) else None,
            "window": question.window,
            "stride": question.stride,
            "baseline": question.baseline,
            "scale": question.scale,
            "map": [[value if math.isfinite(value) else None for value in row] for row in rows.tolist()],
        }


def explained(served: Served, image: Array, question: Question) -> Explained:
    """Return the maps of one raw sample (1, height, width, …). Raises OcclusionError."""
    network, classes = served.network, served.classes or []
    probabilities = class_probabilities(network.predict(image))
    label = int(probabilities[0].argmax()) if question.label is None else classes.index(question.label)
    window = (question.window, question.window)
    maps = occlude_by_scale(network, image, [label], window, question.stride, question.baseline)
    return Explained(maps, label, probabilities)


def _picture(served: Served, image: Array, found: Explained, question: Question) -> bytes:
    """Return the map as `nnspec occlude` draws it."""
    from nnspec.runtime.views import PICTURES, figure_bytes, in_style

    with in_style("light"):
        drawn: Any = PICTURES["occlusion"](
            image, found.maps[question.scale], np.array([found.label]), served.classes,
            found.probabilities[:, found.label],
            window=(question.window, question.window), stride=(question.stride, question.stride),
            baseline=f"{question.baseline:g}", scale=question.scale, captions=None,
            of_label="predicted class" if question.label is None else "class asked for",
        )  # fmt: skip
        return figure_bytes(drawn, ".png")
