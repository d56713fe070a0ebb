"""nnspec serve: answer requests over HTTP."""

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.output import print_note


@click.command(
    cls=Verb,
    section=Section.ANSWERS,
    examples=(
        "nnspec serve runs/quickstart",
        "nnspec serve runs/iris/best.h5 --port 9000 --batch 64 --wait 5",
        "nnspec serve runs/quickstart --host 0.0.0.0 --token auto",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@click.option(
    "--token",
    envvar="NNSPEC_TOKEN",
    metavar="T",
    help="What requests have to bring, also from NNSPEC_TOKEN; auto draws one. Needed on any host but this machine.",
)
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="Another name by which the server may be asked, such as a proxy's. Repeatable.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 4096),
    default=32,
    show_default=True,
    help="The most samples of several requests that are computed together.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 1000),
    default=2,
    show_default=True,
    metavar="MS",
    help="How long a request waits at most for others that are arriving.",
)
@click.option(
    "--queue",
    type=click.IntRange(1, 100_000),
    default=128,
    show_default=True,
    help="The most requests that wait; more are told to come again: 503.",
)
@click.option(
    "--body",
    type=click.FloatRange(0.001, 1024),
    default=8,
    show_default=True,
    metavar="MB",
    help="The largest body of a request; a larger one is refused: 413.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 3600),
    default=30,
    show_default=True,
    metavar="S",
    help="Seconds in which a request has to arrive, and in which it is answered.",
)
@click.option("--invert", is_flag=True, help="Swap light and dark in pictures, as MNIST needs for dark ink.")
def command(
    checkpoint: str,
    host: str,
    port: int,
    token: str | None,
    names: tuple[str, ...],
    batch: int,
    wait: float,
    queue: int,
    body: float,
    timeout: float,
    invert: bool,
) -> None:
    """Answer requests over HTTP: POST /predict, POST /occlude, GET /health.

    CHECKPOINT is a file or a run's folder, which means its last.h5. /predict takes samples as JSON, .npy arrays and
    pictures; the page at / describes what this network takes, with commands to paste. docs/serving.md has limits, a
    proxy, systemd and containers. SIGTERM and Ctrl-C finish the requests that were accepted. It needs FastAPI and
    uvicorn: pip install 'nnspec[serve]'.
    """
    from nnspec.cli.checkpoint import find_checkpoint, open_to_ask
    from nnspec.exchange.errors import package
    from nnspec.serving.limits import Limits

    for name in ("fastapi", "uvicorn", "httptools", "python_multipart"):
        package(name, "serve", "the server")
    from nnspec.runtime.infer.network_file import program_version
    from nnspec.serving.address import Address
    from nnspec.serving.served import Served, digest_of
    from nnspec.serving.server import serve

    file = find_checkpoint(checkpoint)
    while True:
        digest = digest_of(file)
        _, saved = open_to_ask(str(file))
        if digest == digest_of(file):  # else a training has written it meanwhile
            break
    served = Served(saved.network, digest, program_version(), invert)
    limits = Limits(batch, wait / 1000, queue, int(body * 2**20), timeout)
    serve(served, Address(host, port, token, names), limits, print_note)
