"""The routes of the server. Each reads a body, computes in a thread, and answers; `guard` is before them all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from nnspec.serving import occlusion
from nnspec.serving.answers import HEADERS, PNG, json_response, predicted, refused, wanted
from nnspec.serving.batching import Batcher
from nnspec.serving.bodies import BINARY, FORM, JSON, NPY, Samples, reader, unlike
from nnspec.serving.limits import MOST_RECEIVING, Limits, Refusal, busy
from nnspec.serving.openapi import describe
from nnspec.serving.page import page
from nnspec.serving.served import Served
from nnspec.serving.worker import Worker
from nnspec.spec_lang.report.diagnostics import near, one_of
from nnspec.spec_lang.report.errors import NNSpecError

T = TypeVar("T")

_SMALL = 2**16  # bytes of a body that is read in the event loop: a thread would take longer
_MOST_OCCLUSIONS = 4  # that wait for the one that is computed


@dataclass
class Traffic:
    """The requests that are being received and answered."""

    limits: Limits
    accepted: int = 0  # now
    receiving: int = 0  # bytes, now
    answers: dict[int, int] = field(default_factory=dict)  # since the start, by status

    async def body(self, request: Request) -> bytes:
        """Return the body of a request. Raises Refusal where it is too large, or too much is being received."""
        most = self.limits.body
        announced = request.headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            raise Refusal(400, "Content-Length is not a number")
        if int(announced) > most:
            raise self._too_large()
        content = bytearray()
        try:
            async for part in request.stream():
                if self.receiving + len(part) > MOST_RECEIVING:
                    raise busy("too much is being received: send the request again in a second")
                content += part
                self.receiving += len(part)
                if len(content) > most:
                    raise self._too_large()
        finally:
            self.receiving -= len(content)
        return bytes(content)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self.limits.body:,} bytes: send fewer samples in each request")

    async def accept(self, answer: Callable[[], Awaitable[T]]) -> T:
        """Return what `answer` returns, in a place of the queue. Raises Refusal where there is none."""
        if self.accepted >= self.limits.queue:
            raise busy(f"{self.accepted} requests are waiting, the most there may be: send it again in a second")
        self.accepted += 1
        try:
            return await answer()
        finally:
            self.accepted -= 1


class Endpoints:
    """What the routes do."""

    def __init__(self, served: Served, limits: Limits):
        self.served = served
        self.traffic = Traffic(limits)
        self.batcher = Batcher(served.network.predict, limits)
        self._reading, self._occluding = Worker("read"), Worker("occlude")
        self.ready = True

    async def predict(self, request: Request) -> Response:
        """Answer with the outputs for the samples of the body."""
        kind = wanted(request.headers.get("accept", ""), (JSON, NPY, BINARY))
        with self.batcher.arrival() as arrival:
            body = await self.traffic.body(request)

            async def answer() -> Response:
                samples, warnings = await self._samples(request, body)
                outputs = await arrival.predict(samples)
                if kind == JSON:
                    warnings += unlike(self.served, samples)
                return predicted(self.served, outputs, warnings, kind)

            return await self.traffic.accept(answer)

    async def occlude(self, request: Request, question: occlusion.Question) -> Response:
        """Answer with the occlusion map of the image in the body."""
        kind = wanted(request.headers.get("accept", ""), (JSON, PNG, NPY))
        body = await self.traffic.body(request)

        async def answer() -> Response:
            samples, _ = await self._samples(request, body)
            if len(samples) != 1:
                raise Refusal(422, f"{len(samples)} images were sent, and one is explained at a time")
            if self._occluding.waiting > _MOST_OCCLUSIONS:
                raise busy("several occlusions are being computed: send it again in a second")
            return await self._occluding.run(lambda: occlusion.occluded(self.served, samples, question, kind))

        return await self.traffic.accept(answer)

    async def _samples(self, request: Request, body: bytes) -> Samples:
        content_type = request.headers.get("content-type", "")
        read = reader(self.served, content_type)
        if len(body) <= _SMALL and not content_type.startswith(("image/", FORM)):
            return read(body)
        return await self._reading.run(lambda: read(body))

    def metrics(self) -> str:
        """Return the counts as Prometheus reads them."""
        counts = self.batcher.counts
        lines = [
            f'nnspec_answers_total{{status="{status}"}} {count}'
            for status, count in sorted(self.traffic.answers.items())
        ]
        lines += [
            f"nnspec_predicted_requests_total {counts.requests}",
            f"nnspec_predicted_samples_total {counts.samples}",
            f"nnspec_predict_calls_total {counts.calls}",
            f"nnspec_requests_waiting {self.traffic.accepted}",
        ]
        return "\n".join(lines) + "\n"


def make_app(served: Served, limits: Limits) -> tuple[FastAPI, Endpoints]:
    """Return the application and what its routes share."""
    endpoints = Endpoints(served, limits)
    app = FastAPI(
        title=f"nnspec: {served.name}", version=served.version, docs_url=None, redoc_url=None, openapi_url=None
    )
    _add_answers(app, endpoints)
    if served.explains:
        _add_occlude(app, endpoints)
    _add_descriptions(app, served, limits)
    _add_refusals(app)
    return app, endpoints


def _add_answers(app: FastAPI, endpoints: Endpoints) -> None:
    @app.post("/predict", summary="Predict the class or the value of samples.", response_class=Response)
    async def predict(request: Request) -> Response:
        _no_query(request)
        return await endpoints.predict(request)

    @app.get("/health", summary="Whether the server is ready, and which network it has.", response_class=Response)
    async def health(request: Request) -> Response:
        _no_query(request)
        about = endpoints.served.about() if request.scope.get("trusted", True) else {}
        return json_response({"ready": endpoints.ready, **about})

    @app.get("/metrics", summary="Counts, as Prometheus reads them.", response_class=Response)
    async def metrics(request: Request) -> Response:
        _no_query(request)
        return PlainTextResponse(endpoints.metrics(), 200, HEADERS)


def _add_occlude(app: FastAPI, endpoints: Endpoints) -> None:
    served = endpoints.served
    smallest = min(served.shape[:2])
    Class: Any = Literal[tuple(served.classes or ())]
    Scale: Any = Literal[occlusion.SCALES]

    @app.post("/occlude", summary="Show where in an image the network looks.", response_class=Response)
    async def occlude(
        request: Request,
        window: Annotated[int, Query(ge=1, le=smallest, description="The side of the window in pixels.")] = min(
            3, smallest
        ),
        stride: Annotated[int, Query(ge=1, le=max(served.shape[:2]), description="Pixels between windows.")] = 1,
        baseline: Annotated[
            float, Query(ge=-1e6, le=1e6, description="The number that stands for no pixel.", allow_inf_nan=False)
        ] = 0.0,
        scale: Annotated[Scale, Query(description="What the map shows.")] = "drop",
        label: Annotated[Class | None, Query(description="The class to explain; the predicted one without it.")] = None,
    ) -> Response:
        _no_query(request, ("window", "stride", "baseline", "scale", "label"))
        return await endpoints.occlude(request, occlusion.Question(window, stride, baseline, scale, label))


def _add_descriptions(app: FastAPI, served: Served, limits: Limits) -> None:
    document: list[dict[str, Any]] = []

    def described() -> dict[str, Any]:
        if not document:
            document.append(describe(app, served, limits))
        return document[0]

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return json_response(described())

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return page(served, described(), str(request.base_url).rstrip("/"))


def _no_query(request: Request, known: tuple[str, ...] = ()) -> None:
    """Raise Refusal where a query has a setting that there is not, or one twice."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            close = near(name, known)
            hint = f"did you mean {close}?" if close else f"there is {one_of(known)}" if known else "there are none"
            raise Refusal(422, f"the query has a setting that is not known; {hint}")
        if name in seen:
            raise Refusal(422, f"the query has {name} twice")
        seen.add(name)


def _add_refusals(app: FastAPI) -> None:
    """Turn what goes wrong into an answer with a sentence."""

    @app.exception_handler(Refusal)
    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return refused(error)

    @app.exception_handler(NNSpecError)
    async def misfit(request: Request, error: Exception) -> Response:
        return refused(Refusal(422, str(error)))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return refused(Refusal(422, f"the query's {first['loc'][-1]} is wrong: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {404: "there is no such page; GET / lists those there are", 405: "the page is not asked in this way"}
        message = words.get(error.status_code, "the request cannot be answered")
        return refused(Refusal(error.status_code, message, dict(error.headers or {})))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return refused(Refusal(500, "the server failed: its log says why"))

    @app.exception_handler(MemoryError)
    async def too_much(request: Request, error: Exception) -> Response:
        return refused(Refusal(413, "this machine has too little memory for the samples: send fewer in each request"))
