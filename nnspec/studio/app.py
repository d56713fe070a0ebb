"""The routes of the studio. Each reads a request, asks what knows the answer in a thread, and answers with JSON."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from nnspec.cli.output import JSON_FORMAT, without_nan
from nnspec.serving.answers import PNG, json_response
from nnspec.serving.bodies import JSON, media_type
from nnspec.serving.limits import Limits, Refusal, busy
from nnspec.serving.refusals import add_refusals
from nnspec.serving.traffic import Traffic
from nnspec.serving.worker import Worker
from nnspec.spec_lang.editor.page import ANSWERS
from nnspec.spec_lang.limits import MAX_TEXT_BYTES
from nnspec.studio.folder import Conflict
from nnspec.studio.guard import POLICY
from nnspec.studio.studio import Studio

T = TypeVar("T")

LIMITS = Limits(queue=64, body=2 * MAX_TEXT_BYTES)
WATCHING_SECONDS = 1.5
"""How often the folder is looked at, while a tab listens."""

MOST_WAITING = 12
"""The most questions that wait for one that is computed."""

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
_ROOMS = {"studio": "nnspec.studio", "web": "nnspec.web"}


@dataclass
class Routes:
    """What the routes do."""

    studio: Studio
    traffic: Traffic = field(default_factory=lambda: Traffic(LIMITS))
    writing: Worker = field(default_factory=lambda: Worker("write"))
    asking: Worker = field(default_factory=lambda: Worker("ask"))

    async def page(self, request: Request) -> Response:
        """Answer with the page, and with a nonce for the styles that its editor makes."""
        nonce = secrets.token_urlsafe(18)
        html = (resources.files("nnspec.studio") / "static" / "index.html").read_text("utf-8")
        headers = {"Content-Security-Policy": POLICY.format(nonce=nonce)}
        return HTMLResponse(html.replace("{{nonce}}", nonce), 200, headers)

    async def static(self, request: Request) -> Response:
        """Answer with a file of the page."""
        room, name = request.path_params["room"], PurePosixPath(request.path_params["name"])
        kind = _TYPES.get(name.suffix)
        if room not in _ROOMS or kind is None or any(part in ("..", "") for part in name.parts):
            raise Refusal(404, "there is no such file")
        file: Traversable = (resources.files(_ROOMS[room]) / "static").joinpath(*name.parts)
        if not file.is_file():
            raise Refusal(404, "there is no such file")
        return Response(file.read_bytes(), 200, {"Cache-Control": "no-cache"}, kind)

    async def state(self, request: Request) -> Response:
        """Answer with all that tabs agree on."""
        return _answer(await asyncio.to_thread(self.studio.state))

    async def events(self, request: Request) -> Response:
        """Answer with the stream of messages, the state first."""
        first = await asyncio.to_thread(self.studio.state)
        stream = self.studio.hub.stream({"kind": "state", **without_nan(first)})
        return StreamingResponse(stream, 200, {"X-Accel-Buffering": "no"}, "text/event-stream")

    async def language(self, request: Request) -> Response:
        """Answer a question on a text: analyse, complete, hover, formatted."""
        ask = ANSWERS.get(request.path_params["question"])
        if ask is None:
            raise Refusal(404, f"there are the questions {', '.join(ANSWERS)}")
        given = await self._object(request)
        text = _text(given, "text")
        arguments: dict[str, Any] = {}
        if request.path_params["question"] != "formatted":
            name = _text(given, "name") if given.get("name") else "spec.nnspec"
            arguments = {"variant": given.get("variant"), "name": name, "folder": self.studio.folder_of(name)}
            if request.path_params["question"] == "analyse":
                arguments["sample"] = _shape(given.get("sample"))
            else:
                arguments["offset"] = _count(given.get("offset"), "offset")
        return _answer(await self._waited(self.writing, partial(ask, text, **arguments)))

    async def read(self, request: Request) -> Response:
        """Answer with a spec and its revision."""
        found = await asyncio.to_thread(self.studio.folder.read, request.path_params["name"])
        return _answer({"text": found.text, "revision": found.revision})

    async def write(self, request: Request) -> Response:
        """Replace a spec, if it is still what its writer read; else answer 409 with what it is."""
        name, given = request.path_params["name"], await self._object(request)
        revision = given.get("revision")
        try:
            written = await asyncio.to_thread(
                self.studio.write, name, _text(given, "text"), None if revision is None else _text(given, "revision")
            )
        except Conflict as conflict:
            now = conflict.now
            about = {"error": f"{name} has changed since it was read", "gone": now is None}
            more = {"text": now.text, "revision": now.revision} if now is not None else {}
            return _answer({**about, **more}, 409)
        return _answer({"revision": written.revision})

    async def shipped(self, request: Request) -> Response:
        """Answer with the specs that come with nnspec, to begin from."""
        return _answer(await asyncio.to_thread(self.studio.shipped))

    async def train(self, request: Request) -> Response:
        """Train a spec of the folder."""
        given = await self._object(request)
        variant = None if given.get("variant") is None else _text(given, "variant")
        settings = given.get("settings") or {}
        if not isinstance(settings, dict) or not all(isinstance(value, str) for value in settings.values()):
            raise Refusal(422, '"settings" is not an object of texts')
        file, revision = _text(given, "file"), _text(given, "revision")
        await asyncio.to_thread(self.studio.train, file, revision, variant, settings)
        return _answer({})

    async def resume(self, request: Request) -> Response:
        """Resume a run."""
        given = await self._object(request)
        await asyncio.to_thread(self.studio.resume, _text(given, "run"))
        return _answer({})

    async def stop(self, request: Request) -> Response:
        """Save the run that trains, and stop it."""
        await self._object(request)
        await asyncio.to_thread(self.studio.training.stop)
        return _answer({})

    async def run(self, request: Request) -> Response:
        """Answer a question on a run."""
        name, what = request.path_params["run"], request.path_params["what"]
        query, ask = request.query_params, self.studio.questions
        split, index = query.get("split") or None, _number(query.get("index"), 0)
        picture = await self._picture(request)
        calls: dict[str, Callable[[], Any]] = {
            "history": lambda: self.studio.runs.history(name),
            "spec": lambda: {"text": self.studio.runs.spec(name)},
            "weights": lambda: self.studio.weights(name),
            "about": lambda: ask.about(name),
            "belief": lambda: ask.belief(name, _needed(picture), _number(query.get("window"), 3)),
            "samples": lambda: ask.samples(
                name,
                split,
                _number(query.get("start"), 0),
                _number(query.get("count"), 24),
                query.get("mistakes") == "1",
            ),
            "features": lambda: ask.features(name, split, index, picture),
            "trace": lambda: ask.trace(name, split, index, picture, query.get("label") or None),
            "differences": lambda: ask.differences(name, query.get("other", "")),
        }
        if what not in calls:
            raise Refusal(404, "there is no such question on a run")
        return _answer(await self._waited(self.asking, calls[what]))

    async def _picture(self, request: Request) -> bytes | None:
        if request.method != "POST":
            return None
        return await self._body(request, PNG, "a drawing")

    async def _body(self, request: Request, kind: str, what: str) -> bytes:
        """Return the body of a request. Raises Refusal where it is of another type than that."""
        if media_type(request.headers.get("content-type", "")) != kind:
            raise Refusal(415, f"{what} is sent as {kind}")
        return await self.traffic.body(request)

    async def _object(self, request: Request) -> dict[str, Any]:
        """Return the JSON object in a request's body. Raises Refusal."""
        body = await self._body(request, JSON, "the body")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is not valid JSON") from None
        if not isinstance(found, dict):
            raise Refusal(422, "the body is not an object")
        return found

    async def _waited(self, worker: Worker, call: Callable[[], T]) -> T:
        if worker.waiting >= MOST_WAITING:
            raise busy("too many questions are waiting: ask again in a second")

        async def answer() -> T:
            return await worker.run(call)

        return await self.traffic.accept(answer)


