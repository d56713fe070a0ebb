import os
import re
from pathlib import Path
from typing import Any

import pytest

from nnspec.studio import app as routes
from nnspec.studio.folder import Folder
from nnspec.studio.training import Training
from tests.nnspec.studio.conftest import OWN, PORT, TOKEN, Asked

STATIC = Path(routes.__file__).parent / "static"
READ = (
    "/api/state",
    "/api/files/digits.nnspec",
    "/api/shipped",
    "/api/runs/history/runs/digits",
    "/static/studio/studio.js",
)
WRITE = ("/api/train", "/api/resume", "/api/stop", "/api/language/analyse", "/api/runs/belief/runs/digits")


def quoted(name: str) -> str:
    """Return a name for an address, its dots and slashes so that no client tidies them up."""
    return "".join(f"%{byte:02x}" if byte in b"./\0" else chr(byte) for byte in name.encode())


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:9", f"127.0.0.1.evil.example:{PORT}", ""]
)
def test_a_request_by_another_name_is_refused_even_with_the_token(asked: Asked, host: str) -> None:
    for path in ("/", "/api/state", f"/?token={TOKEN}"):
        refused = asked.get(path, headers={"Host": host})
        assert refused.status_code == 421 and "set-cookie" not in refused.headers
    assert asked.get("/api/state", headers={"Host": f"localhost:{PORT}"}).status_code == 200


def test_every_route_asks_for_the_token(stranger: Asked) -> None:
    for path in (*READ, "/api/events"):
        assert stranger.get(path).status_code == 401, path
    for path in WRITE:
        assert stranger.send(path, {}).status_code == 401, path
    assert stranger.send("/api/files/digits.nnspec", {}, "PUT").status_code == 401
    known = {re.sub(r"\{.*", "", route.path) for route in routes.make_app(stranger.studio).routes}
    tried = {*READ, *WRITE, "/api/events", "/"}
    assert all(any(path.startswith(start) for path in tried) for start in known)
    assert not list(stranger.studio.folder.root.glob("runs"))


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "é" * 20])
def test_a_wrong_token_opens_nothing(stranger: Asked, token: str) -> None:
    refused = stranger.get("/", params={"token": token})
    assert refused.status_code == 401 and "set-cookie" not in refused.headers and "the link" in refused.text
    found = stranger.get("/api/state", headers={"Cookie": f"nnspec-studio-{PORT}={token.encode().hex()}"})
    assert found.status_code == 401


def test_the_link_sets_a_cookie_for_this_page_alone_and_leaves_the_token_out_of_the_address(stranger: Asked) -> None:
    found = stranger.get(f"/?token={TOKEN}")
    assert (found.status_code, found.headers["location"]) == (303, "/")
    cookie = found.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and f"nnspec-studio-{PORT}=" in cookie
    assert TOKEN not in found.text and stranger.get("/").status_code == 200


def test_the_token_on_a_browsers_command_line_opens_the_page_a_single_time(stranger: Asked) -> None:
    once = stranger.guard.token_for_once()
    assert stranger.get(f"/?token={once}").status_code == 303 and stranger.get("/api/state").status_code == 200
    stranger.client.cookies.clear()
    assert stranger.get(f"/?token={once}").status_code == 401 and stranger.get("/api/state").status_code == 401


@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:9000"]
)
def test_what_changes_something_is_refused_from_any_other_page(asked: Asked, folder: Path, origin: str) -> None:
    for path in WRITE:
        assert asked.send(path, {}, Origin=origin).status_code == 403, path
    revision = asked.get("/api/files/digits.nnspec").json()["revision"]
    text = {"text": "dense 1\n", "revision": revision}
    assert asked.send("/api/files/digits.nnspec", text, "PUT", Origin=origin).status_code == 403
    assert "dense 10" in (folder / "digits.nnspec").read_text() and not asked.studio.training.running


