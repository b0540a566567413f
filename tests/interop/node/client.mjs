// The client role of the `ws` package: runs the cases of cases.json against our echo server and
// prints one line of JSON for each: {"name": …, "error": null or a sentence}.
//
//     node client.mjs CASES.JSON '{"main": "ws://…", "listed": "ws://…", "any": "ws://…"}'

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';

const CASE_TIMEOUT = 30_000;
const cases = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const servers = JSON.parse(process.argv[3]);

/** What a connection received, in order, as a queue to wait on. */
class Connection {
  constructor(test) {
    const url = servers[test.server ?? 'main'];
    const origin = test.origin === 'same host' ? url.replace(/^ws/, 'http') : test.origin;
    this.pongs = [];
    this.messages = [];
    this.waiting = null;
    const perMessageDeflate = deflateOptions(test);
    this.ws = new WebSocket(url, test.subprotocols ?? [], { origin, perMessageDeflate });
    this.ws.on('upgrade', (response) => {
      this.agreed = response.headers['sec-websocket-extensions'] ?? '';
      this.socket = response.socket;
    });
    this.ws.on('pong', (payload) => this.arrived(this.pongs, payload));
    this.ws.on('message', (data, isBinary) => this.arrived(this.messages, { data, isBinary }));
    this.opened = new Promise((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.once('error', reject);
      this.ws.once('unexpected-response', (_request, response) => {
        reject(Object.assign(new Error(`status ${response.statusCode}`), { response }));
        this.ws.terminate();
      });
    });
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.waiting?.();
      });
    });
    this.ws.on('error', (error) => (this.error = error));
    this.opened.catch(() => {}); // reported where it is awaited
  }

  arrived(queue, item) {
    queue.push(item);
    this.waiting?.();
  }

  async next(queue) {
    while (queue.length === 0) {
      if (this.ws.readyState === WebSocket.CLOSED) {
        const { code, reason } = await this.closed;
        throw new Error(`closed with ${code} "${reason}" ${this.error ?? ''}`);
      }
      await new Promise((resolve) => (this.waiting = resolve));
    }
    return queue.shift();
  }

  async close(code, reason) {
    const started = Date.now();
    this.ws.close(code, reason);
    const answer = await this.closed;
    // RFC 6455 7.1.1: the server closes the TCP connection first; `ws` would wait 30 s for it.
    assert.ok(Date.now() - started < 5_000, 'the server did not close the TCP connection');
    return answer;
  }
}

/** The parameters of permessage-deflate in the offer, as `ws` calls them; without a say of the case
 * its own. */
function deflateOptions({ offer }) {
  if (offer === undefined) return true;
  if (offer === null) return false;
  const camelCase = (name) => name.replace(/_./g, (letter) => letter[1].toUpperCase());
  const options = Object.entries(offer).map(([name, value]) => [camelCase(name), value]);
  return { threshold: 0, ...Object.fromEntries(options) };
}

function payloadOf({ text, binary, times = 1 }) {
  const unit = text === undefined ? Buffer.from(binary, 'hex') : Buffer.from(text);
  return Buffer.concat(Array(times).fill(unit));
}

/** Messages of 0 bytes to 40 KiB, mostly small; text and binary, with much, little and no
 * repetition, within them and between them; one in eight is not compressed. */
function* randomMessages(count, seed) {
  // mulberry32
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(random() * limit);
  const words = ['websocket', 'naïve', '日本語', '😀', ' ', '0123456789', '{"key": "value"}, '];
  let earlier = Buffer.from('nothing');
  for (let i = 0; i < count; i++) {
    const length = Math.floor((random() < 0.05 ? 40_960 : 1_500) ** random()) - 1;
    const kind = below(5);
    let data;
    if (kind === 0) {
      data = Buffer.from(Array.from({ length: length / 8 }, () => words[below(words.length)]).join(''));
    } else if (kind === 1) {
      data = Buffer.from(String.fromCodePoint(...Array.from({ length }, () => 32 + below(95))));
    } else if (kind === 2) {
      data = Buffer.from(Array.from({ length }, () => below(256)));
    } else if (kind === 3) {
      data = Buffer.alloc(length, below(256) || 1);
    } else {
      data = Buffer.concat([earlier, Buffer.from(`${i}`)]);
    }
    if (kind !== 4 && data.length > 0) earlier = data.subarray(0, 4096);
    yield { data, binary: kind > 1, compress: below(8) > 0 };
  }
}