def make_app(studio: Studio) -> Starlette:
    """Return the application, without its guard."""
    routes = Routes(studio)

    @asynccontextmanager
    async def watched(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(_watch(studio))
        try:
            yield
        finally:
            watching.cancel()

    run = "/api/runs/{what}/{run:path}"
    app = Starlette(
        routes=[
            _route("/", routes.page),
            _route("/static/{room}/{name:path}", routes.static),
            _route("/api/state", routes.state),
            _route("/api/events", routes.events),
            _route("/api/language/{question}", routes.language, "POST"),
            _route("/api/files/{name:path}", routes.read),
            _route("/api/files/{name:path}", routes.write, "PUT"),
            _route("/api/shipped", routes.shipped),
            _route("/api/train", routes.train, "POST"),
            _route("/api/resume", routes.resume, "POST"),
            _route("/api/stop", routes.stop, "POST"),
            _route(run, routes.run),
            _route(run, routes.run, "POST"),
        ],
        lifespan=watched,
    )
    app.router.redirect_slashes = False
    add_refusals(app, "there is no such page in the studio")
    return app


async def _watch(studio: Studio) -> None:
    """Tell the tabs what others have changed in the folder."""
    while True:
        await asyncio.sleep(WATCHING_SECONDS)
        if studio.hub.listeners:
            await asyncio.to_thread(studio.tell_changes)


def _route(path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
    return Route(path, endpoint, methods=[method])


def _answer(content: Any, status: int = 200) -> Response:
    if isinstance(content, dict):
        content = {"format_version": JSON_FORMAT, **content}
    return json_response(without_nan(content), status)


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise Refusal(422, f'"{name}" is not a text')
    return value


def _count(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refusal(422, f'"{name}" is not a whole number from 0')
    return value


def _shape(value: object) -> list[int] | None:
    """Return the shape of a sample, None where it is not given."""
    if value is None:
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= 4 or not all(_count(number, "sample") for number in value):
        raise Refusal(422, '"sample" is not a list of one to four sizes')
    return value


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refusal(422, "the query has a number that is not a whole number from 0")
    return int(text)


def _needed(picture: bytes | None) -> bytes:
    if picture is None:
        raise Refusal(405, "a drawing is sent with POST")
    return picture
