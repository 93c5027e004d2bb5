"""How Python's ``gql`` is pointed at the blog, over HTTP and over a WebSocket."""

from gql import Client
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.websockets import WebsocketsTransport


def make_http_client(url: str, token: str | None = None) -> Client:
    """For ``http://127.0.0.1:8000/graphql``, with the access token, if there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(transport=AIOHTTPTransport(url, headers=headers))


def make_socket_client(url: str, token: str | None = None) -> Client:
    """The same over a WebSocket, which carries subscriptions too."""
    init_payload = {"authorization": f"Bearer {token}"} if token else {}
    socket_url = url.replace("http", "ws", 1)
    return Client(transport=WebsocketsTransport(socket_url, init_payload=init_payload))