/** Sends one message, in fragments and with pings between them if the case says so. */
function send(ws, message) {
  const payload = payloadOf(message);
  const binary = message.text === undefined;
  const size = message.fragment ?? Math.max(payload.length, 1);
  const pings = [];
  for (let at = 0; at === 0 || at < payload.length; at += size) {
    const fin = at + size >= payload.length;
    ws.send(payload.subarray(at, at + size), { binary, fin, compress: false });
    if (message.ping !== undefined && !fin) {
      pings.push(Buffer.from(message.ping + at));
      ws.ping(pings.at(-1));
    }
  }
  return { payload, binary, pings };
}

const run = {
  async echo(connection, test) {
    for (const message of test.messages) {
      const sent = send(connection.ws, message);
      const echo = await connection.next(connection.messages);
      assert.equal(echo.isBinary, sent.binary, 'the type of the echo');
      assert.ok(echo.data.equals(sent.payload), `echo of ${sent.payload.length} bytes differs`);
      // 5.5.3: the pings came before the end of the message, so their pongs came before its echo.
      assert.deepEqual(connection.pongs.splice(0), sent.pings);
    }
    assert.equal((await connection.close(1000)).code, 1000);
  },

  async ping(connection, test) {
    for (const payload of test.payloads.map(payloadOf)) {
      connection.ws.ping(payload);
      assert.deepEqual(await connection.next(connection.pongs), payload);
    }
    assert.equal((await connection.close(1000)).code, 1000);
  },

  async pipeline(connection, test) {
    for (let i = 0; i < test.count; i++) connection.ws.send(`message ${i}`);
    for (let i = 0; i < test.count; i++) {
      const { data, isBinary } = await connection.next(connection.messages);
      assert.deepEqual([data.toString(), isBinary], [`message ${i}`, false]);
    }
    assert.equal((await connection.close(1000)).code, 1000);
  },

  async random(connection, test) {
    assert.equal(connection.agreed, test.agreed);
    assert.equal(connection.ws.extensions, test.agreed.split(';')[0]);
    const before = connection.socket.bytesRead;
    const sent = [];
    let total = 0;
    const sendAll = async () => {
      for (const message of randomMessages(test.count, test.name.length)) {
        sent.push(message);
        const { data, binary, compress } = message;
        const written = new Promise((resolve) => connection.ws.send(data, { binary, compress }, resolve));
        if (connection.ws.bufferedAmount > 1 << 20) await written;
      }
    };
    const sending = sendAll();
    for (let i = 0; i < test.count; i++) {
      const { data, isBinary } = await connection.next(connection.messages);
      assert.equal(isBinary, sent[i].binary, `the type of message ${i}`);
      assert.ok(data.equals(sent[i].data), `message ${i} of ${sent[i].data.length} bytes differs`);
      total += data.length;
      sent[i] = null;
    }
    await sending;
    // Half of what was sent is worth compressing.
    const saved = connection.socket.bytesRead - before < total * 0.9;
    assert.equal(saved, test.agreed !== '', 'whether the server compresses');
    assert.equal((await connection.close(1000)).code, 1000);
  },

  async close(connection, test) {
    const answer = await connection.close(test.code ?? undefined, test.reason);
    assert.equal(answer.code, test.code ?? 1005);
    // 5.5.1 asks for the status code back; it leaves the reason open, so both are right.
    assert.ok(['', test.reason].includes(answer.reason), `reason "${answer.reason}"`);
  },

  async fail(connection, test) {
    send(connection.ws, test.message);
    const answered = connection.next(connection.messages).then(
      ({ data }) => assert.fail(`answered with ${data.length} bytes`),
      () => connection.closed,
    );
    assert.equal((await answered).code, test.code, connection.error?.message);
  },

  async open(connection, test) {
    assert.ok(test.selects.includes(connection.ws.protocol), `selected "${connection.ws.protocol}"`);
    assert.equal((await connection.close(1000)).code, 1000);
  },
};

async function attempt(test) {
  const connection = new Connection(test);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), CASE_TIMEOUT);
  });
  try {
    if (test.do === 'refused') {
      const refusal = await Promise.race([connection.opened.then(() => null, (e) => e), late]);
      assert.equal(refusal?.response?.statusCode, test.status, refusal?.message ?? 'it opened');
      return;
    }
    await Promise.race([connection.opened, late]);
    await Promise.race([run[test.do](connection, test), late]);
  } finally {
    clearTimeout(timer);
    connection.ws.terminate();
  }
}

for (const test of cases.filter((test) => test.for?.includes('node') ?? true)) {
  const error = await attempt(test).then(() => null, (e) => e.message);
  console.log(JSON.stringify({ name: test.name, error }));
}
