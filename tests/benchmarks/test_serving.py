"""The page of the server has the figures that were kept, and the peer computes the same network."""

import json
import re

import numpy as np
import pytest

from benchmarks import serving


def test_the_page_has_the_kept_figures() -> None:
    page = serving.PAGE.read_text(encoding="utf-8")
    kept = json.loads(serving.KEPT.read_text())
    assert serving.written(page, kept) == page
    assert len(re.findall(r"^\| (?:\.npy|JSON) \|", page, re.MULTILINE)) == len(serving.CASES) + 1


def test_no_request_was_lost_and_the_servers_agreed() -> None:
    kept = json.loads(serving.KEPT.read_text())
    assert kept["difference"] < 1e-5
    for case in kept["cases"]:
        for name in serving.SERVERS:
            assert [one["lost"] for one in case[name]] == [0] * kept["rounds"]


def test_the_peer_is_the_same_network() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    import nnspec
    from benchmarks.peers.serving_torch import network

    ours = nnspec.compile("input 28x28x1 -> conv 3x3 x8 relu -> maxpool 2 -> dense 10 softmax", seed=3)
    images = np.random.default_rng(0).normal(size=(4, 28, 28, 1)).astype(np.float32)
    with torch.inference_mode():
        theirs = network(ours.parameters)(torch.from_numpy(images).reshape(4, 1, 28, 28)).numpy()
    assert np.allclose(theirs, ours.predict(images), atol=1e-6)
