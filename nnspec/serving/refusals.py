"""What goes wrong in a route, as an answer with a sentence."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from nnspec.serving.answers import refused
from nnspec.serving.limits import Refusal
from nnspec.spec_lang.report.errors import NNSpecError


def add_refusals(app: Starlette, no_page: str) -> None:
    """Add to an application how it answers errors. `no_page` is the sentence for a path that there is not."""
    words = {404: no_page, 405: "the page is not asked in this way"}

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return refused(error)

    async def misfit(request: Request, error: Exception) -> Response:
        return refused(Refusal(422, str(error)))

    async def no_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = words.get(error.status_code, "the request cannot be answered")
        return refused(Refusal(error.status_code, message, dict(error.headers or {})))

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it

    async def failed(request: Request, error: Exception) -> Response:
        return refused(Refusal(500, "the server failed: its log says why"))

    async def too_much(request: Request, error: Exception) -> Response:
        return refused(Refusal(413, "this machine has too little memory for the samples: send fewer in each request"))

    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(NNSpecError, misfit)
    app.add_exception_handler(HTTPException, no_route)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, failed)
    app.add_exception_handler(MemoryError, too_much)
