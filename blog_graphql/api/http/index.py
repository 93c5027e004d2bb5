"""What is found where: the address ``/``, and those where nothing is."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from fastapi import APIRouter
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from blog_graphql import __version__
from blog_graphql.api.http.negotiation import negotiate
from blog_graphql.api.responses import NO_STORE, VARY, refusal
from blog_graphql.settings import Settings

# Characters; what is longer is nothing to be repeated.
_LONGEST_PATH = 200


def index_router(settings: Settings, endpoint: str) -> APIRouter:
    """Sends browsers from ``/`` to GraphiQL, and tells programs where things are."""
    router = APIRouter()

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index(request: Request) -> Response:
        accepted = negotiate(", ".join(request.headers.getlist("Accept")))
        if settings.graphiql and accepted.prefers_page:
            location = {"Location": _from_here(request, endpoint)}
            return Response(status_code=307, headers=NO_STORE | VARY | location)
        return JSONResponse(_places(request.base_url, endpoint, settings), headers=NO_STORE | VARY)

    return router


def _from_here(request: Request, endpoint: str) -> str:
    """The endpoint as a browser finds it, below the prefix that a proxy may have.

    One that the server does not know of is still in the browser's address.
    """
    root = quote(request.scope.get("root_path", "").rstrip("/"))
    return f"{root}{endpoint}" if root else endpoint.removeprefix("/")


def _places(base: URL, endpoint: str, settings: Settings) -> dict[str, str]:
    root = str(base).rstrip("/")
    places = {
        "name": "blog-graphql",
        "version": __version__,
        "graphql": f"{root}{endpoint}",
        "websocket": f"ws{root.removeprefix('http')}{endpoint}",
        "health": f"{root}/health",
        "ready": f"{root}/ready",
    }
    return places | ({"schema": f"{root}/schema.graphql"} if settings.introspection else {})


async def refuse_unserved(request: Request, error: Exception) -> Response:
    """Answer a path or method that nothing serves in GraphQL's form."""
    refused = cast("HTTPException", error)
    path = request.scope["path"][:_LONGEST_PATH]
    messages = {
        404: f"There is nothing at {path}: the address / tells where things are.",
        405: f"{request.method} is not served at {path}.",
    }
    message = messages.get(refused.status_code, refused.detail)
    headers = dict(refused.headers or {})
    if "Allow" in headers:
        # Of a set, whose order is another in every process.
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return refusal(refused.status_code, message, headers=headers)
