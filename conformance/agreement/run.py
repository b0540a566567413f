#!/usr/bin/env python3
"""Runs Autobahn and ws-conformance on the same servers and compares every case.

Both must find the same behaviour and the same closing, or the difference stands in differences.json
with its reason. Installs the peers that it can under target/agreement and says which it cannot.
Standard library only.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "agreement"
KNOWN = HERE / "differences.json"
# No run takes longer, and no peer that does not listen by then is waited for.
LIMIT, START = 3600, 30


def python(name):
    venv = WORK / "python"
    if not (venv / "requirements.txt").exists() or (
        (venv / "requirements.txt").read_text() != (HERE / "requirements.txt").read_text()
    ):
        quietly(sys.executable, "-m", "venv", str(venv))
        quietly(str(venv / "bin" / "pip"), "install", "-r", str(HERE / "requirements.txt"))
        shutil.copy(HERE / "requirements.txt", venv / "requirements.txt")
    return lambda port: [str(venv / "bin" / "python"), str(HERE / "peers" / f"{name}.py"), str(port)]


def node():
    folder = WORK / "node"
    if not (folder / "node_modules" / "ws").exists():
        folder.mkdir(parents=True, exist_ok=True)
        quietly("npm", "install", "--prefix", str(folder), "ws@8")
    # A program finds packages beside itself.
    shutil.copy(HERE / "peers" / "ws.js", folder / "ws.js")
    return lambda port: ["node", str(folder / "ws.js"), str(port)]


def ours(adapter):
    quietly("cargo", "build", "--release", "--all-features", "--example", "echo_server")
    program = ROOT / "target" / "release" / "examples" / "echo_server"
    return lambda port: [
        str(program), "--listen", f"127.0.0.1:{port}", "--io", adapter, "--deflate",
        "--max-message-size", str(16 << 20),
    ]  # fmt: skip


PEERS = {
    "aiohttp": lambda: python("aiohttp"),
    "tornado": lambda: python("tornado"),
    "websocket-proto-blocking": lambda: ours("blocking"),
    "websocket-proto-tokio": lambda: ours("tokio"),
    "websockets": lambda: python("websockets"),
    "ws": node,
    "wsproto": lambda: python("wsproto"),
}


def quietly(*command):
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def autobahn():
    """The command that starts the suite, installed where the project's own run installs it."""
    folder = ROOT / "target" / "autobahn"
    folder.mkdir(parents=True, exist_ok=True)
    script = (
        f'set -e; suite_requirements={ROOT}/autobahn/requirements.txt; source {ROOT}/autobahn/suite.sh;'
        f' find_suite {folder} >&2; printf "%s\\n" "${{wstest[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split("\n")[:-1]


@contextlib.contextmanager
def running(command, port):
    log = (WORK / "peer.log").open("w")
    peer = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        for _ in range(START * 10):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{command[0]} does not listen after {START} s")
        yield
    finally:
        peer.terminate()
        peer.wait()
        log.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def verdicts(folder):
    """Case -> (behavior, behaviorClose)."""
    (cases,) = json.loads((folder / "index.json").read_text()).values()
    return {case: (entry["behavior"], entry["behaviorClose"]) for case, entry in cases.items()}


def both(name, command, suites, cases, excluded):
    """The verdicts of both suites on one peer, and how long each took."""
    wstest, program = suites
    results = []
    for suite in ("autobahn", "ws-conformance"):
        out, port = WORK / f"{name}-{suite}", free_port()
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        url = f"ws://127.0.0.1:{port}"
        if suite == "autobahn":
            spec = {"outdir": str(out), "servers": [{"agent": name, "url": url}], "cases": cases,
                    "exclude-cases": excluded, "exclude-agent-cases": {}}  # fmt: skip
            (out / "spec.json").write_text(json.dumps(spec))
            run = [*wstest, "--mode", "fuzzingclient", "--spec", str(out / "spec.json")]
        else:
            run = [program, "server", url, "--report", str(out), "--quiet", "--exclude", "C.*",
                   "--exclude", "F.*", "--exclude", "H.*"]  # fmt: skip
            run += [word for case in cases if case != "*" for word in ("--case", case)]
            run += [word for case in excluded for word in ("--exclude", case)]
        with running(command(port), port):
            started = time.monotonic()
            subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)
            results.append((verdicts(out), time.monotonic() - started))
    return results


def known_difference(known, peer, case, *found):
    """Whether a row says that this peer gives each of the verdicts in this case."""
    return any(
        peer in row["peers"]
        and case in row["cases"]
        and all(list(verdict) in row["verdicts"] for verdict in found)
        for row in known
    )


def sort_key(case):
    return [int(part) for part in case.split(".")]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*", default=list(PEERS), metavar="PEER")
    parser.add_argument("--case", action="append", help="only these cases, as both suites write them")
    parser.add_argument("--exclude", action="append", default=[])
    options = parser.parse_args(arguments)
    for peer in options.peers:
        if peer not in PEERS:
            parser.error(f"{peer} is none of {', '.join(PEERS)}")
    WORK.mkdir(parents=True, exist_ok=True)
    known = json.loads(KNOWN.read_text())
    quietly("cargo", "build", "--release", "-p", "websocket-conformance")
    suites = autobahn(), str(ROOT / "target" / "release" / "ws-conformance")
    compared = differing = unknown = missing = 0
    for peer in options.peers:
        try:
            command = PEERS[peer]()
            (theirs, slow), (mine, fast) = both(
                peer, command, suites, options.case or ["*"], options.exclude
            )
        except (OSError, RuntimeError, subprocess.SubprocessError, ValueError) as error:
            print(f"{peer}: cannot be compared: {error}")
            missing += 1
            continue
        cases = sorted(theirs.keys() | mine.keys(), key=sort_key)
        different = [case for case in cases if theirs.get(case) != mine.get(case)]
        print(f"{peer}: {len(cases)} cases, {len(different)} different; {slow:.0f} s and {fast:.1f} s")
        for case in different:
            one, other = theirs.get(case, ("missing",)), mine.get(case, ("missing",))
            listed = known_difference(known, peer, case, one, other)
            unknown += not listed
            print(f"  {case}: {' / '.join(one)}, here {' / '.join(other)}{'' if listed else '  (not listed)'}")
        compared += len(cases)
        differing += len(different)
    print(f"{compared} verdicts, {differing} different, {unknown} of them not listed; {missing} peers missing")
    return 1 if unknown or not compared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
