"""Requests are joined into calls of the network, and each gets its own answer."""

import asyncio
from typing import Any

import numpy as np

from nnspec.runtime.infer.network import Network
from nnspec.serving.batching import Batcher
from nnspec.serving.limits import Limits


class Counted:
    """A network that doubles numbers and keeps the sizes of its batches; −1 is an error."""

    def __init__(self, seconds: float = 0.0):
        self.sizes: list[int] = []
        self.seconds = seconds

    def __call__(self, samples: Any) -> Any:
        import time

        self.sizes.append(len(samples))
        time.sleep(self.seconds)
        if (samples < 0).any():
            raise ValueError("negative")
        return 2 * samples


def answers(network: Counted, limits: Limits, *batches: Any) -> list[Any]:
    async def all_at_once() -> list[Any]:
        batcher = Batcher(network, limits)
        return await asyncio.gather(*(batcher.join(np.array(batch)) for batch in batches), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_requests_that_come_together_are_one_call() -> None:
    network = Counted()
    found = answers(network, Limits(batch=8), [1.0, 2.0], [3.0], [4.0, 5.0])
    assert [one.tolist() for one in found] == [[2, 4], [6], [8, 10]]
    assert network.sizes == [5]


def test_a_call_has_as_many_samples_as_it_may() -> None:
    network = Counted()
    found = answers(network, Limits(batch=4), [1.0] * 3, [2.0] * 3, [3.0], [4.0] * 9)
    assert [len(one) for one in found] == [3, 3, 1, 9]
    assert network.sizes == [4, 3, 9]


def test_samples_of_different_types_are_not_joined() -> None:
    network = Counted()
    found = answers(network, Limits(), [1.0], np.array([2], np.uint8), [3.0])
    assert [one.dtype.name for one in found] == ["float64", "uint8", "float64"]
    assert network.sizes == [2, 1]


def test_a_request_that_fails_fails_alone() -> None:
    found = answers(Counted(), Limits(), [1.0], [-1.0], [3.0])
    assert [str(one) if isinstance(one, ValueError) else one.tolist() for one in found] == [[2], "negative", [6]]


def test_requests_collect_while_a_call_computes() -> None:
    async def in_turn(network: Counted) -> None:
        batcher = Batcher(network, Limits())
        first = asyncio.ensure_future(batcher.join(np.ones(1)))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, *(batcher.join(np.ones(1)) for _ in range(5)))
        assert vars(batcher.counts) == {"requests": 6, "samples": 6, "calls": 2}

    network = Counted(seconds=0.3)
    asyncio.run(in_turn(network))
    assert network.sizes == [1, 5]


def test_a_call_waits_for_a_request_that_is_arriving_and_not_longer_than_it_may() -> None:
    async def arriving(network: Counted, seconds: float, wait: float) -> None:
        batcher = Batcher(network, Limits(wait=wait))
        with batcher.arrival() as arrival:
            first = asyncio.ensure_future(batcher.join(np.ones(1)))
            await asyncio.sleep(seconds)
            await asyncio.gather(first, arrival.predict(np.ones(1)))

    patient, hasty = Counted(), Counted()
    asyncio.run(arriving(patient, 0.05, wait=60.0))
    asyncio.run(arriving(hasty, 0.5, wait=0.001))
    assert (patient.sizes, hasty.sizes) == ([2], [1, 1])


def test_a_call_does_not_wait_for_a_request_that_has_been_given_up() -> None:
    async def given_up(network: Counted) -> None:
        batcher = Batcher(network, Limits(wait=60.0))
        with batcher.arrival():
            first = asyncio.ensure_future(batcher.join(np.ones(1)))
            await asyncio.sleep(0.01)
        await asyncio.wait_for(first, 30)

    asyncio.run(given_up(Counted()))


def test_a_request_that_has_been_given_up_is_not_computed() -> None:
    async def cancelled(network: Counted) -> None:
        batcher = Batcher(network, Limits())
        first = asyncio.ensure_future(batcher.join(np.ones(1)))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(batcher.join(np.ones(4)))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, batcher.join(np.ones(2)))

    network = Counted(seconds=0.3)
    asyncio.run(cancelled(network))
    assert network.sizes == [1, 2]


def test_joined_answers_are_those_of_predict(network: Network, images: Any) -> None:
    async def together() -> list[Any]:
        batcher = Batcher(network.predict, Limits(batch=64))
        return list(await asyncio.gather(*(batcher.join(image[None]) for image in images)))

    joined = np.concatenate(asyncio.run(together()))
    assert np.array_equal(joined, network.predict(images))  # the bits of the batch that was computed
    alone = np.concatenate([network.predict(image[None]) for image in images])
    assert np.allclose(joined, alone, rtol=1e-4, atol=1e-7)
