"""Importing posts from the Markdown files of Jekyll, Hugo and Zola."""

from blog_graphql.importing.demo import load_demo
from blog_graphql.importing.importer import import_folder, is_empty
from blog_graphql.importing.report import Summary

__all__ = ["Summary", "import_folder", "is_empty", "load_demo"]
