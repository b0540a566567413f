"""The server role of the `websockets` package, for our client. The path says how to behave.
Prints `listening on ws://...` and then one line of JSON for each connection that ended:
{"path": ..., "code": ..., "reason": ...}, where `code` is what our client sent. Of `/deflate` also
"agreed", the answer to our offer, "extensions", what `websockets` says is in use, and "compressed":
whether our client compressed.

    python server.py
"""

import asyncio
import json
from urllib.parse import unquote

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

ALL_PONGS = "every pong came back"


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def binary(ws):
    async for message in ws:
        await ws.send(message, text=False)


async def deflate(ws, _options):
    """`/deflate/OPTIONS`: the echo, see `prepare`."""
    await echo(ws)


async def fragments(ws, size):
    """`/fragments/N`: the echo in fragments of N bytes with a ping after each; then, when all the
    pongs are there, a message that says so (`websockets` compares the payloads)."""
    async for message in ws:
        pongs = []

        async def pieces():
            payload = message.encode() if isinstance(message, str) else message
            for at in range(0, len(payload), int(size)):
                yield payload[at : at + int(size)]
                pongs.append(await ws.ping(f"at {at}"))

        await ws.send(pieces(), text=isinstance(message, str))
        await asyncio.gather(*pongs)
        await ws.send(ALL_PONGS)


async def ping(ws):
    """`/ping`: for each message, pings with payloads of 0 to 125 bytes."""
    async for _ in ws:
        for length in (0, 1, 4, 124, 125):
            await (await ws.ping(b"\xf5" * length))
        await ws.send(ALL_PONGS)


async def close(ws, code, reason=""):
    """`/close/CODE/REASON`: the Close at the first message; CODE may be `none`."""
    await ws.recv()
    if code == "none":
        async with ws.send_context():
            ws.protocol.send_close()
    else:
        await ws.close(int(code), reason)


async def drop(ws):
    """`/drop`: the TCP connection ends at the first message, without a Close."""
    await ws.recv()
    ws.transport.abort()


async def send_bytes(ws, length):
    """`/bytes/N`: for each message, a text message of N bytes."""
    async for _ in ws:
        await ws.send("b" * int(length))


async def header(ws, name):
    """`/header/NAME`: the value of that header of the request."""
    await ws.send(ws.request.headers.get(name, "(none)"))
    await ws.wait_closed()


async def subprotocol(ws):
    """`/subprotocol`: what was agreed."""
    await ws.send(ws.subprotocol or "(none)")
    await ws.wait_closed()


SERVE = {
    "binary": binary,
    "bytes": send_bytes,
    "close": close,
    "deflate": deflate,
    "drop": drop,
    "echo": echo,
    "fragments": fragments,
    "header": header,
    "ping": ping,
    "subprotocol": subprotocol,
}


class CountingFactory(ServerPerMessageDeflateFactory):
    """Its extension counts the messages that arrive compressed: RSV1 set (RFC 7692 section 6)."""

    def process_request_params(self, params, accepted_extensions):
        agreed, extension = super().process_request_params(params, accepted_extensions)
        decode, extension.compressed = extension.decode, 0

        def counting(frame, **limits):
            extension.compressed += frame.rsv1
            return decode(frame, **limits)

        extension.decode = counting
        return agreed, extension


def prepare(connection, request):
    """`/status/NNN`: an answer that is not 101. `/deflate/OPTIONS`: what the server asks for, as
    JSON; `null` is no compression."""
    action, *rest = map(unquote, request.path.strip("/").split("/"))
    if action == "deflate":
        options = json.loads(rest[0])
        factories = [] if options is None else [CountingFactory(**options)]
        connection.protocol.available_extensions = factories
    if action != "status":
        return None
    response = connection.respond(int(rest[0]), "sorry")
    if rest[0] in ("301", "302"):
        response.headers["Location"] = "/echo"
    if rest[0] == "401":
        response.headers["WWW-Authenticate"] = 'Basic realm="x"'
    return response


def select_subprotocol(_connection, offered):
    return "chat.v1" if "chat.v1" in offered else None


async def handle(ws):
    action, *rest = map(unquote, ws.request.path.strip("/").split("/"))
    try:
        await SERVE[action](ws, *rest)
        await ws.wait_closed()
    except ConnectionClosed:
        pass
    received = ws.protocol.close_rcvd
    code, reason = (received.code, received.reason) if received else (1006, "")
    seen = {"path": ws.request.path, "code": code, "reason": reason}
    if action == "deflate":
        extensions = ws.protocol.extensions
        seen["agreed"] = ws.response.headers.get("Sec-WebSocket-Extensions", "")
        seen["extensions"] = ",".join(extension.name for extension in extensions)
        seen["compressed"] = any(extension.compressed > 250 for extension in extensions)
    print(json.dumps(seen), flush=True)


async def main():
    options = {
        "process_request": prepare,
        "select_subprotocol": select_subprotocol,
        "max_size": None,
        "ping_interval": None,
    }
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
