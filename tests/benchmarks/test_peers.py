"""The two peers that need nothing but the project and NumPy compute the same from the same weights and batches."""

import json
from collections.abc import Iterator

import pytest

from benchmarks.drive import PeerError, Worker
from benchmarks.figures import difference
from benchmarks.peers import notes, ours
from benchmarks.workloads import WORKLOADS


@pytest.mark.parametrize("name", ["W1", "W3-1"])
@pytest.mark.parametrize("way", ["planned", "train"])
def test_nnspec_and_the_notes_style_report_the_same_losses(name: str, way: str) -> None:
    workload = WORKLOADS[name]
    (loops,) = notes.tasks(workload).values()
    expected = loops().check(3)
    assert difference(ours.tasks(workload)[way]().check(3), expected) < 1e-5
    assert len(set(expected)) == 3


@pytest.mark.parametrize("name", ["W7-mlp-1", "W7-cnn-1"])
def test_the_planned_answers_are_those_of_predict(name: str) -> None:
    ways = ours.tasks(WORKLOADS[name])
    assert difference(ways["planned"]().check(2), ways["predict"]().check(2)) < 1e-5


def test_peers_pass_over_what_they_cannot_do() -> None:
    assert notes.tasks(WORKLOADS["W4"]) == {}


@pytest.fixture
def worker() -> Iterator[Worker]:
    started = Worker("benchmarks.peers.notes")
    yield started
    started.close()


def test_a_worker_answers_line_by_line(worker: Worker) -> None:
    assert worker.ask("list", WORKLOADS["W1"]) == ["arrays"]
    (loss,) = worker.ask("check", WORKLOADS["W1"], way="arrays", steps=1)
    assert loss > 0


def test_a_worker_tells_what_went_wrong_and_goes_on(worker: Worker) -> None:
    with pytest.raises(PeerError, match="KeyError: 'loops'"):
        worker.ask("check", WORKLOADS["W1"], way="loops", steps=1)
    assert worker.ask("about") == {}


def test_a_worker_that_cannot_start_says_why() -> None:
    absent = Worker("benchmarks.peers.of_nobody")
    with pytest.raises(PeerError, match="of_nobody"):
        absent.ask("about")
    absent.close()


def test_a_workload_survives_the_line_to_a_peer() -> None:
    for workload in WORKLOADS.values():
        assert type(workload)(**json.loads(json.dumps(workload.as_dict()))) == workload


@pytest.mark.parametrize("name", ["W9", "W10"])
def test_pytorch_builds_the_residual_network_of_the_shipped_specs(name: str) -> None:
    pytest.importorskip("torch")
    from benchmarks.peers import pytorch

    workload = WORKLOADS[name]
    theirs = pytorch.tasks(workload)["fused, 1 thread"]().check(3)
    for way in ("planned", "train"):
        assert difference(ours.tasks(workload)[way]().check(3), theirs) < 1e-3
