"""A server that is stopped in the midst of its work finishes what it accepted, and refuses what is new."""

import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import Load, request
from tests.nnspec.serving.running import NPY, npy, running

pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_has_answered_each_request_that_it_accepted(digits: Path, images: Any, number: int) -> None:
    bodies = [request("/predict", npy(image[None]), NPY, NPY) for image in images]
    with running(digits) as server:
        stop = time.perf_counter() + 0.7
        sent = False

        def meanwhile() -> None:
            nonlocal sent
            if not sent and time.perf_counter() > stop:
                sent = True
                server.process.send_signal(number)

        found = Load(("127.0.0.1", server.port), bodies, connections=24, seconds=20).run(meanwhile)
        code = server.process.wait(timeout=60)
        said = server.said()
    assert code == 128 + number
    assert found.broken == 0
    assert set(found.statuses) == {200}
    answered = re.search(r"stopped: ([\d,]+) requests were answered", said)
    assert answered is not None, said
    assert int(answered[1].replace(",", "")) == found.statuses[200] > 0
    assert found.refused > 0  # nobody listens any more
    assert "Traceback" not in said
