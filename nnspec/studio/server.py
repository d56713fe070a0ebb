"""Starting and stopping the studio: the folder, the address, uvicorn, the browser, and the training at the end."""

import webbrowser
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import uvicorn

from nnspec.serving.address import Address, new_token
from nnspec.serving.lifecycle import Server
from nnspec.serving.limits import ServingError
from nnspec.studio.app import make_app
from nnspec.studio.folder import SUFFIX
from nnspec.studio.guard import Guard
from nnspec.studio.studio import Studio

SAVING_SECONDS = 60.0
"""How long the studio waits at its end until the run that trains is saved."""


def opened(file: str | None) -> tuple[Path, str | None]:
    """Return the folder of the studio, and the spec that it opens. Raises ServingError where there is no such file."""
    if file is None:
        return Path.cwd(), None
    path = Path(file)
    try:
        if path.is_dir():
            return path, None
        found = path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise ServingError(f"{file}: there is no such file\n  help: nnspec init quickstart {path.stem}{SUFFIX}")
    if path.suffix != SUFFIX:
        raise ServingError(f"{file}: the studio opens files whose names end in {SUFFIX}, or a folder")
    return path.parent, path.name


def run_studio(file: str | None, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Run the studio until SIGINT or SIGTERM; a run that trains then is saved. `say` is called with sentences.

    Raises ServingError where the file or the port is not to be had.
    """
    root, name = opened(file)
    address = Address(port=port)
    try:
        listener = address.listening()
    except ServingError as error:
        raise ServingError(f"{error}\n  help: --port 0 takes a free one") from None
    taken = listener.getsockname()[1]
    studio = Studio(root, name)
    guard = Guard(make_app(studio), taken, new_token())
    url = f"http://127.0.0.1:{taken}/?token="

    def listening() -> None:
        say(f"the studio is at {url}{guard.token}\nit works in {studio.folder.root}; Ctrl-C stops it")
        if browser:
            Thread(target=webbrowser.open, args=(f"{url}{guard.token_for_once()}",), daemon=True).start()

    def stopping() -> None:
        if studio.training.running:
            say("saving the run that trains; nnspec resume goes on with it")
        studio.training.end(SAVING_SECONDS)
        studio.hub.close()

    config = uvicorn.Config(
        guard, http="h11", ws="none", lifespan="on", log_config=None, log_level="critical",
        access_log=False, loop="asyncio", timeout_keep_alive=5, timeout_graceful_shutdown=5, server_header=False,
        proxy_headers=False, limit_concurrency=256,
    )  # fmt: skip
    Server(config, listening, stopping, lambda: None).run(sockets=[listener])
