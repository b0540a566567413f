"""An echo server on Tornado."""

import asyncio
import sys

# This file has the name of the package.
sys.path.pop(0)
from tornado import web, websocket  # noqa: E402


class Echo(websocket.WebSocketHandler):
    def get_compression_options(self):
        return {}

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


async def main():
    web.Application([("/", Echo)], websocket_max_message_size=16 << 20).listen(
        int(sys.argv[1]), "127.0.0.1"
    )
    await asyncio.Event().wait()


asyncio.run(main())
