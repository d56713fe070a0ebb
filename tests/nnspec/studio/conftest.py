"""A studio in a folder of its own, asked as a browser asks it; its runs are copied, or trained in a second."""

import importlib.util
import json
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nnspec.studio.guard import Guard
    from nnspec.studio.studio import Studio

NEEDED = ("starlette", "uvicorn", "httpx")
collect_ignore = (
    []
    if all(map(importlib.util.find_spec, NEEDED))
    else ["test_refusals.py", "test_files.py", "test_training.py", "test_questions.py", "test_browser.py"]
)

PORT, TOKEN = 8130, "a-token-that-no-one-guesses"
OWN = f"http://127.0.0.1:{PORT}"
SPEC = "maxpool 4 -> dense 10 softmax\ndata mnist_sample\noptimizer adam lr=0.03\ntrain 2 epochs batch=32\n"
LONG = SPEC.replace("2 epochs", "100000 iterations evaluate_every=200 checkpoint_every=100000")


@dataclass
class Asked:
    """A studio and a browser that is logged in, or not."""

    studio: "Studio"
    client: Any
    guard: "Guard"

    def get(self, path: str, **settings: Any) -> Any:
        return self.client.get(path, **settings)

    def send(self, path: str, content: Any, method: str = "POST", **headers: str) -> Any:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"Origin": OWN, "Content-Type": "application/json", **headers}
        return self.client.request(method, path, content=body, headers={n: v for n, v in given.items() if v})

    def begin(self, file: str, **more: Any) -> Any:
        revision = self.get(f"/api/files/{file}").json()["revision"]
        return self.send("/api/train", {"file": file, "revision": revision, **more})

    def wait(self, seconds: float = 90) -> dict[str, Any]:
        """Wait for the end of the training, and return what the studio says of it."""
        reader = self.studio.training.reader
        assert reader is not None
        reader.join(seconds)
        assert not reader.is_alive()
        found: dict[str, Any] = self.get("/api/state").json()["training"]
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spec, and next to it what is not to be reached."""
    made = tmp_path / "lesson"
    made.mkdir()
    (made / "digits.nnspec").write_text(SPEC)
    (tmp_path / "secret.nnspec").write_text("dense 1\n")
    return made


@pytest.fixture
def stranger(folder: Path) -> Iterator[Asked]:
    """A studio and a browser that does not know the token."""
    from nnspec.studio.app import make_app
    from nnspec.studio.guard import Guard
    from nnspec.studio.studio import Studio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # starlette prefers another package than httpx
        from starlette.testclient import TestClient
    studio = Studio(folder, "digits.nnspec")
    guard = Guard(make_app(studio), PORT, TOKEN)
    with TestClient(guard, base_url=OWN, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Asked(studio, client, guard)
    studio.training.end(5)


@pytest.fixture
def asked(stranger: Asked) -> Asked:
    """A studio and a browser that followed the link."""
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    return stranger


@pytest.fixture
def trained(asked: Asked, folder: Path, digits: Path) -> Asked:
    """A studio whose folder has a finished run, runs/digits."""
    shutil.copytree(digits, folder / "runs" / "digits")
    return asked
