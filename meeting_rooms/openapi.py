"""The OpenAPI document, completed with the responses that every operation may give.

Each operation declares its own responses. This module adds the responses that several operations
share, with an example for each. Refusals are `application/problem+json`, which the framework does
not add by itself.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.params.models import QueryModel
from ninja.renderers import BaseRenderer

from meeting_rooms.http.problem import PROBLEM_CONTENT_TYPE, problem
from meeting_rooms.http.schema_types import require_known_parameters

PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
ALWAYS = (401, 403, 422, 503)  # 422: any operation refuses a query parameter that it does not have
WITH_BODY = (400, 413)
WITH_PATH = (404,)
# Examples of refusals by HTTP status; docs/errors.md lists every code.
EXAMPLES: dict[int, dict[str, dict[str, Any]]] = {
    400: {"not_json": {"detail": "Cannot parse request body"}},
    401: {
        "not_authenticated": {
            "detail": "Send 'Authorization: Bearer <token>'. Make a token at /account/tokens."
        }
    },
    403: {
        "permission_denied": {
            "detail": "Only the organizer or a room manager can change this booking."
        },
        "not_for_devices": {
            "detail": "A device can show its rooms, check in and book walk-ups. Sign in for more."
        },
    },
    404: {
        "not_found": {
            "detail": "There is no booking 00000000-0000-4000-8000-000000000000.",
        }
    },
    409: {
        "slot_taken": {
            "detail": "Dogger is already booked at this time. Choose another time or another room.",
            "room": "5f0c2f0e-7d0f-4a3f-9a39-0a4a3a6f7a10",
            "taken": [
                {"starts_at": "2026-03-02T09:00:00+00:00", "ends_at": "2026-03-02T10:00:00+00:00"}
            ],
        }
    },
    412: {
        "stale_version": {
            "detail": "This booking changed after you read it. Check the differences, then try "
            "again.",
            "version": 4,
            "changed": {"title": {"was": "Review", "is": "Design review"}},
        }
    },
    413: {"body_too_large": {"detail": "The body is too large. The maximum is 256 KiB."}},
    422: {
        "invalid": {
            "detail": "body.ends_at: Field required",
            "errors": [{"at": "body.ends_at", "detail": "Field required"}],
        }
    },
    429: {
        "limit_exceeded": {
            "detail": "You have 20 tokens, which is the maximum. Revoke a token first."
        }
    },
    503: {"unavailable": {"detail": "The bookings store did not answer in time. Try again."}},
}
MEANINGS = {
    400: "The body is not JSON.",
    401: "The caller has not signed in, or the token is not valid any more.",
    403: "The caller is signed in, but may not do this.",
    404: "The object does not exist, or the caller may not know of it.",
    409: "The present state forbids the request; the answer says what is possible instead.",
    412: "The object has changed since it was read; the answer lists the differences.",
    413: "The body is too large.",
    422: "A query parameter or member is unknown or invalid, or a rule of the room forbids "
    "the request; `refusals` lists each rule.",
    429: "A stated limit was exceeded.",
    503: "A store did not answer. Nothing was changed; trying again is safe.",
}
VERSIONED = {"BookingOut", "BookedOut", "SeriesOut"}  # answers that carry an ETag


class OrjsonRenderer(BaseRenderer):
    """Writes instants with all their digits, so that a client can send a value back unchanged."""

    media_type = "application/json"

    def render(self, _request: HttpRequest, data: Any, *, response_status: int) -> bytes:  # noqa: ARG002
        """Return the body."""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z)


class DocumentedAPI(NinjaAPI):
    """The framework's API with a complete document; operations refuse undeclared parameters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._documents: dict[str, OpenAPISchema] = {}
        self.add_decorator(_with_known_parameters_only, mode="view")

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name an operation by its function: short, and stable when modules move."""
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the complete document.

        Making the document takes half a second of CPU, and anonymous callers may read it, so it is
        made once for each prefix. Callers must not change it.
        """
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in self._documents:
            self._documents[prefix] = self._make_document(prefix)
        return self._documents[prefix]

    def _make_document(self, prefix: str) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=prefix)
        schemas = document["components"]["schemas"]
        for path, operation in _operations(document):
            responses: dict[int, Any] = operation["responses"]
            for status in _possible(path, operation):
                responses.setdefault(status, {})
            for status in responses:
                if status in MEANINGS:
                    responses[status] = _refusal(status)
                else:
                    _complete(responses[status])
            _untitle_parameters(operation)
            operation["responses"] = {str(s): responses[s] for s in sorted(responses)}
        for schema in schemas.values():
            _untitle(schema)
        return document


def _with_known_parameters_only(run: Callable[..., Any]) -> Callable[..., Any]:
    """Make an operation refuse query parameters that it does not declare; 401 and 403 come first.

    The framework ignores unknown parameters: a misspelt filter would not filter the answer.
    """
    operation: Operation = run.__self__  # type: ignore[attr-defined]  # a bound method
    known = parameters_of(operation)
    read_values = operation._get_values

    def read_known_values(
        request: HttpRequest, path_params: Any, response: HttpResponse
    ) -> dict[str, Any]:
        require_known_parameters(request.GET, known)
        return read_values(request, path_params, response)

    operation._get_values = read_known_values  # type: ignore[method-assign,assignment]
    return run


def parameters_of(operation: Operation) -> frozenset[str]:
    """Return the names of the query parameters that an operation declares."""
    models = (m for m in operation.models if issubclass(m, QueryModel))
    return frozenset(name for model in models for name in model.__ninja_flatten_map__)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _possible(path: str, operation: dict[str, Any]) -> set[int]:
    possible = set(ALWAYS)
    if "requestBody" in operation:
        possible.update(WITH_BODY)
    if "{" in path:
        possible.update(WITH_PATH)
    return possible


def _refusal(status: int) -> dict[str, Any]:
    examples = {
        code: {"value": problem(HTTPStatus(status), code=code, **members)}
        for code, members in EXAMPLES[status].items()
    }
    content = {PROBLEM_CONTENT_TYPE: {"schema": PROBLEM_REF, "examples": examples}}
    answer: dict[str, Any] = {"description": MEANINGS[status], "content": content}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
        }
    return answer


def _complete(answer: dict[str, Any]) -> None:
    """Add the description of an answer, and the ETag header to the answers in VERSIONED."""
    answer["description"] = answer.get("description") or "Done."
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").rsplit("/", 1)[-1] in VERSIONED:
        answer["headers"] = {
            "ETag": {
                "schema": {"type": "string"},
                "description": "The version; send it as If-Match.",
            }
        }


def _untitle_parameters(operation: dict[str, Any]) -> None:
    """Remove the examples and titles that the framework copies from the schema to parameters."""
    for parameter in operation.get("parameters", []):
        parameter.pop("examples", None)
        parameter["schema"].pop("title", None)


def _untitle(schema: dict[str, Any]) -> None:
    """Remove the titles of members, which only repeat the names of the members."""
    for member in schema.get("properties", {}).values():
        member.pop("title", None)
