"""Outputs of the network as the answer to a request: JSON, or an array."""

import io
import json
from typing import Any

import numpy as np
from starlette.responses import Response

from nnspec.cli.output import JSON_FORMAT, without_nan
from nnspec.predictions import predicted_columns, predictions_of
from nnspec.runtime.arrays import Array
from nnspec.serving.bodies import BINARY, JSON, NPY
from nnspec.serving.limits import Refusal
from nnspec.serving.served import Served

PNG = "image/png"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer in JSON. Characters with a meaning in HTML are escaped, whoever shows it."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        if character in text:
            text = text.replace(character, f"\\u{ord(character):04x}")
    return Response(text, status, {**HEADERS, **(headers or {})}, JSON)


def refused(refusal: Refusal) -> Response:
    """Return the answer to a request that is refused."""
    return json_response({"error": refusal.message}, refusal.status, dict(refusal.headers))


def wanted(accept: str, offered: tuple[str, ...]) -> str:
    """Return the type of the answer that a request's Accept asks for. Raises Refusal where none of them is offered."""
    best, found = 0.0, ""
    for entry in (accept or "*/*").split(","):
        kind, *settings = (part.strip().lower() for part in entry.split(";"))
        weight = next((_weight(setting) for setting in settings if setting.startswith("q=")), 1.0)
        match = next((name for name in offered if kind in (name, "*/*", f"{name.partition('/')[0]}/*")), None)
        if match and weight > best:
            best, found = weight, match
    if not found:
        raise Refusal(406, f"the request accepts none of {', '.join(offered)}")
    return found


def _weight(setting: str) -> float:
    try:
        return float(setting.removeprefix("q="))
    except ValueError:
        return 0.0


def predicted(served: Served, outputs: Array, warnings: list[str], kind: str) -> Response:
    """Return outputs (batch, …) as JSON, with the keys of `nnspec predict --json`, or as an array."""
    if kind in (NPY, BINARY):
        return array_response(outputs, kind)
    predictions = predictions_of(served.network, outputs)
    if not np.isfinite(outputs).all():
        predictions = [_finite(prediction) for prediction in predictions]
    content = {
        "format_version": JSON_FORMAT,
        "classes": served.classes,
        "columns": predicted_columns(served.network),
        "predictions": predictions,
        "warnings": warnings,
    }
    return json_response(content)


def array_response(array: Array, kind: str) -> Response:
    """Return an array as an .npy file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return Response(content.getvalue(), 200, HEADERS, kind)


def _finite(prediction: dict[str, Any]) -> dict[str, Any]:
    """Return a prediction with null for what is NaN or infinite, and no label chosen by such a number."""
    found = {name: without_nan(value) for name, value in prediction.items()}
    if "label" in found and _has_null([value for name, value in found.items() if name != "label"]):
        found["label"] = [None] * len(found["label"]) if isinstance(found["label"], list) else None
    return found


def _has_null(value: Any) -> bool:
    return any(map(_has_null, value)) if isinstance(value, list) else value is None
