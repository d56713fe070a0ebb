"""What the server takes at most, and how it refuses what is more. It knows no web framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nnspec.spec_lang.report.errors import NNSpecError

MOST_RECEIVING = 2**28
"""The most bytes of bodies that are being received at the same time."""


@dataclass(frozen=True)
class Limits:
    """Arguments:
    batch: the most samples that are joined into one call of the network.
    wait: seconds that a request waits at most for others that are arriving.
    queue: the most requests that are accepted and not answered.
    body: bytes of a request's body.
    timeout: seconds from a request's first byte to its answer.
    """

    batch: int = 32
    wait: float = 0.002
    queue: int = 128
    body: int = 8 * 2**20
    timeout: float = 30.0


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is not answered: the status of HTTP, a sentence for its sender, headers."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


def busy(message: str) -> Refusal:
    """Return the refusal of a request that may be sent again in a second."""
    return Refusal(503, message, {"Retry-After": "1"})


class ServingError(NNSpecError):
    """A server that cannot start as it was asked to."""

    exit_code = 2
