"""Runs to serve, and a server that several tests ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.infer.network import Network
from tests.nnspec.serving.running import Running, running


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on a table with every kind of column."""
    folder = tmp_path_factory.mktemp("people")
    random = np.random.default_rng(0)
    lines = ["age,sex,joined,member,weight,kind"]
    for row in range(90):
        kind = row % 3
        age = f"{20 + 10 * kind + random.normal():.1f}" if row % 11 else ""
        sex, member = random.choice(["male", "female"]), random.choice(["yes", "no"])
        date = f"{2019 + kind}-0{1 + row % 9}-1{row % 9}"
        lines.append(f"{age},{sex},{date},{member},{50 + 10 * kind + random.normal():.2f},{'uvw'[kind]}")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    text = 'network people\ndense 8 relu -> dense 3 softmax\ndata csv "people.csv" target=kind\ntrain 8 epochs batch=8'
    (folder / "net.nnspec").write_text(text)
    api.train(folder / "net.nnspec", folder / "run", {"optimizer.lr": 0.1})
    return folder / "run"


@pytest.fixture(scope="session")
def network(digits: Path) -> Network:
    return api.load(digits)


@pytest.fixture(scope="session")
def images() -> Any:
    """Forty different images, (image, 28, 28, 1) bytes."""
    return np.random.default_rng(1).integers(0, 256, (40, 28, 28, 1), np.uint8)


@pytest.fixture(scope="session")
def server(digits: Path) -> Iterator[Running]:
    """A server of handwritten digits with the limits that it has by itself."""
    with running(digits) as found:
        yield found
