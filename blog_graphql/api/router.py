"""The GraphQL router: Strawberry's, with our context and status codes."""

from __future__ import annotations

from typing import Any

from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.responses import Response
from strawberry.fastapi import GraphQLRouter
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData

from blog_graphql.api.context import RequestContext
from blog_graphql.errors import ServiceUnavailable

_EXPECTED = 'The body must be JSON text in UTF-8, such as {"query": "{ posts { totalCount } }"}.'


class BlogRouter(GraphQLRouter[RequestContext, None]):
    """Serves the schema over HTTP."""

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Read the operation, refusing what is no JSON object of the right shape."""
        try:
            data = await super().parse_http_body(request)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise HTTPException(400, _EXPECTED) from error
        if isinstance(data, GraphQLRequestData) and not _is_name(data.operation_name):
            raise HTTPException(400, "operationName must be a string or null.")
        return data

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """Answer 503 where the database could not be reached, so that proxies try elsewhere."""
        if isinstance(response_data, dict) and _is_unavailable(response_data.get("errors")):
            sub_response.status_code = 503
        return super().create_response(response_data, sub_response)


def _is_name(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_unavailable(errors: list[Any] | None) -> bool:
    return any(
        error.get("extensions", {}).get("code") == ServiceUnavailable.code for error in errors or ()
    )
