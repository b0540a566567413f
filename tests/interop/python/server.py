"""The server role of the `websockets` package, for our client. The path says how to behave.
Prints `listening on ws://...` and then one line of JSON for each connection that ended:
{"path": ..., "code": ..., "reason": ...}, where `code` is what our client sent.

    python server.py
"""

import asyncio
import json
from urllib.parse import unquote

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

ALL_PONGS = "every pong came back"


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def binary(ws):
    async for message in ws:
        await ws.send(message, text=False)


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
    "drop": drop,
    "echo": echo,
    "fragments": fragments,
    "header": header,
    "ping": ping,
    "subprotocol": subprotocol,
}


def refuse(connection, request):
    """`/status/NNN`: an answer that is not 101."""
    action, *rest = request.path.strip("/").split("/")
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
    print(json.dumps({"path": ws.request.path, "code": code, "reason": reason}), flush=True)


async def main():
    options = {
        "process_request": refuse,
        "select_subprotocol": select_subprotocol,
        "max_size": None,
        "ping_interval": None,
    }
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
