"""A crash outside GraphQL: masked where nothing was sent, broken off where something was."""

from __future__ import annotations

import logging

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from blog_graphql.api.middleware import MaskingMiddleware


async def test_an_answer_that_is_under_way_is_broken_off() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(RuntimeError, match="half way"):
        await MaskingMiddleware(half)({"type": "http", "path": "/"}, receive, send)
    assert sent == [{"type": "http.response.start", "status": 200, "headers": []}]


async def test_a_client_that_hung_up_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def reading(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    async def unused(_message: Message) -> None:
        raise AssertionError("nobody is there to be answered")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await MaskingMiddleware(reading)({"type": "http", "path": "/"}, receive, unused)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
