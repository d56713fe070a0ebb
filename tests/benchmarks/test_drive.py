import os
from typing import Any

import pytest

from benchmarks.drive import Contender, Effort, PeerError, Worker, compared, environment, measure, worth_timing
from benchmarks.workloads import WORKLOADS, Workload

W1 = WORKLOADS["W1"]
ROUNDS = Effort(rounds=3, seconds=1.0, steps=2)


class Scripted(Worker):
    """A peer that answers what it is told to: losses by way, and seconds of a step by way."""

    def __init__(self, losses: Any, seconds: Any = None, list_: Any = None) -> None:
        self.losses, self.seconds, self.ways = losses, seconds or {}, list_ or list(losses)
        self.asked: list[Any] = []

    def ask(self, do: str, workload: Workload | None = None, **more: Any) -> Any:
        way = more.get("way", "")
        self.asked.append((do, way))
        match do:
            case "list":
                return self.ways
            case "check":
                if isinstance(self.losses[way], str):
                    raise PeerError(self.losses[way])
                return self.losses[way]
            case "time":
                return self.seconds[way]
            case "forget":
                return None


def contender(peer: Any, way: Any, trial: Any = 0.0, worker: Any = None) -> Any:
    return Contender(peer, way, worker, W1, trial=trial)


def test_a_way_far_behind_its_peers_best_is_timed_no_further() -> None:
    kept, dropped = worth_timing(
        [contender("torch", "fused", 1.0), contender("torch", "eager", 1.4), contender("torch", "slow", 2.0)]
    )
    assert [c.way for c in kept] == ["fused", "eager"]
    assert [c.way for c in dropped] == ["slow"]


def test_a_slow_peer_is_compared_with_itself_alone() -> None:
    kept, _ = worth_timing([contender("torch", "fused", 1.0), contender("notes", "loops", 500.0)])
    assert [c.peer for c in kept] == ["torch", "notes"]


def test_every_way_of_nnspec_is_kept() -> None:
    kept, dropped = worth_timing([contender("nnspec", "planned", 1.0), contender("nnspec", "train", 9.0)])
    assert len(kept) == 2 and not dropped


def test_pytorch_is_the_reference_whatever_comes_first() -> None:
    ours, theirs = Scripted({"planned": [9.0]}), Scripted({"eager": [1.0]})
    found = {
        c.peer: why
        for c, why in compared(
            [contender("nnspec", "planned", worker=ours), contender("torch", "eager", worker=theirs)], 1
        )
    }
    assert found["torch"] is None
    assert "computes something else" in str(found["nnspec"])


def test_a_loss_within_rounding_of_the_reference_is_the_same() -> None:
    ours, theirs = Scripted({"planned": [1.0 + 1e-5]}), Scripted({"eager": [1.0]})
    pair = [contender("nnspec", "planned", worker=ours), contender("torch", "eager", worker=theirs)]
    assert [why for _, why in compared(pair, 1)] == [None, None]
    assert pair[0].off == pytest.approx(1e-5, rel=1e-2)


def test_losses_are_compared_before_anything_is_timed() -> None:
    worker = Scripted({"a": [1.0], "b": [1.0]}, {"a": 1.0, "b": 1.0})
    measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None)
    done = [do for do, _ in worker.asked]
    assert "check" not in done[done.index("time") :]


def test_rounds_are_interleaved() -> None:
    worker = Scripted({"a": [1.0], "b": [1.0]}, {"a": 1.0, "b": 1.0})
    measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None)
    timed = [way for do, way in worker.asked if do == "time"]
    assert timed[-6:] == ["a", "b"] * 3


def test_a_way_that_computes_something_else_fails_and_is_not_timed() -> None:
    worker = Scripted({"right": [1.0, 0.5], "wrong": [1.0, 0.6]}, {"right": 1.0, "wrong": 0.1})
    result = measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None)
    assert [way["way"] for way in result["ways"]] == ["right"]
    (failed,) = result["failed"]
    assert failed["way"] == "wrong" and "after 2 steps" in failed["why"]
    assert ("time", "wrong") not in worker.asked


def test_a_peer_that_breaks_off_is_told_in_its_own_words() -> None:
    worker = Scripted({"right": [1.0], "broken": "ValueError: no such layer"}, {"right": 1.0})
    result = measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None)
    assert result["failed"] == [{"peer": "torch", "way": "broken", "why": "ValueError: no such layer"}]


def test_only_the_ways_that_are_named_take_part() -> None:
    worker = Scripted({"a": [1.0], "b": [1.0]}, {"a": 1.0, "b": 1.0})
    result = measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None, only=("b",))
    assert [way["way"] for way in result["ways"]] == ["b"]


def test_the_machines_matrix_product_is_timed_in_the_same_rounds() -> None:
    worker = Scripted({"planned": [1.0, 1.0]}, {"planned": 0.25, "gemm": 0.5}, ["planned"])
    result = measure(W1, {"nnspec": worker}, ROUNDS, lambda line: None)
    peak = next(way for way in result["ways"] if way["peer"] == "machine")
    assert peak["seconds"] == [0.5] * 3
    assert result["flops"] == W1.flops


def test_a_round_has_as_many_steps_as_fill_its_time() -> None:
    worker = Scripted({"a": [1.0]}, {"a": 0.01})
    result = measure(Workload("W", "epoch", W1.network, 1), {"torch": worker}, ROUNDS, lambda line: None)
    assert result["ways"][0]["steps"] == 100


def test_a_peers_environment_leaves_blas_its_own_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1")
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(environment())
    assert environment()["PATH"] == os.environ["PATH"]
