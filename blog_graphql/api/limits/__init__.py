"""Limits on documents: what a client may ask for, told before anything runs."""

from blog_graphql.api.limits.document import Limits, Measure, check_document, parse_document
from blog_graphql.api.limits.introspection import INTROSPECTION_FIELDS
from blog_graphql.api.limits.validation import validate_document

__all__ = [
    "INTROSPECTION_FIELDS",
    "Limits",
    "Measure",
    "check_document",
    "parse_document",
    "validate_document",
]
