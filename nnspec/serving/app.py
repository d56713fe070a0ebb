"""The routes of the server. Each reads a body, computes in a thread, and answers; `guard` is before them all."""

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import PlainTextResponse, Response

from nnspec.serving import occlusion
from nnspec.serving.answers import HEADERS, PNG, json_response, predicted, refused, wanted
from nnspec.serving.batching import Batcher
from nnspec.serving.bodies import BINARY, FORM, JSON, NPY, Samples, reader, unlike
from nnspec.serving.limits import Limits, Refusal, busy
from nnspec.serving.openapi import describe
from nnspec.serving.page import page
from nnspec.serving.refusals import add_refusals
from nnspec.serving.served import Served
from nnspec.serving.traffic import Traffic
from nnspec.serving.worker import Worker
from nnspec.spec_lang.report.diagnostics import near, one_of

_SMALL = 2**16  # bytes of a body that is read in the event loop: a thread would take longer
_MOST_OCCLUSIONS = 4  # that wait for the one that is computed


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
    add_refusals(app, "there is no such page; GET / lists those there are")
    _add_invalid(app)
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


def _add_invalid(app: FastAPI) -> None:
    """Turn a setting of a query that is wrong into an answer with a sentence."""

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return refused(Refusal(422, f"the query's {first['loc'][-1]} is wrong: {first['msg']}"))
