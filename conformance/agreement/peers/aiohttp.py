"""An echo server on aiohttp."""

import sys

# This file has the name of the package.
sys.path.pop(0)
from aiohttp import WSMsgType, web  # noqa: E402


async def echo(request):
    ws = web.WebSocketResponse(max_msg_size=16 << 20)
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


app = web.Application()
app.router.add_get("/", echo)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
