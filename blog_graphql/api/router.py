"""The GraphQL router: Strawberry's, with our context and status codes."""

from __future__ import annotations

from typing import Any

import structlog
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from strawberry import UNSET
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.parse_content_type import parse_content_type
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.unset import UnsetType

from blog_graphql.api.context import RequestContext
from blog_graphql.api.disconnection import while_connected
from blog_graphql.api.responses import NO_STORE, refusal, status_and_headers
from blog_graphql.api.security_headers import CONTENT_SECURITY_POLICY, page_policy
from blog_graphql.errors import Unauthenticated

log = structlog.get_logger(__name__)

_MEDIA_TYPE = "Send the operation as JSON, with Content-Type: application/json."
_EXPECTED = 'The body must be JSON text in UTF-8, such as {"query": "{ posts { totalCount } }"}.'


class BlogRouter(GraphQLRouter[RequestContext, None]):
    """Serves the schema over HTTP."""

    async def run(self, request: Any, context: Any = UNSET, root_value: Any = UNSET) -> Any:
        """Serve one request; what is no operation is refused in GraphQL's form."""
        try:
            return await super().run(request, context, root_value)
        except HTTPException as error:
            if isinstance(error.__cause__, InvalidOperationTypeError) and request.method == "GET":
                return refusal(405, error.reason, headers={"Allow": "POST"})
            return refusal(error.status_code, error.reason)
        except ClientDisconnect:
            log.debug("the client hung up")
            # Nobody gets it; access logs know the status from nginx.
            return Response(status_code=499)

    async def render_graphql_ide(self, request: Request) -> HTMLResponse:
        """Show the page under a policy that lets its own scripts run."""
        page = await super().render_graphql_ide(request)
        page.headers[CONTENT_SECURITY_POLICY] = page_policy(self.graphql_ide_html)
        return page

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Read the operation, refusing what is no JSON object of the right shape.

        A browser sends other content types to any site without asking it first.
        """
        media_type, _ = parse_content_type(request.content_type or "")
        if request.method == "POST" and media_type != "application/json":
            raise HTTPException(415, _MEDIA_TYPE)
        try:
            data = await super().parse_http_body(request)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise HTTPException(400, _EXPECTED) from error
        if isinstance(data, GraphQLRequestData) and not _is_name(data.operation_name):
            raise HTTPException(400, "operationName must be a string or null.")
        return data

    async def execute_operation(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Run the operation for as long as the client waits for it."""
        await request.body()
        operation = super().execute_operation(request, *args, **kwargs)
        return await while_connected(request.receive, operation)

    async def on_ws_connect(self, context: RequestContext) -> UnsetType:
        """Sign in by what ``connection_init`` brings, named as the header is.

        Raises:
            ConnectionRejectionError: it does not hold; the socket closes with 4403.
        """
        given = {name.lower(): value for name, value in (context.connection_params or {}).items()}
        try:
            await context.sign_in(given.get("authorization"))
        except Unauthenticated as error:
            raise ConnectionRejectionError from error
        return UNSET

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """Answer with the status that the errors ask for, and keep the answer out of caches."""
        headers = NO_STORE
        if isinstance(response_data, dict):
            sub_response.status_code, further = status_and_headers(response_data)
            headers = NO_STORE | further
        response = super().create_response(response_data, sub_response)
        response.headers.update(headers)
        return response


def _is_name(value: object) -> bool:
    return value is None or isinstance(value, str)
