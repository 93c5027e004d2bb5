"""What a post's fields may hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from blog_graphql.db.tagging import MOST_TAGS, check_tag_name
from blog_graphql.slugs import MAX_SLUG_LENGTH
from blog_graphql.text import fold
from blog_graphql.validation import Problems

UNKNOWN_POST = "There is no such post."

_LONGEST_TITLE = 200
_LONGEST_CONTENT = 500_000
# Some may mean the same tag; beyond this they are not even looked at.
_MOST_NAMES = 10 * MOST_TAGS
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_title(problems: Problems, title: str) -> bool:
    """A title has 1 to 200 characters."""
    return problems.check_text(title, "title", shortest=1, longest=_LONGEST_TITLE, blank=False)


def check_content(problems: Problems, content: str) -> bool:
    """Content has 1 to 500,000 characters."""
    return problems.check_text(content, "content", shortest=1, longest=_LONGEST_CONTENT)


def check_slug(problems: Problems, slug: str) -> bool:
    """A slug is made of ASCII's small letters, digits and single hyphens between them."""
    if len(slug) <= MAX_SLUG_LENGTH and _SLUG.fullmatch(slug):
        return True
    problems.invalid(
        f"slug must have at most {MAX_SLUG_LENGTH} characters: small letters a to z, digits, and "
        "single hyphens between them, such as my-first-post.",
        "slug",
    )
    return False


def check_tags(problems: Problems, names: Sequence[str]) -> list[str]:
    """The names of tags as they are kept, each once."""
    if len(names) > _MOST_NAMES:
        problems.invalid(f"A post has at most {MOST_TAGS} tags; {len(names):,} were given.", "tags")
        return []
    kept: dict[str, str] = {}
    for index, name in enumerate(names):
        checked = check_tag_name(problems, name, "tags", str(index))
        if checked is not None:
            kept.setdefault(fold(checked), checked)
    if len(kept) > MOST_TAGS:
        problems.invalid(f"A post has at most {MOST_TAGS} tags; {len(kept)} were given.", "tags")
    return list(kept.values())
