"""A server for the benchmarks: a process of its own, on a database of its own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx

SIGN_UP = """
  mutation {
    createUser(input: {
      username: "bench", email: "bench@blog.example", password: "correct horse battery"
    }) { errors { code } }
  }
"""
LOGIN = """
  mutation {
    login(input: {identifier: "bench", password: "correct horse battery"}) {
      accessToken errors { code }
    }
  }
"""


class Server(NamedTuple):
    """Where a server answers, and which process it is."""

    url: str
    process_id: int

    def resident_memory(self) -> float:
        """How much memory the process takes, in MB, as Linux tells."""
        status = Path(f"/proc/{self.process_id}/status").read_text(encoding="ascii")
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
        return int(kilobytes) / 1000


@asynccontextmanager
async def served(**environment: str) -> AsyncIterator[Server]:
    """Serve the demo blog on a free port, with the environment's settings for all else."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "blog_graphql", "serve", "--port", "0"),
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
            env={**environment, **os.environ},
        )
        try:
            yield Server(await _address(process), process.pid)
        finally:
            process.terminate()
            await process.wait()


async def _address(process: Process) -> str:
    async for line in cast("StreamReader", process.stdout):
        if found := re.search(r"http://[^/]+", line.decode()):
            return found[0]
    raise SystemExit("the server did not start")


async def sign_up(http: httpx.AsyncClient) -> None:
    """Make the account that benchmarks use, unless an earlier one made it in the same database."""
    await http.post("/graphql", json={"query": SIGN_UP})


async def post(http: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    """The data of an operation, which must succeed."""
    response = await http.post("/graphql", json={"query": query, "variables": variables})
    answer = response.json()
    errors = answer.get("errors") or next(iter(answer["data"].values())).get("errors")
    if errors:
        raise SystemExit(f"refused: {errors}")
    return answer["data"]
