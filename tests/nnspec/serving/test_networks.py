"""Every kind of network can be served: what the description shows as a sample is answered as the description says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec

pytest.importorskip("fastapi")
pytest.importorskip("httptools")

NETWORKS = {
    "classes of images": "input 6x6x1 -> conv 3x3 x2 -> dense 3 softmax",
    "colours": "input 6x6x3 -> dense 3 softmax",
    "two classes": "input 4 -> dense 1 sigmoid",
    "scores": "input 4 -> dense 3\nloss hinge",
    "a number": "input 4 -> dense 1",
    "numbers": "input 4 -> dense 2",
    "one feature": "input 1 -> dense 1",
    "a sequence": "input 5x2 sequence -> lstm 3 -> dense 1",
    "a class for each step": "input 5x2 sequence -> rnn 3 -> dense 3 softmax",
    "images": "input 6x6x1 -> conv 3x3 x1 pad=same",
    "masks": "input 6x6x1 -> conv 3x3 x2 pad=same softmax",
}


def answered(network: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the answer to the sample that the page shows, and its schema."""
    from nnspec.serving.app import make_app
    from nnspec.serving.limits import Limits
    from nnspec.serving.openapi import describe
    from nnspec.serving.page import example
    from nnspec.serving.served import Served

    served = Served(network, "0" * 64, "1")
    app, _ = make_app(served, Limits())
    body = json.dumps({"samples": [example(served), example(served)]}).encode()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/predict", "raw_path": b"/predict", "query_string": b"",
        "headers": [(b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    found = json.loads(b"".join(message.get("body", b"") for message in sent))
    assert sent[0]["status"] == 200, found
    document = describe(app, served, Limits())
    return found, document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value is as a schema of the description says."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "null": type(None),
        "integer": int,
        "number": (int, float),
    }
    if not any(isinstance(value, types[kind]) for kind in kinds):
        return False
    if isinstance(value, dict):
        return set(schema["required"]) <= set(value) and all(fits(value[k], s) for k, s in schema["properties"].items())
    if isinstance(value, list):
        sizes = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return sizes and all(fits(entry, schema["items"]) for entry in value)
    return True


@pytest.mark.parametrize("name", NETWORKS)
def test_the_answer_is_as_the_description_says(name: str) -> None:
    found, schema = answered(nnspec.compile(NETWORKS[name], seed=1))
    assert fits(found, schema), (found, schema)
    assert len(found["predictions"]) == 2


def test_numbers_that_are_not_finite_are_null_and_choose_no_label() -> None:
    network = nnspec.compile("input 2 -> dense 3 softmax", seed=1)
    network.set_parameters({"dense1/bias": np.array([np.nan, 0, 0], np.float32)})
    found, schema = answered(network)
    assert found["predictions"][0] == {"label": None, "probabilities": [None, None, None]}
    assert fits(found, schema)


def test_a_window_over_time_is_predicted_for_each_row_that_has_enough_before_it(tmp_path: Path) -> None:
    from nnspec.serving.bodies import reader
    from nnspec.serving.served import Served

    rows = "".join(f"{np.sin(step / 3):.4f},{step % 7}\n" for step in range(80))
    (tmp_path / "series.csv").write_text(f"value,day\n{rows}")
    text = 'dense 4 relu -> dense 1\ndata csv "series.csv" target=value window=5\ntrain 1 epochs batch=8'
    (tmp_path / "net.nnspec").write_text(text)
    network = nnspec.train(tmp_path / "net.nnspec", tmp_path / "run").network
    served = Served(network, "", "")
    sent = [{"value": np.sin(step / 3), "day": step % 7} for step in range(7)]
    samples, _ = reader(served, "application/json")(json.dumps({"samples": sent}).encode())
    assert samples.shape == (3, 5, 2)
    assert served.rows_of_a_sample == 5
    from nnspec.runtime.errors import DataError

    with pytest.raises(DataError, match="the request has 4 rows, and the network needs 5 rows"):
        reader(served, "application/json")(json.dumps({"samples": sent[:4]}).encode())
