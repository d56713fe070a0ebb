"""The server's own description: what exactly this network takes and answers, as OpenAPI 3.1."""

from typing import Any

from fastapi import FastAPI

from nnspec.predictions import score_kind
from nnspec.serving.answers import PNG
from nnspec.serving.bodies import BINARY, FORM, JSON, NPY, PICTURES
from nnspec.serving.forms import FIELD
from nnspec.serving.json_samples import KEY
from nnspec.serving.limits import Limits
from nnspec.serving.served import Served

Schema = dict[str, Any]

_BYTES: Schema = {"type": "string", "format": "binary"}
_ERROR: Schema = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
_REFUSALS = {
    "400": "The body cannot be read.",
    "401": "The token is missing or wrong.",
    "403": "A page of another site asks.",
    "406": "The answer is not to be had in the type asked for.",
    "408": "The request did not arrive in time.",
    "413": "The body is too large.",
    "415": "The type of the body is not read.",
    "421": "The Host header has another name.",
    "422": "The samples do not fit the network, or a setting is wrong.",
    "431": "The headers are too large.",
    "503": "Too many requests are waiting, or the answer took too long.",
}


def describe(app: FastAPI, served: Served, limits: Limits) -> Schema:
    """Return the OpenAPI document of the routes for this network."""
    document: Schema = app.openapi()
    document["info"]["description"] = _about(served, limits)
    document.pop("components", None)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operation["responses"] = {**_answers(path, served), **_refusals(path)}
            if path in ("/predict", "/occlude"):
                operation["requestBody"] = {"required": True, "content": _bodies(served, path)}
    document["components"] = {"schemas": {"Error": _ERROR}}
    return document


def _about(served: Served, limits: Limits) -> str:
    spec = served.network.spec
    return (
        f"A sample is {spec.input}, an answer {spec.output_shape}; the network has {spec.parameter_count:,} "
        f"parameters. A body has {limits.body:,} bytes at most."
    )


def _bodies(served: Served, path: str) -> Schema:
    """Return what a body may be, by its type."""
    one = path == "/occlude"
    content: Schema = {JSON: {"schema": _samples(served, one)}, NPY: {"schema": _BYTES}, BINARY: {"schema": _BYTES}}
    if served.pictures:
        content |= {kind: {"schema": _BYTES} for kind in PICTURES}
        files: Schema = {"type": "array", "items": _BYTES, "minItems": 1, **({"maxItems": 1} if one else {})}
        form: Schema = {
            "type": "object",
            "properties": {FIELD: files},
            "required": [FIELD],
            "additionalProperties": False,
        }
        content[FORM] = {"schema": form, "encoding": {FIELD: {"contentType": ", ".join(PICTURES)}}}
    return content


def _samples(served: Served, one: bool) -> Schema:
    forms = [_batch(served, form, one) for form in served.forms]
    if served.columns is not None:
        forms.insert(0, _rows(served))
    return {
        "type": "object",
        "properties": {KEY: forms[0] if len(forms) == 1 else {"anyOf": forms}},
        "required": [KEY],
        "additionalProperties": False,
    }


def _batch(served: Served, form: tuple[int, ...], one: bool) -> Schema:
    """Return the schema of samples of a shape as nested lists."""
    entry: Schema = {"type": "number", "minimum": -served.largest, "maximum": served.largest}
    if served.symbols is not None:
        entry = {"type": "integer", "minimum": -1, "maximum": served.symbols - 1}
    for size in reversed(form):
        entry = {"type": "array", "items": entry, "minItems": size, "maxItems": size}
    return {"type": "array", "items": entry, "minItems": 1, **({"maxItems": 1} if one else {})}


def _rows(served: Served) -> Schema:
    """Return the schema of samples as rows of a table. A number is one that the network can compute with."""
    assert served.columns is not None
    properties = {}
    for column in served.columns.columns:
        schema = column.cell_schema()
        if "number" in schema["type"]:
            schema |= {"minimum": -served.largest, "maximum": served.largest}
        properties[column.name] = schema
    row = {"type": "object", "properties": properties, "required": list(served.columns.names)}
    return {"type": "array", "items": row, "minItems": served.rows_of_a_sample}


def _answers(path: str, served: Served) -> Schema:
    """Return what a request is answered with where all is well."""
    if path == "/predict":
        content = {JSON: {"schema": _predicted(served)}, NPY: {"schema": _BYTES}, BINARY: {"schema": _BYTES}}
        return {"200": {"description": "The outputs, one for each sample.", "content": content}}
    if path == "/occlude":
        content = {JSON: {"schema": _map(served)}, PNG: {"schema": _BYTES}, NPY: {"schema": _BYTES}}
        return {"200": {"description": "The map of the image.", "content": content}}
    if path == "/metrics":
        return {"200": {"description": "The counts.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    return {"200": {"description": "It is ready.", "content": {JSON: {"schema": _health()}}}}


def _health() -> Schema:
    names = ("network", "digest", "version")
    properties: Schema = {"ready": {"type": "boolean"}, **{name: {"type": "string"} for name in names}}
    return {"type": "object", "properties": properties, "required": ["ready"]}


def _predicted(served: Served) -> Schema:
    names: Schema = {"type": ["array", "null"], "items": {"type": "string"}}
    return {
        "type": "object",
        "properties": {
            "format_version": {"type": "integer"},
            "classes": names,
            "columns": names,
            "predictions": {"type": "array", "items": _prediction(served)},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["format_version", "classes", "columns", "predictions", "warnings"],
    }


def _prediction(served: Served) -> Schema:
    """Return the schema of one prediction; null stands for what is NaN or infinite."""
    shape = tuple(served.network.spec.output_shape or ())
    number: Schema = {"type": ["number", "null"]}
    if served.classes is None:
        value = number if shape in ((), (1,)) else _nested(number, shape[:-1] if shape[-1] == 1 else shape)
        return {"type": "object", "properties": {"value": value}, "required": ["value"]}
    label: Schema = _nested({"type": ["string", "null"]}, shape[:-1])
    numbers = _nested(number, (*shape[:-1], len(served.classes)))
    kind = score_kind(served.network)
    return {"type": "object", "properties": {"label": label, kind: numbers}, "required": ["label", kind]}


def _nested(entry: Schema, sizes: tuple[int, ...]) -> Schema:
    for size in reversed(sizes):
        entry = {"type": "array", "items": entry, "minItems": size, "maxItems": size}
    return entry


def _map(served: Served) -> Schema:
    number: Schema = {"type": ["number", "null"]}
    properties: Schema = {
        "format_version": {"type": "integer"},
        "label": {"enum": served.classes},
        "probability": number,
        "window": {"type": "integer"},
        "stride": {"type": "integer"},
        "baseline": {"type": "number"},
        "scale": {"type": "string"},
        "map": {"type": "array", "items": {"type": "array", "items": number}},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _refusals(path: str) -> Schema:
    """Return the refusals. A page without a body has fewer."""
    bodiless = {"401", "403", "408", "421", "422", "431", "503"}
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: Schema = {}
    for status, meaning in _REFUSALS.items():
        if path in ("/predict", "/occlude") or status in bodiless:
            found[status] = {"description": meaning, "content": content}
    if "503" in found:
        retry = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
        found["503"] = {**found["503"], "headers": retry}
    return found
