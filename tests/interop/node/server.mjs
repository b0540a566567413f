// The server role of the `ws` package, for our client. The path says how to behave (see `serve`
// and `refuse`). Prints `listening on ws://…` and then one line of JSON for each connection that
// ended: {"path": …, "code": …, "reason": …}, where `code` is what our client sent. Of `/deflate` also
// "agreed", the answer to our offer, "extensions", what `ws` says is in use, and "compressed": whether
// our client compressed.
//
//     node server.mjs

import assert from 'node:assert/strict';
import { createServer, STATUS_CODES } from 'node:http';
import { WebSocketServer } from 'ws';

const ALL_PONGS = 'every pong came back';

const http = createServer();
const handleProtocols = (offered) => (offered.has('chat.v1') ? 'chat.v1' : false);
const wss = new WebSocketServer({ noServer: true, handleProtocols });

/** `/deflate/OPTIONS`: what the server asks for, as JSON; `null` is no compression. */
function deflateServer(options) {
  const camelCase = (name) => name.replace(/_./g, (letter) => letter[1].toUpperCase());
  const entries = Object.entries(options ?? {}).map(([name, value]) => [camelCase(name), value]);
  const perMessageDeflate = options && { threshold: 0, ...Object.fromEntries(entries) };
  return new WebSocketServer({ noServer: true, perMessageDeflate })
    .on('headers', (headers, request) => {
      const header = headers.find((line) => line.startsWith('Sec-WebSocket-Extensions: '));
      request.agreed = header?.split(': ')[1] ?? '';
    });
}

/** `/status/NNN`: an answer that is not 101. */
function refuse(socket, status) {
  const extra = { 301: 'Location: /echo\r\n', 302: 'Location: /echo\r\n', 401: 'WWW-Authenticate: Basic realm="x"\r\n' };
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${extra[status] ?? ''}`;
  socket.end(`${head}Connection: close\r\nContent-Length: 5\r\n\r\nsorry`);
}

const serve = {
  echo(ws) {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
  },

  binary(ws) {
    ws.on('message', (data) => ws.send(data, { binary: true }));
  },

  /** `/deflate/OPTIONS`: the echo, see `deflateServer`. */
  deflate(ws, request) {
    request.payload = 0;
    ws.on('message', (data) => (request.payload += data.length));
    serve.echo(ws);
  },

  /** `/fragments/N`: the echo in fragments of N bytes with a ping after each; then, when all the
   * pongs are there, a message that says whether they fit. */
  fragments(ws, _request, size) {
    const pings = [];
    const pongs = [];
    ws.on('pong', (payload) => {
      pongs.push(payload.toString());
      if (pongs.length < pings.length) return;
      ws.send(pongs.join() === pings.join() ? ALL_PONGS : `pongs ${pongs} for ${pings}`);
    });
    ws.on('message', (data, binary) => {
      for (let at = 0; at === 0 || at < data.length; at += Number(size)) {
        const fin = at + Number(size) >= data.length;
        ws.send(data.subarray(at, at + Number(size)), { binary, fin });
        if (fin) return;
        pings.push(`at ${at}`);
        ws.ping(pings.at(-1));
      }
    });
  },

  /** `/ping`: for each message, pings with payloads of 0 to 125 bytes; says whether the pongs fit. */
  ping(ws) {
    ws.on('message', async () => {
      for (const length of [0, 1, 4, 124, 125]) {
        const payload = Buffer.alloc(length, 0xf5);
        const pong = new Promise((resolve) => ws.once('pong', resolve));
        ws.ping(payload);
        try {
          assert.deepEqual(await pong, payload);
        } catch (error) {
          return ws.send(`bad pong: ${error.message}`);
        }
      }
      ws.send(ALL_PONGS);
    });
  },

  /** `/pinged`: says so when a ping arrives. */
  pinged(ws) {
    ws.once('ping', () => ws.send('got a ping'));
  },

  /** `/close/CODE/REASON`: the Close at the first message; CODE may be `none`. */
  close(ws, _request, code, reason) {
    ws.once('message', () => ws.close(code === 'none' ? undefined : Number(code), reason));
  },

  /** `/drop`: the TCP connection ends at the first message, without a Close. */
  drop(ws) {
    ws.once('message', () => ws.terminate());
  },

  /** `/bytes/N`: for each message, a text message of N bytes. */
  bytes(ws, _request, length) {
    ws.on('message', () => ws.send('b'.repeat(Number(length))));
  },

  /** `/header/NAME`: the value of that header of the request. */
  header(ws, request, name) {
    ws.send(request.headers[name] ?? '(none)');
  },

  /** `/subprotocol`: what was agreed. */
  subprotocol(ws) {
    ws.send(ws.protocol || '(none)');
  },
};

http.on('upgrade', (request, socket, head) => {
  const [action, ...rest] = request.url.slice(1).split('/').map(decodeURIComponent);
  if (action === 'status') return refuse(socket, Number(rest[0]));
  const server = action === 'deflate' ? deflateServer(JSON.parse(rest[0])) : wss;
  server.handleUpgrade(request, socket, head, (ws) => {
    ws.on('error', () => {}); // the code of `close` tells
    ws.on('close', (code, reason) => {
      const { agreed, payload } = request;
      const compressed = socket.bytesRead < payload * 0.9;
      const deflate = agreed === undefined ? {} : { agreed, extensions: ws.extensions, compressed };
      console.log(JSON.stringify({ path: request.url, code, reason: reason.toString(), ...deflate }));
    });
    serve[action](ws, request, ...rest);
  });
});

http.listen(0, '127.0.0.1', () => {
  console.log(`listening on ws://127.0.0.1:${http.address().port}`);
});
