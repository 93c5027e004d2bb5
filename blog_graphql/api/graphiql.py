"""GraphiQL: the page that browsers get at the endpoint, and the files that it loads.

They are built from ``frontend/graphiql`` into a folder of this package (``make graphiql``),
and come from this server alone: the page works without an internet.
"""

from __future__ import annotations

from contextlib import suppress
from html import escape
from pathlib import Path, PurePath
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from blog_graphql.api.http.media_types import accepted_codings
from blog_graphql.api.security_headers import CONTENT_SECURITY_POLICY

BUNDLE = Path(__file__).parents[1] / "_graphiql"
# Below the endpoint, so that a page at /blog/graphql has its files at /blog/graphql/assets.
ASSETS = "assets"

# Every script is a file. Styles are not: Monaco, GraphiQL's editor, writes them into the page.
# 'self' in connect-src includes WebSockets (CSP 3; Safari knows it since 15.4).
_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
)
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Vary": "Accept",
    CONTENT_SECURITY_POLICY: _POLICY,
}
# A file's name has the hash of what is in it.
_ASSET_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
# Best first. The build leaves out what gains nothing.
_CODINGS = {"br": ".br", "gzip": ".gz"}

_NOT_BUILT = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>GraphiQL is not built</title>
    <link rel="icon" href="data:,">
    <style>
      body { max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem }
      body { font: 1rem/1.6 system-ui, sans-serif }
      code { font: .95em ui-monospace, monospace }
    </style>
  </head>
  <body>
    <h1>GraphiQL is not built</h1>
    <p>The API works. This page alone is missing: it is made by Node.js, which was not found when
      the server was installed, or could not be downloaded.</p>
    <p>In a clone of the repository, with a network, run <code>make graphiql</code>, and load this
      page again. The wheel and the Docker image bring it along.</p>
  </body>
</html>
"""


def page(request: Request) -> HTMLResponse:
    """The page, or one with status 503 that says how to build it."""
    try:
        html = (BUNDLE / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return HTMLResponse(_NOT_BUILT, 503, _PAGE_HEADERS)
    return HTMLResponse(html.replace("$assets", escape(_assets(request))), headers=_PAGE_HEADERS)


def _assets(request: Request) -> str:
    """Where the files are, seen from the page: proxies change what stands before its name."""
    _, _, name = request.scope["path"].rpartition("/")
    return quote(f"./{name}/{ASSETS}") if name else f"./{ASSETS}"


async def asset(request: Request) -> Response:
    """The file ``name``, in the best compression that the client takes.

    Raises:
        HTTPException: 404, there is none.
    """
    name = request.path_params["name"]
    media_type = _MEDIA_TYPES.get(PurePath(name).suffix)
    if media_type is None:
        raise HTTPException(404)
    headers = {**_ASSET_HEADERS, "Content-Type": media_type}
    files = StaticFiles(directory=BUNDLE / ASSETS, check_dir=False)
    for coding in _accepted_codings(request):
        with suppress(HTTPException):
            response = await files.get_response(name + _CODINGS[coding], request.scope)
            headers["Content-Encoding"] = coding
            break
    else:
        response = await files.get_response(name, request.scope)
    response.headers.update(headers)
    return response


def _accepted_codings(request: Request) -> list[str]:
    accepted = accepted_codings(", ".join(request.headers.getlist("Accept-Encoding")))
    return [coding for coding in _CODINGS if coding in accepted]
