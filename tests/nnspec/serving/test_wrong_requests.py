"""Wrong input is answered in nnspec's own words, and nothing of it comes back unescaped."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.nnspec.serving.running import NPY, Running, npy, picture

pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")

JSON = "application/json"
PIXELS = np.zeros((28, 28)).tolist()

WRONG: dict[str, tuple[bytes, str, int, str]] = {
    "no JSON": (b"{", JSON, 400, "the body is not valid JSON"),
    "no text": (b"\xff\xfe\xfd", JSON, 400, "the body is not valid JSON"),
    "too deep": (b'{"samples":' + b"[" * 100_000, JSON, 400, "nested too deeply"),
    "NaN": (b'{"samples": [[NaN]]}', JSON, 400, "NaN is no number"),
    "a list": (b"[[1]]", JSON, 422, 'write {"samples": [...]}'),
    "another key": (b'{"samples": [1], "<b>": 2}', JSON, 422, "its only key is"),
    "no samples": (b'{"samples": []}', JSON, 422, "not a list of at least one sample"),
    "a shape": (b'{"samples": [[1, 2, 3]]}', JSON, 422, "samples of 3 were given, and the network takes 28x28x1"),
    "ragged": (b'{"samples": [[1, 2], [3]]}', JSON, 422, "differ in length or shape"),
    "text": (b'{"samples": [["<script>"]]}', JSON, 422, "samples must be numbers, and these have text"),
    "null": (b'{"samples": [[null]]}', JSON, 422, "samples must be numbers"),
    "true": (b'{"samples": [[true, 1]]}', JSON, 422, "these have true or false: write 1 or 0"),
    "rows": (b'{"samples": [{"age": 1}]}', JSON, 422, "it knows no columns"),
    "one sample": (json.dumps({"samples": PIXELS}).encode(), JSON, 422, "is one sample: write it in a list"),
    "infinite": (b'{"samples": [[[[1e999]]]]}', JSON, 422, "28x28x1"),
    "no array": (b"hello", NPY, 400, "it seems to be a text file"),
    "objects": (npy(np.array([{}], object)), NPY, 422, "samples must be numbers"),
    "cut off": (npy(np.zeros((2, 28, 28, 1)))[:-1], NPY, 400, "cut off"),
    "a header": (b"\x93NUMPY\x01\x00\x08\x00{'descr'", NPY, 400, "its header is damaged"),
    "not finite": (npy(np.full((1, 28, 28, 1), np.nan)), NPY, 422, "samples must be finite"),
    "none": (npy(np.zeros((0, 28, 28, 1))), NPY, 422, "there are no samples"),
    "channels": (npy(np.zeros((1, 1, 28, 28))), NPY, 422, "channels come last"),
    "too large": (npy(np.full((1, 28, 28, 1), 1e300)), NPY, 422, "computes with numbers up to"),
    "no picture": (b"hello", "image/png", 400, "the body is not a picture: it seems to be a text file"),
    "damaged": (picture()[:60], "image/png", 400, "it is damaged or cut off"),
    "a form": (b"hello", "multipart/form-data; boundary=b", 400, "the form is damaged"),
    "no boundary": (b"hello", "multipart/form-data", 400, "the form is damaged"),
    "another field": (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
        422,
        'of another name than "file"',
    ),
    "no end": (
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n1\r\n',
        "multipart/form-data; boundary=b",
        400,
        "the form is damaged",
    ),
    "no part": (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "the form has no file"),
    "a type": (b"a,b", "text/csv", 415, "send one of application/json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_body_is_refused_with_a_reason(server: Running, name: str) -> None:
    body, kind, status, message = WRONG[name]
    found = server.ask("POST", "/predict", body, kind)
    assert (found.status, message in found.error) == (status, True), found
    assert found.headers["content-type"] == JSON
    assert b"<" not in found.body
    assert "Traceback" not in found.error


def test_a_request_without_a_type_is_refused(server: Running) -> None:
    assert server.ask("POST", "/predict", b"1").status == 415


def test_whole_numbers_beyond_64_bits_are_numbers(server: Running) -> None:
    sample: Any = np.zeros((28, 28), int).tolist()
    sample[0][0] = 10**30
    assert server.samples([sample]).status == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("widow=3", "did you mean window?"),
        ("window=29", "the query's window is wrong"),
        ("window=3&window=4", "the query has window twice"),
        ("scale=%3Cscript%3E", "the query's scale is wrong"),
        ("label=x", "the query's label is wrong"),
        ("baseline=nan", "the query's baseline is wrong"),
    ],
)
def test_a_wrong_setting_is_refused(server: Running, query: str, message: str) -> None:
    found = server.ask("POST", f"/occlude?{query}", picture(), "image/png")
    assert (found.status, message in found.error) == (422, True), found


def test_one_image_is_explained_at_a_time(server: Running) -> None:
    found = server.ask("POST", "/occlude", npy(np.zeros((2, 28, 28, 1))), NPY)
    assert (found.status, found.error) == (422, "2 images were sent, and one is explained at a time")


def test_pages_that_there_are_not_and_other_methods_are_refused(server: Running) -> None:
    assert server.ask("GET", "/<script>").status == 404
    found = server.ask("GET", "/predict")
    assert (found.status, found.headers["allow"]) == (405, "POST")


def test_the_log_has_no_traceback(server: Running) -> None:
    assert "Traceback" not in server.said()


def test_a_network_that_does_not_classify_images_has_no_occlusion(people: Path) -> None:
    from nnspec import api
    from nnspec.serving.app import make_app
    from nnspec.serving.limits import Limits
    from nnspec.serving.openapi import describe
    from nnspec.serving.served import Served

    served = Served(api.load(people), "0" * 64, "1")
    app, _ = make_app(served, Limits())
    document = describe(app, served, Limits())
    assert set(document["paths"]) == {"/predict", "/health", "/metrics"}
    assert "image/png" not in document["paths"]["/predict"]["post"]["requestBody"]["content"]
