"""The client role of the `websockets` package: runs the cases of cases.json against our echo
server and prints one line of JSON for each: {"name": ..., "error": null or a sentence}.

    python client.py CASES.JSON '{"main": "ws://...", "listed": "ws://...", "any": "ws://..."}'
"""

import asyncio
import json
import random
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

CASE_TIMEOUT = 30


def expect(condition, otherwise):
    # Not `assert`: it must hold under PYTHONOPTIMIZE too.
    if not condition:
        raise AssertionError(otherwise)


def payload_of(message):
    unit = message["text"].encode() if "text" in message else bytes.fromhex(message["binary"])
    return unit * message.get("times", 1)


async def send(ws, message):
    """Sends one message, in fragments and with pings between them if the case says so."""
    payload, text, pongs = payload_of(message), "text" in message, []

    async def fragments():
        size = message["fragment"]
        for at in range(0, len(payload), size):
            yield payload[at : at + size]
            if "ping" in message:
                pongs.append(await ws.ping(f"{message['ping']}{at}"))

    # `websockets` ends a fragmented message with an empty frame of its own.
    await ws.send(fragments() if "fragment" in message else payload, text=text)
    return payload, text, pongs


async def close(ws, code, reason=""):
    """Starts the closing handshake; returns the code and the reason of the server's Close."""
    # RFC 6455 7.1.1: the server closes the TCP connection first.
    async with asyncio.timeout(5):
        if code is None:
            async with ws.send_context():
                ws.protocol.send_close()
        else:
            await ws.close(code, reason)
        await ws.wait_closed()
    return received_close(ws)


def received_close(ws):
    answer = ws.protocol.close_rcvd
    expect(answer is not None, "the connection ended without a Close")
    return answer.code, answer.reason


async def run_echo(ws, case):
    for message in case["messages"]:
        payload, text, pongs = await send(ws, message)
        echo = await ws.recv()
        expect(isinstance(echo, str) == text, f"the echo has type {type(echo).__name__}")
        echo = echo.encode() if text else echo
        expect(echo == payload, f"echo of {len(payload)} bytes differs, {len(echo)} bytes")
        # 5.5.3: the pings came before the end of the message, so their pongs came before its echo.
        expect(all(pong.done() for pong in pongs), "a pong is missing")
    expect((await close(ws, 1000))[0] == 1000, "the answer to 1000")


async def run_ping(ws, case):
    for payload in map(payload_of, case["payloads"]):
        await (await ws.ping(payload))
    expect((await close(ws, 1000))[0] == 1000, "the answer to 1000")


async def run_pipeline(ws, case):
    async def send_all():
        for i in range(case["count"]):
            await ws.send(f"message {i}")

    sender = asyncio.create_task(send_all())
    for i in range(case["count"]):
        echo = await ws.recv()
        expect(echo == f"message {i}", f"message {i} came back as {echo!r}")
    await sender
    expect((await close(ws, 1000))[0] == 1000, "the answer to 1000")


def random_messages(count, seed):
    """Messages of 0 bytes to 40 KiB, mostly small; text and binary, with much, little and no
    repetition, within them and between them."""
    rng = random.Random(seed)
    words = ["websocket", "naïve", "日本語", "😀", " ", "0123456789", '{"key": "value"}, ']
    earlier = b"nothing"
    for i in range(count):
        length = int((40_960 if rng.random() < 0.05 else 1_500) ** rng.random()) - 1
        kind = rng.randrange(5)
        if kind == 0:
            yield "".join(rng.choices(words, k=length // 8))
        elif kind == 1:
            yield rng.randbytes((length + 1) // 2).hex()[:length]
        elif kind == 2:
            earlier = rng.randbytes(length)
            yield earlier
        elif kind == 3:
            yield rng.randbytes(1) * length
        else:
            yield earlier[:4096] + str(i).encode()


def count_compressed(ws):
    """Counts the frames that arrive with RSV1 set (RFC 7692 section 6)."""
    count = [0]
    for extension in ws.protocol.extensions:
        decode = extension.decode

        def counting(frame, decode=decode, **limits):
            count[0] += frame.rsv1
            return decode(frame, **limits)

        extension.decode = counting
    return count


async def run_random(ws, case):
    agreed = ws.response.headers.get("Sec-WebSocket-Extensions", "")
    expect(agreed == case["agreed"], f"agreed on {agreed!r}")
    names = [extension.name for extension in ws.protocol.extensions]
    expect(names == (["permessage-deflate"] if agreed else []), f"extensions {names}")
    compressed = count_compressed(ws)
    sent = []

    async def send_all():
        for message in random_messages(case["count"], case["name"]):
            sent.append(message)
            await ws.send(message)

    sender = asyncio.create_task(send_all())
    for i in range(case["count"]):
        echo = await ws.recv()
        expect(echo == sent[i], f"message {i} of {len(sent[i])} characters differs")
        sent[i] = None
    await sender
    expect((compressed[0] > case["count"] // 10) == bool(agreed), f"{compressed[0]} compressed frames")
    expect((await close(ws, 1000))[0] == 1000, "the answer to 1000")


async def run_close(ws, case):
    code, reason = await close(ws, case["code"], case["reason"])
    expect(code == (case["code"] or 1005), f"code {code}")
    # 5.5.1 asks for the status code back; it leaves the reason open, so both are right.
    expect(reason in ("", case["reason"]), f"reason {reason!r}")


async def run_fail(ws, case):
    try:
        await send(ws, case["message"])
        raise AssertionError(f"answered with {len(await ws.recv())} bytes")
    except ConnectionClosed:
        code, _ = received_close(ws)
        expect(code == case["code"], f"code {code}")


async def run_open(ws, case):
    selected = ws.subprotocol or ""
    expect(selected in case["selects"], f"selected {selected!r}")
    expect((await close(ws, 1000))[0] == 1000, "the answer to 1000")


RUN = {
    "close": run_close,
    "echo": run_echo,
    "fail": run_fail,
    "open": run_open,
    "ping": run_ping,
    "pipeline": run_pipeline,
    "random": run_random,
}


async def attempt(case, servers):
    url = servers[case.get("server", "main")]
    origin = case.get("origin")
    if origin == "same host":
        origin = url.replace("ws", "http", 1).rstrip("/")
    options = {
        "origin": origin,
        "subprotocols": case.get("subprotocols"),
        "max_size": None,
        "ping_interval": None,
        "proxy": None,
    }
    if "offer" in case:
        options["compression"] = None
        if case["offer"] is not None:
            options["extensions"] = [ClientPerMessageDeflateFactory(**case["offer"])]
    async with asyncio.timeout(CASE_TIMEOUT):
        try:
            ws = await connect(url, **options)
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            expect(status == case.get("status"), f"refused with {status}")
            return
        expect(case["do"] != "refused", "it opened")
        try:
            await RUN[case["do"]](ws, case)
        finally:
            ws.transport.abort()


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    servers = json.loads(sys.argv[2])
    for case in cases:
        if "python" not in case.get("for", ["python"]):
            continue
        error = None
        try:
            await attempt(case, servers)
        except Exception as exception:
            error = f"{type(exception).__name__}: {exception}"
        print(json.dumps({"name": case["name"], "error": error}), flush=True)


asyncio.run(main())
