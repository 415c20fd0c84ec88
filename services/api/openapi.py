"""The parts of the OpenAPI document that FastAPI does not derive from signatures."""

from typing import Any

from services.api.response_models import Refusal

Responses = dict[int | str, dict[str, Any]]
BINARY = {"type": "string", "format": "binary"}
EVENT_STREAM = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}


def refusals(descriptions: dict[int, str]) -> Responses:
    return {status: {"model": Refusal, "description": text} for status, text in descriptions.items()}


def request_body(schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Content type -> JSON schema, for a body that the route parses itself."""
    content = {content_type: {"schema": schema} for content_type, schema in schemas.items()}
    return {"requestBody": {"required": True, "content": content}}


NO_FILE = refusals({404: "There is no such file."})
