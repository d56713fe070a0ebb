"""Starting and stopping: the address, uvicorn, signals."""

from collections.abc import Callable

import numpy as np
import uvicorn

from nnspec.runtime.errors import RuntimeFault
from nnspec.serving.address import BACKLOG, Address
from nnspec.serving.app import make_app
from nnspec.serving.guard import Guard
from nnspec.serving.lifecycle import Server
from nnspec.serving.limits import Limits, ServingError
from nnspec.serving.protocol import PatientProtocol
from nnspec.serving.served import Served

MOST_IDLE = 32  # programs of the network that are kept: one for each size of batch and type of samples
_SPARE = 64  # open files that are not connections


def serve(served: Served, address: Address, limits: Limits, say: Callable[[str], None]) -> None:
    """Serve a network until SIGINT or SIGTERM, then finish the requests that were accepted.

    `say` is called with sentences for the user. The signal is raised again at the end, so that the process ends by it.
    Raises ServingError where it cannot start.
    """
    token = address.checked_token()
    listener = address.listening()
    warm(served, limits)
    app, endpoints = make_app(served, limits)
    guard = Guard(app, endpoints, token, address.hosts())
    where = f"[{address.host}]" if ":" in address.host else address.host
    url = f"http://{where}:{listener.getsockname()[1]}"

    def listening() -> None:
        if address.token == "auto":
            say(f"token: {token}")
        say(f"serving {served.name} at {url}; Ctrl-C stops it")

    def stopping() -> None:
        endpoints.ready = False
        say("stopping: no new requests; those that were accepted are finished")

    def stopped() -> None:
        say(f"stopped: {sum(endpoints.traffic.answers.values()):,} requests were answered")

    protocol = type("Protocol", (PatientProtocol,), {"seconds": limits.timeout, "most": most_connections()})
    config = uvicorn.Config(
        guard, http=protocol, ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        loop=_loop(), backlog=BACKLOG, timeout_keep_alive=5, timeout_graceful_shutdown=int(limits.timeout) + 1,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    Server(config, listening, stopping, stopped).run(sockets=[listener])


def warm(served: Served, limits: Limits) -> None:
    """Compile the programs for each size of batch, so that the first requests do not wait for it.

    Raises ServingError where the network cannot compute.
    """
    served.network.programs.most_idle = MOST_IDLE
    kinds = (np.dtype(np.float64), np.dtype(np.uint8)) if served.pictures else (np.dtype(np.float64),)
    size = 1
    while size <= limits.batch:
        for kind in kinds:
            try:
                served.network.predict(np.zeros((size, *served.shape), kind))
            except RuntimeFault as error:
                raise ServingError(f"{served.name} cannot be served: {error}") from None
        size *= 2


def most_connections() -> int:
    """Return how many connections the system's limit of open files allows, 4096 at most."""
    try:
        import resource
    except ImportError:  # Windows
        return 512
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4096 if soft == resource.RLIM_INFINITY else max(16, min(4096, soft - _SPARE))


def _loop() -> str:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return "asyncio"
    return "uvloop"
