"""The GraphQL router: Strawberry's, with our context and status codes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from strawberry.fastapi import GraphQLRouter
from strawberry.http import GraphQLHTTPResponse

from blog_graphql.api.context import RequestContext
from blog_graphql.errors import ServiceUnavailable


class BlogRouter(GraphQLRouter[RequestContext, None]):
    """Serves the schema over HTTP."""

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """Answer 503 where the database could not be reached, so that proxies try elsewhere."""
        if isinstance(response_data, dict) and _is_unavailable(response_data.get("errors")):
            sub_response.status_code = 503
        return super().create_response(response_data, sub_response)


def _is_unavailable(errors: list[Any] | None) -> bool:
    return any(
        error.get("extensions", {}).get("code") == ServiceUnavailable.code for error in errors or ()
    )
