"""Turns every failure into `{"success": false, "error": sentence, "field": name or null}`."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from services.api.security_headers import HEADERS
from services.api.validation_errors import sentence_of
from services.core.errors import (
    AppError,
    BackendError,
    BackendUnavailable,
    Conflict,
    InvalidRequest,
    NoModels,
    NotFound,
    StoreFailed,
)

STATUSES: dict[type[AppError], int] = {
    InvalidRequest: 422,
    NotFound: 404,
    Conflict: 409,
    NoModels: 503,
    StoreFailed: 503,
    BackendUnavailable: 503,  # before its base class
    BackendError: 502,
}
FIELDS = {"duration_s": "duration", "query": "q", "kind": "type", "source": "file", "message": "text"}
"""Our field names that differ from the API's."""
SENTENCES = {404: "There is nothing at this address; /docs lists what there is."}


class BadRequest(AppError):
    """The request is malformed; `status` is the 4xx of its answer."""

    def __init__(self, sentence: str, *, status: int = 400, field: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.field = field


def install(app: FastAPI) -> None:
    app.exception_handler(AppError)(_app_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_exception)
    app.exception_handler(ClientDisconnect)(_client_disconnect)
    app.exception_handler(Exception)(_unexpected_error)


def refusal(
    status: int, sentence: str, *, field: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"success": False, "error": sentence, "field": field}, status, headers)


async def _app_error(request: Request, error: AppError) -> Response:
    if isinstance(error, BadRequest):
        return refusal(error.status, str(error), field=error.field)
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    field = getattr(error, "field", None)
    wait_s = getattr(error, "retry_after_s", None)
    headers = {"Retry-After": str(max(1, round(wait_s)))} if wait_s is not None else None
    return refusal(status, str(error), field=FIELDS.get(field, field) if field else None, headers=headers)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    sentence, field = sentence_of(error.errors())
    return refusal(422, sentence, field=field)


async def _http_exception(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        return refusal(405, f"{request.method} is not possible at this address.", headers=headers)
    return refusal(error.status_code, SENTENCES.get(error.status_code, str(error.detail)), headers=headers)


async def _client_disconnect(request: Request, error: ClientDisconnect) -> Response:
    return refusal(400, "The request ended before its body did.")  # the client has disconnected


async def _unexpected_error(request: Request, error: Exception) -> Response:
    """Adds the security headers itself: this answer is sent from outside all middlewares."""
    return refusal(500, "Something went wrong here; the log says what.", headers=HEADERS)
