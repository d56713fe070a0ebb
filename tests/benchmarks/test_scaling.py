from typing import Any

import pytest

from benchmarks.peers.ours import spec
from benchmarks.scaling import GROWTHS, measure_growth
from benchmarks.workloads import weights
from nnspec.spec_lang.check.spec_request import Request
from tests.benchmarks.test_drive import ROUNDS, Scripted


@pytest.mark.parametrize("growth", GROWTHS, ids=lambda growth: growth.name)
def test_every_size_is_a_network_that_the_language_takes(growth: Any) -> None:
    for size in growth.sizes:
        workload = growth.workload(size)
        checked = Request(spec(workload)).check()
        assert {name: p.shape for name, p in checked.parameters().items()} == {
            name: weight.shape for name, weight in weights(workload).items()
        }


@pytest.mark.parametrize(
    "growth", [growth for growth in GROWTHS if growth.name != "data"], ids=lambda growth: growth.name
)
def test_work_grows_with_its_measure(growth: Any) -> None:
    flops = [growth.workload(size).flops for size in growth.sizes]
    assert flops == sorted(set(flops))


def test_growth_is_measured_with_nnspec_and_pytorch_alone() -> None:
    ours = Scripted({"planned": [1.0, 1.0], "train": [1.0, 1.0]}, {"planned": 0.5, "gemm": 0.5}, ["planned", "train"])
    others = Scripted({"jit": [1.0, 1.0]}, {"jit": 0.5})
    (found,) = measure_growth({"nnspec": ours, "jax": others}, ROUNDS, lambda line: None, GROWTHS[:1])
    assert found["sizes"] == list(GROWTHS[0].sizes)
    assert {way["way"] for result in found["results"] for way in result["ways"]} == {"planned", "gemm"}
    assert others.asked == []
