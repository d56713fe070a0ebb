"""What the server does with too much, with what comes too slowly, and with those who may not ask."""

import contextlib
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.load import Load, request
from nnspec.runtime.infer.network import Network
from tests.nnspec.serving.running import NPY, Running, npy, picture, running

pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")


@pytest.fixture(scope="module")
def small(digits: Path) -> Any:
    """A server with a short queue, small bodies, and a second for each request; a token is needed."""
    options = ("--queue", 6, "--batch", 4, "--body", 0.05, "--timeout", 2, "--token", "auto")
    with running(digits, *options) as found:
        yield found


def test_more_requests_than_it_can_take_are_refused_at_once_and_none_is_lost(
    small: Running, network: Network, images: Any
) -> None:
    before = counted(small)
    bodies = [request("/predict", npy(image[None]), NPY, NPY) for image in images]
    token = f"Authorization: Bearer {small.token}\r\nContent-Length".encode()
    bodies = [body.replace(b"Content-Length", token, 1) for body in bodies]
    expected = [network.predict(image[None]) for image in images]

    def right(number: int, body: bytes) -> bool:
        found = np.frombuffer(body[-40:], np.float32)
        return bool(np.allclose(found, expected[number % len(images)][0], rtol=1e-4, atol=1e-7))

    load = Load(("127.0.0.1", small.port), bodies, connections=48, seconds=1.5, check=right)
    found = load.run()
    assert (found.unanswered, found.broken, found.wrong) == (0, 0, 0)
    assert set(found.statuses) == {200, 503}
    assert sum(found.statuses.values()) == load.sent
    assert found.come_again == found.statuses[503]
    assert found.quantile(1.0) < 10  # no request hangs: its time is 2 seconds, on a busy machine
    after = counted(small)
    told = {status: after.get(status, 0) - before.get(status, 0) for status in (200, 503)}
    assert told == {200: found.statuses[200] + 1, 503: found.statuses[503]}  # and one was the count itself


def counted(server: Running) -> dict[int, int]:
    """Return the answers that the server counts, by status."""
    text = server.ask("GET", "/metrics").body.decode()
    return {int(status): int(count) for status, count in re.findall(r'answers_total{status="(\d+)"} (\d+)', text)}


def test_asking_how_it_is_takes_no_place_in_the_queue(small: Running) -> None:
    load = Load(("127.0.0.1", small.port), [b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"], 24, count=24)
    assert set(load.run().statuses) == {200}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(small: Running, chunked: bool) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=60)
    headers = {"Authorization": f"Bearer {small.token}", "Content-Type": NPY}
    body = bytes(200_000)
    connection.request("POST", "/predict", iter([body]) if chunked else body, headers, encode_chunked=chunked)
    found = connection.getresponse()
    assert found.status == 413
    assert b"larger than 52,428 bytes" in found.read()
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_requests_that_come_too_slowly_are_ended_and_hinder_nobody(small: Running) -> None:
    slow = [small.raw(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n") for _ in range(30)]
    headers = f"Host: 127.0.0.1\r\nAuthorization: Bearer {small.token}\r\nContent-Type: {NPY}\r\n"
    slow += [small.raw(f"POST /predict HTTP/1.1\r\n{headers}Content-Length: 900\r\n\r\n".encode()) for _ in range(30)]
    assert small.ask("POST", "/predict", npy(np.zeros((1, 28, 28, 1))), NPY).status == 200
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for connection in slow:  # a byte now and then does not help
            with contextlib.suppress(OSError):
                connection.send(b"x")
        time.sleep(0.2)
        if all(_ended(connection) for connection in slow):
            break
    else:
        pytest.fail("connections that never finish a request are still open")
    for connection in slow:
        connection.close()


def _ended(connection: Any) -> bool:
    connection.setblocking(False)
    try:
        answer = connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return not answer or b" 408 " in answer


def test_a_connection_that_sends_nothing_is_ended(small: Running) -> None:
    with small.raw(b"") as connection:
        assert connection.recv(100) == b""


def test_headers_without_end_are_refused(small: Running) -> None:
    with small.raw(b"GET / HTTP/1.1\r\n" + b"X-A: " + b"a" * 200_000) as connection:
        assert b" 431 " in connection.recv(4096)


def test_what_is_not_http_is_refused(small: Running) -> None:
    with small.raw(b"\x16\x03\x01 hello <b>\r\n\r\n") as connection:
        answer = connection.recv(4096)
    assert b" 400 " in answer
    assert b"<b>" not in answer


def test_a_token_is_asked_for_everywhere_but_for_health(small: Running) -> None:
    for method, path in (("POST", "/predict"), ("POST", "/occlude"), ("GET", "/"), ("GET", "/metrics"), ("GET", "/x")):
        for given in ("Bearer wrong", f"Basic {small.token}", f"Bearer {small.token}x", "Bearer \xe9", ""):
            found = small.ask(method, path, authorization=given, Authorization=given)
            assert (found.status, found.headers["www-authenticate"]) == (401, "Bearer")
    assert small.ask("GET", "/health", Authorization="").json == {"ready": True}
    assert "network" in small.ask("GET", "/health").json


def test_a_page_of_another_site_may_not_ask(server: Running) -> None:
    assert server.ask("GET", "/health", Host="attacker.example").status == 421
    assert server.ask("GET", "/health", Host="").status == 421
    assert server.ask("GET", "/health", Host="LOCALHOST:9").status == 200
    assert server.ask("GET", "/health", Host="[::1]:80").status == 200
    assert server.ask("POST", "/predict", b"", "text/plain", Origin="https://attacker.example").status == 403
    assert server.ask("POST", "/predict", b"", "text/plain", Origin="null").status == 403
    assert server.ask("GET", "/health", Origin=f"http://127.0.0.1:{server.port}").status == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "0.0.0.0"), "0.0.0.0 is reached from other machines, so that requests need a token"),
        (("--host", "::"), "need a token: write --token auto"),
        (("--host", "0.0.0.0", "--token", "short"), "a token is 16 or more printable ASCII characters"),
        (("--host", "no.such.host.invalid", "--token", "auto"), "no.such.host.invalid, port 8000 cannot be served"),
    ],
)
def test_it_does_not_start_where_it_should_not(nnspec: Any, digits: Path, options: Any, message: str) -> None:
    done = nnspec("serve", digits, *options)
    assert (done.code, message in done.err) == (2, True), done.err


def test_a_port_that_is_taken_is_an_error(nnspec: Any, digits: Path, server: Running) -> None:
    done = nnspec("serve", digits, "--port", server.port)
    assert done.code == 2
    assert f"127.0.0.1, port {server.port} cannot be served" in done.err


def test_a_missing_package_is_named_with_its_extra(nnspec: Any, digits: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fastapi", None)
    done = nnspec("serve", digits)
    assert done.code == 2
    assert "pip install 'nnspec[serve]'" in done.err


def test_pictures_are_inverted_where_the_server_is_told(digits: Path) -> None:
    from nnspec import api
    from nnspec.serving.bodies import pictures
    from nnspec.serving.served import Served

    network = api.load(digits)
    plain, turned = (pictures(Served(network, "", "", invert), [picture()])[0] for invert in (False, True))
    assert np.array_equal(plain, 255 - turned)
