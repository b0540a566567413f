"""An echo server on websockets."""

import asyncio
import sys

# This file has the name of the package.
sys.path.pop(0)
from websockets.asyncio.server import serve  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402


async def echo(ws):
    try:
        async for message in ws:
            await ws.send(message)
    except ConnectionClosed:
        pass


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=16 << 20) as server:
        await server.serve_forever()


asyncio.run(main())
