"""The GraphQL router: Strawberry's routes and WebSockets, and HTTP by our own rules."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, cast
from urllib.parse import quote

import structlog
from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from strawberry import UNSET
from strawberry.fastapi import GraphQLRouter
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from blog_graphql.api import graphiql
from blog_graphql.api.context import RequestContext
from blog_graphql.api.disconnection import while_connected
from blog_graphql.api.execution import BlogSchema
from blog_graphql.api.http.media_types import JSON
from blog_graphql.api.http.negotiation import Accepted, negotiate
from blog_graphql.api.http.requests import Refused, method_refused, read_request
from blog_graphql.api.http.streams import FRAMINGS, StreamResponse, framed
from blog_graphql.api.responses import VARY, answer, refusal
from blog_graphql.api.sockets import refuse_socket, serve_socket
from blog_graphql.errors import Forbidden

log = structlog.get_logger(__name__)

_METHODS = ["GET", "HEAD", "POST"]
_ALLOWED = "GET, HEAD, OPTIONS, POST"
_READING = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})

_NOT_ACCEPTABLE = "Accept application/graphql-response+json, application/json or text/event-stream."
_FOREIGN = (
    "Pages of this origin may not open a socket here: BLOG_CORS_ORIGINS names those that may."
)
_NO_PAGE = "There is no page here: send operations by POST, as JSON."


class BlogRouter(GraphQLRouter[RequestContext, None]):
    """Serves the schema over HTTP and WebSockets.

    ``keep_alive_seconds`` is how often a stream says that it is still there.
    """

    def __init__(
        self, schema: BlogSchema, path: str, *, keep_alive_seconds: float, **kwargs: Any
    ) -> None:
        super().__init__(schema, path, **kwargs)
        self._blog_schema = schema
        self._keep_alive_seconds = keep_alive_seconds
        self._serve_every_method(path)

    def _serve_every_method(self, path: str) -> None:
        """Replace Strawberry's routes for HTTP, which know no method but two."""
        self.routes[:] = [route for route in self.routes if not isinstance(route, APIRoute)]

        from_request = Depends(self.context_getter)

        async def serve(request: Request, context: Any = from_request) -> Response:
            response: Response = await self.run(request, context)
            return response

        async def serve_other(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": _ALLOWED})
            return _refusal(method_refused(request.method, _ALLOWED), JSON)

        async def redirect(request: Request) -> Response:
            return _without_slash(request)

        # GraphQL documents itself.
        add = partial(self.add_api_route, include_in_schema=False)
        add(path, serve, methods=_METHODS)
        # An empty list stands for every method; FastAPI can make no ID of it.
        add(path, serve_other, methods=[], operation_id="serve_other")
        if not path.endswith("/"):
            add(f"{path}/", redirect, methods=[], operation_id="redirect")

    async def run(
        self,
        request: Any,
        context: Any = UNSET,
        root_value: Any = UNSET,  # noqa: ARG002 - the signature is Strawberry's
    ) -> Any:
        """Serve one request or socket; what is no operation is refused in GraphQL's form."""
        if self.is_websocket_request(request):
            if self._check_websocket_origin(request):
                await serve_socket(request, self._blog_schema, context)
            else:
                await refuse_socket(request, 403, Forbidden(_FOREIGN))
            return None
        accepted = negotiate(", ".join(request.headers.getlist("Accept")))
        try:
            return await self._serve(request, context, accepted)
        except Refused as refused:
            return _refusal(refused, accepted.single or JSON)
        except ClientDisconnect:
            log.debug("the client hung up")
            # Nobody gets it; access logs know the status from nginx.
            return Response(status_code=499)

    async def _serve(
        self, request: Request, context: RequestContext, accepted: Accepted
    ) -> Response:
        is_reading = request.method != "POST"
        if is_reading and accepted.prefers_page and "query" not in request.query_params:
            if self.graphql_ide is None:
                raise Refused(404, _NO_PAGE)
            return await self.render_graphql_ide(request)
        if accepted.single is accepted.stream is None:
            raise Refused(406, _NOT_ACCEPTABLE)
        operation = await read_request(request)
        if is_reading:
            operation.allowed = _READING
        try:
            # What has no body cannot be a stream.
            if accepted.stream is None or request.method == "HEAD":
                execution = self._blog_schema.answer(operation, context)
                result = await while_connected(request.receive, execution)
                response = answer(result, accepted.single or JSON)
            else:
                results = self._blog_schema.results(operation, context)
                response = await self._answer_stream(request, results, accepted)
        except InvalidOperationTypeError as error:
            reason = error.as_http_error_reason(request.method)
            raise Refused(405, reason, {"Allow": "POST"}) from error
        if context.response is not None:
            response.raw_headers.extend(context.response.raw_headers)
        return response

    async def _answer_stream(
        self,
        request: Request,
        results: AsyncGenerator[ExecutionResult | None, None],
        accepted: Accepted,
    ) -> Response:
        """Answer a client that takes streams: with one, if there is more than one result."""
        framing = FRAMINGS[accepted.stream or ""]
        try:
            first = await while_connected(request.receive, anext(results))
        except BaseException:
            await results.aclose()
            raise
        if first is None:
            events = cast("AsyncGenerator[ExecutionResult, None]", results)
            return StreamResponse(framing, events, self._keep_alive_seconds)
        await results.aclose()
        if accepted.single and not accepted.prefers_stream:
            return answer(first, accepted.single)
        return framed(framing, first)

    async def render_graphql_ide(self, request: Request) -> HTMLResponse:
        """Show GraphiQL to a browser."""
        return graphiql.page(request)


def _refusal(refused: Refused, media_type: str) -> Response:
    headers = VARY | refused.headers
    return refusal(refused.status, str(refused), headers=headers, media_type=media_type)


def _without_slash(request: Request) -> Response:
    """Send the client to the endpoint, relative to where it is: proxies may have cut the path."""
    name = request.scope["path"].rstrip("/").rpartition("/")[2]
    query = request.scope["query_string"].decode("latin-1")
    location = f"../{quote(name)}" + (f"?{query}" if query else "")
    return Response(status_code=307, headers={"Location": location})
