"""Keeps a release from going out without the GraphiQL page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("blog_graphql", "_graphiql", "index.html")


class GraphiQLHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in stubs alone
    """Refuses wheels and source distributions without the page; git does not have it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Look for the page, unless this is an editable installation."""
        wanted = version != "editable" and os.environ.get("BLOG_GRAPHIQL") != "false"
        if wanted and not Path(self.root, PAGE).exists():
            raise FileNotFoundError(
                f"{PAGE} is missing: run make graphiql first, "
                "or set BLOG_GRAPHIQL=false to build without the GraphiQL page"
            )