@pytest.mark.parametrize("site", ["cross-site", "same-site"])  # another port of this machine is of the same site
def test_a_page_of_another_site_reads_nothing_and_a_link_from_it_leads_to_the_page_alone(
    asked: Asked, site: str
) -> None:
    for path in READ:
        assert asked.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 403, path
        assert asked.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 403, path
    embedded = asked.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"})
    followed = asked.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})
    assert (embedded.status_code, followed.status_code) == (403, 200)
    assert "frame-ancestors 'none'" in followed.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name",
    ["../secret.nnspec", "/etc/hosts.nnspec", "//etc/x.nnspec", "link.nnspec", "out/secret.nnspec", "notes.txt",
     "digits.nnspec/..", ".hidden.nnspec", "a\0.nnspec", "new/../../x.nnspec", "link-out", "ring.nnspec"],
)  # fmt: skip
def test_no_file_outside_of_the_folder_is_read_or_written(asked: Asked, folder: Path, name: str) -> None:
    (folder / "link.nnspec").symlink_to(folder.parent / "secret.nnspec")
    (folder / "out").symlink_to(folder.parent)
    (folder / "ring.nnspec").symlink_to(folder / "ring.nnspec")
    (folder / "notes.txt").write_text("mine")
    before = sorted(path.relative_to(folder.parent) for path in folder.parent.rglob("*"))
    read = asked.get(f"/api/files/{quoted(name)}")
    assert read.status_code in (400, 403, 404, 422) and "dense 1" not in read.text
    assert read.status_code == 403 or "secret" not in name
    for revision in (None, "0" * 24):
        written = asked.send(f"/api/files/{quoted(name)}", {"text": "dense 3\n", "revision": revision}, "PUT")
        assert written.status_code in (400, 403, 404, 405, 409, 422), written.text
    trains = asked.send("/api/train", {"file": name, "revision": ""})
    assert trains.status_code in (400, 403, 404, 409, 422)
    assert (folder.parent / "secret.nnspec").read_text() == "dense 1\n"
    assert sorted(path.relative_to(folder.parent) for path in folder.parent.rglob("*")) == before
    assert {file["name"] for file in asked.get("/api/state").json()["files"]} == {"digits.nnspec"}


@pytest.mark.parametrize("run", ["../other", "runs/..", "/", "out/other", "runs/none", ".", "runs"])
def test_no_run_outside_of_the_folder_is_asked_or_resumed(trained: Asked, folder: Path, digits: Path, run: str) -> None:
    os.symlink(folder.parent, folder / "out")
    os.symlink(digits, folder.parent / "other")
    for what in ("history", "about", "weights", "spec", "samples"):
        assert trained.get(f"/api/runs/{what}/{quoted(run)}").status_code in (400, 403, 404), what
    assert trained.send("/api/resume", {"run": run}).status_code in (403, 404)
    assert not trained.studio.training.running


