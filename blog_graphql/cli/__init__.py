"""The command line: ``blog-graphql`` and its commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from blog_graphql import __version__
from blog_graphql.cli import database
from blog_graphql.cli.accounts import create_admin, set_password
from blog_graphql.cli.content import import_posts, load_demo_blog
from blog_graphql.cli.server import export_schema, serve
from blog_graphql.errors import BlogError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Settings are read from [bold]BLOG_*[/bold] variables and from [bold].env[/bold]; "
    "[bold]BLOG_DATABASE_URL[/bold] names the database, by default blog.db in this folder.",
)
app.command("serve")(serve)
app.command("import")(import_posts)
app.command("demo")(load_demo_blog)
app.command("export-schema")(export_schema)
app.command("create-admin")(create_admin)
app.command("set-password")(set_password)
app.add_typer(database.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; an error of ours is one line on standard error, and exit 1."""
    try:
        app(arguments, prog_name="blog-graphql")
    except BlogError as error:
        typer.echo(f"blog-graphql: {error}", err=True)
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"blog-graphql {__version__}")
        raise typer.Exit


@app.callback()
def _blog_graphql(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Serve a blog over GraphQL.

    [bold]blog-graphql serve[/bold] is enough to begin with: it makes a database, fills it
    with a demo blog and prints the address to open.
    """
