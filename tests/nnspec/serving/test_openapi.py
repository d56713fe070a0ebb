"""Schemathesis asks the server by its own description, rightly and wrongly, and finds nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.nnspec.serving.running import npy, picture, running

schemathesis = pytest.importorskip("schemathesis")
pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")
strategies = pytest.importorskip("hypothesis.strategies")
hypothesis = pytest.importorskip("hypothesis")

EXAMPLES = 12


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A network for small images, so that schemathesis draws them quickly."""
    import nnspec

    nnspec.compile("input 6x6x1 -> dense 3 softmax", seed=1).save(tmp_path / "squares.h5")
    return tmp_path / "squares.h5"


@pytest.mark.parametrize("name", ["squares", "people"])
def test_schemathesis_finds_nothing(name: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    from nnspec import api

    shape = api.load(run).preprocessing.input_shape
    for kind in ("application/x-npy", "application/octet-stream"):
        schemathesis.openapi.media_type(kind, strategies.just(npy(np.zeros((1, *shape)))))
    for form in ("png", "jpeg", "webp", "bmp", "gif", "tiff"):
        schemathesis.openapi.media_type(f"image/{form}", strategies.just(picture(form=form.upper())))
    asked = set()
    with running(run) as server:
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
        for result in schema.get_all_operations():
            operation = result.ok()
            for mode in schemathesis.GenerationMode:

                @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
                @hypothesis.settings(
                    max_examples=EXAMPLES,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    suppress_health_check=list(hypothesis.HealthCheck),
                )
                def ask(case: Any) -> None:
                    case.call_and_validate()
                    asked.add(case.operation.label)

                try:
                    ask()
                except hypothesis.errors.Unsatisfiable:  # nothing can be wrong with a GET without settings
                    assert operation.method == "get"
        assert "Traceback" not in server.said()
    assert {"POST /predict", "GET /health"} <= asked