@pytest.mark.parametrize(
    "name",
    ["../guard.py", "../static/../guard.js", "index.html/..", "none.js", "../../serving/app.py", ".", "/etc/x.js"],
)
def test_only_files_of_the_page_are_served(asked: Asked, name: str) -> None:
    for room in ("studio", "web", "serving", ".."):
        assert asked.get(f"/static/{quoted(room)}/{quoted(name)}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/language/analyse", b"x" * (2 * 2**20 + 1), {}, 413),
        ("/api/language/analyse", b"{", {}, 400),
        ("/api/language/analyse", b"[" * 100_000, {}, 400),
        ("/api/language/analyse", b"[]", {}, 422),
        ("/api/language/analyse", {"text": 3}, {}, 422),
        ("/api/language/analyse", {"text": "dense 1", "sample": [0]}, {}, 422),
        ("/api/language/analyse", {"text": "dense 1", "sample": "4"}, {}, 422),
        ("/api/language/analyse", {"text": "dense 1"}, {"Content-Type": "text/plain"}, 415),
        ("/api/language/complete", {"text": "dense 1", "offset": -1}, {}, 422),
        ("/api/language/analyse", {"text": "dense 1", "name": "../x.nnspec"}, {}, 403),
        ("/api/language/eval", {"text": "dense 1"}, {}, 404),
        ("/api/train", {"file": "digits.nnspec", "revision": "old"}, {}, 409),
        ("/api/train", {"file": "digits.nnspec", "revision": "old", "settings": {"a": 1}}, {}, 422),
        ("/api/train", {"file": "none.nnspec", "revision": "old"}, {}, 404),
        ("/api/stop", {}, {}, 409),
        ("/api/runs/belief/runs/digits", b"no picture", {"Content-Type": "image/png"}, 400),
        ("/api/runs/belief/runs/digits", b"{}", {}, 415),
        ("/api/nothing", {}, {}, 404),
        ("/api/state", {}, {}, 405),
    ],
)
def test_what_is_too_large_or_makes_no_sense_is_refused_with_a_sentence(
    trained: Asked, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    refused = trained.send(path, body, **headers)
    assert refused.status_code == status, refused.text
    assert len(refused.json()["error"]) > 10 and "Traceback" not in refused.text


@pytest.mark.parametrize(
    "query", ["index=-1", "index=x", "start=1e3", "count=99999999999999", "index=5000", "split=none"]
)
def test_a_query_that_makes_no_sense_is_refused(trained: Asked, query: str) -> None:
    path = "features" if "index" in query else "samples"
    refused = trained.get(f"/api/runs/{path}/runs/digits?{query}")
    assert refused.status_code == 422 and refused.json()["error"]


def test_a_text_that_is_too_large_is_not_written(asked: Asked, folder: Path) -> None:
    revision = asked.get("/api/files/digits.nnspec").json()["revision"]
    refused = asked.send("/api/files/digits.nnspec", {"text": "#" * (2**20 + 1), "revision": revision}, "PUT")
    assert refused.status_code == 413 and (folder / "digits.nnspec").stat().st_size < 1000


def test_the_page_runs_no_script_in_its_text_and_asks_no_other_host(asked: Asked) -> None:
    page = asked.get("/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"] and "{{" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff" and page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page.text)
    nonces = {re.findall(r'csp-nonce" content="([^"]+)"', asked.get("/").text)[0] for _ in range(3)}
    assert len(nonces) == 3 and re.fullmatch(r"'self' 'nonce-[\w-]{20,}'", policy["style-src"])
    for file in STATIC.iterdir():
        hosts = set(re.findall(r"https?://[^\s\"'`)]+", file.read_text()))
        assert hosts <= {"http://www.w3.org/2000/svg"}, file.name
        assert not re.search(r"\beval\(|innerHTML|document\.write|insertAdjacentHTML", file.read_text()), file.name


def test_one_training_at_a_time(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Training, "running", True)
    monkeypatch.setattr(asked.studio.training, "_process", object())
    refused = asked.begin("digits.nnspec")
    assert refused.status_code == 409 and "stop it first" in refused.json()["error"]
    monkeypatch.setattr(asked.studio.training, "_process", None)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    from nnspec.serving.limits import Refusal

    for name in ("", "a" * 300 + ".nnspec", "\0.nnspec", "\ud800.nnspec"):
        with pytest.raises(Refusal):
            Folder(tmp_path).read(name)


def test_the_page_is_asked_from_the_same_address_it_has(asked: Asked) -> None:
    assert asked.send("/api/stop", {}, Origin=f"http://localhost:{PORT}").status_code == 403
    headers = {"Host": f"localhost:{PORT}", "Origin": f"http://localhost:{PORT}"}
    assert (
        asked.client.post(
            "/api/stop", json={}, headers={**headers, "Cookie": f"nnspec-studio-{PORT}={TOKEN}"}
        ).status_code
        == 409
    )
    assert OWN.endswith(str(PORT))
