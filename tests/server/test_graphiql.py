"""GraphiQL's page and its files, as the server hands them out; tests/browser opens them."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from blog_graphql.api import graphiql
from blog_graphql.api.context import get_database
from blog_graphql.app import graphql_router
from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = [
    pytest.mark.parametrize("backend", ["memory"], indirect=True),
    pytest.mark.usefixtures("bundle"),
]

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SCRIPT = b"console.log('GraphiQL');"
CODINGS = {None: SCRIPT, "gzip": gzip.compress(SCRIPT), "br": b"as if by brotli"}
FILES = {
    "main-1.js": SCRIPT,
    "main-1.js.gz": CODINGS["gzip"],
    "main-1.js.br": CODINGS["br"],
    "font-1.woff2": b"a font",
}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with some files, as if built."""
    folder = tmp_path / "_graphiql"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<script src="$assets/main-1.js"></script>')
    (folder / "secret.js").write_text("not to be seen")
    for name, content in FILES.items():
        (folder / "assets" / name).write_bytes(content)
    monkeypatch.setattr(graphiql, "BUNDLE", folder)
    return folder


def including(database: Database, path: str = "/graphql", prefix: str = "") -> FastAPI:
    """Somebody else's app with the router in it."""
    app = FastAPI()
    app.include_router(graphql_router(database.settings, path=path), prefix=prefix)
    app.dependency_overrides[get_database] = lambda: database
    return app


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the whole server, as a client that takes no compression."""
    async with asking(app_over(database)) as http:
        del http.headers["Accept-Encoding"]
        yield http


async def test_the_page_links_its_files_and_is_asked_for_anew(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphql", headers=BROWSER)
    assert page.status_code == 200
    assert page.text == '<script src="./graphql/assets/main-1.js"></script>'
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert "accept" in re.split(r",\s*", page.headers["vary"].lower())


@pytest.mark.parametrize("built", [True, False])
async def test_the_page_runs_scripts_of_this_server_alone(
    http: httpx.AsyncClient, bundle: Path, built: bool
) -> None:
    if not built:
        (bundle / "index.html").unlink()
    page = await http.get("/graphql", headers=BROWSER)
    directives = page.headers["content-security-policy"].split("; ")
    assert dict(directive.split(" ", 1) for directive in directives) == POLICY


@pytest.mark.parametrize(
    ("path", "prefix", "address", "name"),
    [
        ("/graphql", "", "/graphql", "graphql"),
        ("/api/gql", "", "/api/gql", "gql"),
        ("/gql", "/blog", "/blog/gql", "gql"),
        ("", "/blog", "/blog", "blog"),
        ("/", "/blog", "/blog/", ""),
        ("", "/{tenant}", "/%22%3E%3Cb%3E:", "%22%3E%3Cb%3E%3A"),
        ("", "/{tenant}", "/javascript:x", "javascript%3Ax"),
    ],
)
async def test_the_files_are_below_the_page_wherever_that_is(
    database: Database, path: str, prefix: str, address: str, name: str
) -> None:
    async with asking(including(database, path, prefix)) as http:
        page = await http.get(address, headers=BROWSER)
        (link,) = re.findall('src="(.*)"', page.text)
        script = await http.get(page.url.join(link))
    assert link == f"./{name}/assets/main-1.js".replace("//", "/")
    assert (script.status_code, script.content) == (200, SCRIPT)


@pytest.mark.parametrize("address", ["/graphql", "/blog/graphql"])
async def test_a_proxy_may_take_its_prefix_away_or_tell_of_it(
    database: Database, address: str
) -> None:
    transport = httpx.ASGITransport(app_over(database), root_path="/blog")
    async with httpx.AsyncClient(transport=transport, base_url="http://blog") as http:
        page = await http.get(address, headers=BROWSER)
        script = await http.get(f"{address}/assets/main-1.js")
    assert page.text == '<script src="./graphql/assets/main-1.js"></script>'
    assert script.content == SCRIPT


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ([], None),
        (["identity"], None),
        (["*"], None),
        (["gzip"], "gzip"),
        (["gzip, deflate, br, zstd"], "br"),
        (["gzip", "br"], "br"),
        (["GZIP;q=1.0, BR;q=0.5"], "br"),
        (["br;q=0, gzip; q=0.1"], "gzip"),
        (["br;q=0.000, gzip ;q=0"], None),
        (["brr, xgzip"], None),
    ],
)
async def test_files_come_compressed_as_the_browser_takes_them(
    http: httpx.AsyncClient, accepted: list[str], coding: str | None
) -> None:
    asked = [("Accept-Encoding", codings) for codings in accepted]
    async with http.stream("GET", "/graphql/assets/main-1.js", headers=asked) as answer:
        content = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, coding)
    assert content == CODINGS[coding]
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_was_not_compressed_comes_as_it_is(http: httpx.AsyncClient) -> None:
    accepting = {"Accept-Encoding": "br, gzip"}
    answer = await http.get("/graphql/assets/font-1.woff2", headers=accepting)
    assert "content-encoding" not in answer.headers
    assert (answer.headers["content-type"], answer.content) == ("font/woff2", b"a font")


async def test_a_file_that_the_browser_has_is_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/graphql/assets/main-1.js")
    tag = {"If-None-Match": first.headers["etag"]}
    again = await http.get("/graphql/assets/main-1.js", headers=tag)
    other = await http.get("/graphql/assets/font-1.woff2", headers=tag)
    head = await http.head("/graphql/assets/main-1.js")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert other.status_code == 200
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == first.headers["content-length"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "other-1.js",
        "main-1.js.br",
        "main-1",
        "%2e%2e",
        "..%2Fsecret.js",
        "%2e%2e%2fsecret.js",
        "..%5Csecret.js",
        "%2Fetc%2Fhostname.txt",
        "main-1.js%00",
        "%00.js",
        "%ff.js",
        "deeper/main-1.js",
        f"{'x' * 5_000}.js",
    ],
)
async def test_nothing_else_is_served(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/graphql/assets/{name}", headers={"Accept-Encoding": "br"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/json")
    assert "not to be seen" not in answer.text


async def test_files_are_only_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql/assets/main-1.js")
    assert answer.status_code == 405
    assert set(re.split(r",\s*", answer.headers["allow"])) == {"GET", "HEAD"}


async def test_without_a_build_the_page_says_how_to_make_one(
    http: httpx.AsyncClient, bundle: Path
) -> None:
    (bundle / "index.html").unlink()
    page = await http.get("/graphql", headers=BROWSER)
    assert page.status_code == 503
    assert page.headers["cache-control"] == "no-cache"
    assert "<code>make graphiql</code>" in page.text
    assert "<script" not in page.text


async def test_whoever_wants_no_page_has_no_files_either(database: Database) -> None:
    async with asking(app_over(database, graphiql=False)) as http:
        page = await http.get("/graphql", headers=BROWSER)
        script = await http.get("/graphql/assets/main-1.js")
    assert script.status_code == 404
    assert "html" not in page.headers["content-type"]
