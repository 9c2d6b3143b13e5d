"""Bodies of requests as models, read after it is known who asks.

A body that FastAPI reads by itself is parsed before any dependency runs: nobody's megabytes would
cost time, and would be counted by no limit.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from leadlab.errors import BadInput
from leadlab.schema.depth import too_deep

Asked = TypeVar("Asked", bound=BaseModel)
MOST_BYTES = 65_536
MOST_TOLD = 100
DEEPEST = 24
"""Arrays and objects within one another that a body may hold."""


def declared(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI is to say of a body, as ``openapi_extra``.

    Examples
    --------
    >>> class Snooze(BaseModel):
    ...     minutes: int
    >>> declared(Snooze)["requestBody"]["content"]["application/json"]["schema"]["required"]
    ['minutes']
    """
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


async def asked(request: Request, model: type[Asked]) -> Asked:
    """Read a request's body.

    Raises
    ------
    HTTPException
        415 for a body that is not JSON by its header.
    BadInput, RequestValidationError
        If it cannot be used.
    """
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if media.lower() != "application/json":
        raise HTTPException(415, "send application/json")
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise HTTPException(413, f"send at most {MOST_BYTES:,} bytes")
    if too_deep(body, DEEPEST):
        raise BadInput("nested too deeply", where="body", expected=f"at most {DEEPEST} levels")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()[:MOST_TOLD]]
        raise RequestValidationError(told) from error
