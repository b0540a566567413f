"""An echo server on wsproto, which leaves the sockets to us: a thread a connection."""

import socketserver
import sys

# This file has the name of the package.
sys.path.pop(0)
from wsproto import ConnectionType, WSConnection, events  # noqa: E402
from wsproto.extensions import PerMessageDeflate  # noqa: E402
from wsproto.utilities import LocalProtocolError, RemoteProtocolError  # noqa: E402


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        ws, parts = WSConnection(ConnectionType.SERVER), []
        try:
            while data := self.request.recv(1 << 16):
                ws.receive_data(data)
                for event in ws.events():
                    if self.handle_event(ws, event, parts):
                        return
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self.request.sendall(ws.send(error.event_hint))
        except (OSError, LocalProtocolError):
            pass

    def handle_event(self, ws, event, parts):
        """Whether the connection is over."""
        if isinstance(event, events.Request):
            self.request.sendall(ws.send(events.AcceptConnection(extensions=[PerMessageDeflate()])))
        elif isinstance(event, events.Ping):
            self.request.sendall(ws.send(event.response()))
        elif isinstance(event, events.Message):
            parts.append(event.data)
            if event.message_finished:
                whole = type(event.data)().join(parts)
                parts.clear()
                self.request.sendall(ws.send(type(event)(data=whole)))
        elif isinstance(event, events.CloseConnection):
            self.request.sendall(ws.send(event.response()))
            return True
        return False


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
