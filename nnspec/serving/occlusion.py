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
    network, classes = served.network, served.classes or []
    probabilities = class_probabilities(network.predict(image))
    label = int(probabilities[0].argmax()) if question.label is None else classes.index(question.label)
    window = (question.window, question.window)
    maps = occlude_by_scale(network, image, [label], window, question.stride, question.baseline)
    if kind == NPY:
        return array_response(maps[question.scale][0], kind)
    probability = float(probabilities[0, label])
    if kind == PNG:
        return Response(_picture(served, image, maps, label, probabilities, question), 200, HEADERS, PNG)
    rows = maps[question.scale][0]
    content = {
        "format_version": JSON_FORMAT,
        "label": classes[label],
        "probability": probability if math.isfinite(probability) else None,
        "window": question.window,
        "stride": question.stride,
        "baseline": question.baseline,
        "scale": question.scale,
        "map": [[value if math.isfinite(value) else None for value in row] for row in rows.tolist()],
    }
    return json_response(content)


def _picture(
    served: Served, image: Array, maps: dict[str, Array], label: int, probabilities: Array, question: Question
) -> bytes:
    """Return the map as `nnspec occlude` draws it."""
    from nnspec.runtime.views import PICTURES, figure_bytes, in_style

    with in_style("light"):
        drawn: Any = PICTURES["occlusion"](
            image, maps[question.scale], np.array([label]), served.classes, probabilities[:, label],
            window=(question.window, question.window), stride=(question.stride, question.stride),
            baseline=f"{question.baseline:g}", scale=question.scale, captions=None,
            of_label="predicted class" if question.label is None else "class asked for",
        )  # fmt: skip
        return figure_bytes(drawn, ".png")
