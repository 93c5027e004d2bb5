"""When a post is visible to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Publication(NamedTuple):
    """Whether a post is published, and since or from when."""

    is_published: bool = False
    published_at: datetime | None = None

    def is_visible(self, now: datetime) -> bool:
        """Whether everybody may read the post."""
        return self.is_published and self.published_at is not None and self.published_at <= now

    def changed(self, changes: Mapping[str, Any], now: datetime) -> Publication:
        """The publication after an edit, which may name ``is_published`` and ``published_at``.

        Publishing without a moment means now, unless one was set before; a
        moment that is cleared means now too, and none on a draft.
        """
        is_published = changes.get("is_published", self.is_published)
        published_at = changes.get("published_at", self.published_at)
        if is_published and published_at is None:
            published_at = now
        return Publication(is_published, published_at)
