#!/usr/bin/env bash
# Runs the Autobahn suite on the crate's endpoints and compares every case with expected.json.
# README.md beside this file says how to read the result.
#
# shellcheck disable=SC2317  # the roles are called by name
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite_requirements=$here/requirements.txt
# shellcheck source=autobahn/suite.sh
source "$here/suite.sh"

# What both testees are told. The largest message of the suite (9.1.6) has 16 MiB.
testee_flags=(--max-message-size 16777216 --deflate)
# No process outlives this many seconds; a whole run takes a third of it on two cores.
limit=1800
agent=websocket-proto
# Nearly all the time goes into these groups, so they are dealt out to processes that run side by side.
# A group that is missing here still runs: the first process takes every case that no other one has.
slow_groups=(12.{1..5}.'*' 13.{1..7}.'*')

usage() {
    cat <<'EOF'
usage: autobahn/run.sh [server|client|all] [--io blocking|tokio] [--shards N] [--bin-dir DIR]

  server, client, all   the role that our endpoint plays (default: all, both at the same time)
  --io ADAPTER          the adapter under test (default: blocking)
  --shards N            suite processes for each role (default: the number of cores)
  --bin-dir DIR         test DIR/echo_server and DIR/autobahn_client instead of building them
EOF
}

bad_usage() {
    printf 'error: %s\n' "$1" >&2
    usage >&2
    exit 2
}

parse_arguments() {
    roles=(server client) io=blocking shards=$(nproc) bin_dir=
    while (($#)); do
        case $1 in
        server | client) roles=("$1") ;;
        all) roles=(server client) ;;
        --io | --shards | --bin-dir)
            (($# >= 2)) || bad_usage "$1 needs a value"
            case $1 in
            --io) io=$2 ;;
            --shards) shards=$2 ;;
            --bin-dir) bin_dir=$2 ;;
            esac
            shift
            ;;
        -h | --help) usage && exit ;;
        *) bad_usage "unknown argument $1" ;;
        esac
        shift
    done
    [[ $io == blocking || $io == tokio ]] || bad_usage "--io is blocking or tokio, not $io"
    [[ $shards =~ ^[1-9][0-9]?$ ]] || bad_usage "--shards is a number from 1 to 99, not $shards"
    # Beyond one group each, a further process would have nothing to do.
    ((shards <= ${#slow_groups[@]})) || shards=${#slow_groups[@]}
}

main() {
    parse_arguments "$@"
    local target
    target=$(cargo metadata --manifest-path "$here/../Cargo.toml" --no-deps --format-version 1 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    reports=$target/autobahn
    mkdir -p "$reports"
    if [[ -z $bin_dir ]]; then
        (cd "$here/.." && cargo build --release --all-features --example echo_server --example autobahn_client)
        bin_dir=$target/release/examples
    fi
    find_suite "$reports"

    # The two roles wait for each other's processes only in passing, so they share the cores well.
    local role pids=() status=0
    for role in "${roles[@]}"; do
        out=$reports/$role-$io
        rm -rf "$out" && mkdir -p "$out"
        echo "$role: $shards suite processes; reports and logs go to $out"
        (run_role "$role") &
        pids+=($!)
    done
    # Passed on, because a subshell started in the background does not get the terminal's interrupt.
    trap 'kill "${pids[@]}" 2>/dev/null || true; wait; exit 143' INT TERM
    for role in "${!pids[@]}"; do
        wait "${pids[role]}" || status=1
    done
    ((status == 0)) || exit 1
    for role in "${roles[@]}"; do
        "$here/compare.py" "$role" "$reports/$role-$io" || status=1
    done
    exit "$status"
}

# One role, in a subshell of its own: whatever it started ends with it.
run_role() {
    children=()
    trap stop_children EXIT
    trap 'exit 143' INT TERM
    SECONDS=0
    "$1_role"
    echo "$1: the suite took $SECONDS s"
}

# Our server is tested: the suite's clients connect to one echo_server.
server_role() {
    local server suites=() shard
    start echo_server "$bin_dir/echo_server" --listen 127.0.0.1:0 --io "$io" "${testee_flags[@]}"
    server=$child
    await echo_server "$server" grep --quiet '^listening on ' "$out/echo_server.log"
    local url
    url=$(sed -n 's/^listening on //p' "$out/echo_server.log")
    for ((shard = 0; shard < shards; shard++)); do
        write_config "$shard" "\"servers\": [{\"agent\": \"$agent\", \"url\": \"$url\"}]"
        start "suite-$shard" "${wstest[@]}" --mode fuzzingclient --spec "$out/$shard.json"
        suites+=("$child")
    done
    for shard in "${!suites[@]}"; do
        finish "suite-$shard" "${suites[shard]}"
    done
    kill -0 "$server" 2>/dev/null || fail "echo_server died during the run" echo_server
}

# Our client is tested: one client for each of the suite's servers.
client_role() {
    local clients=() shard port
    for ((shard = 0; shard < shards; shard++)); do
        port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
        write_config "$shard" "\"url\": \"ws://127.0.0.1:$port\""
        start "suite-$shard" "${wstest[@]}" --mode fuzzingserver --webport 0 --spec "$out/$shard.json"
        await "suite-$shard" "$child" can_connect "$port"
        start "client-$shard" "$bin_dir/autobahn_client" --url "ws://127.0.0.1:$port" --agent "$agent" \
            --io "$io" "${testee_flags[@]}"
        clients+=("$child")
    done
    for shard in "${!clients[@]}"; do
        finish "client-$shard" "${clients[shard]}"
    done
}

# write_config SHARD PEER: the suite's config for one shard, PEER being its JSON about the other side.
write_config() {
    local cases=() excluded=() i
    for ((i = 0; i < ${#slow_groups[@]}; i++)); do
        if ((i % shards == $1)); then
            cases+=("${slow_groups[i]}")
        else
            excluded+=("${slow_groups[i]}")
        fi
    done
    # The first shard asks for everything and leaves out what the others do, so that no case is forgotten.
    if (($1 == 0)); then cases=('*'); else excluded=(); fi
    cat >"$out/$1.json" <<EOF
{"outdir": "$out/$1", $2, "cases": $(json_array "${cases[@]}"),
 "exclude-cases": $(json_array "${excluded[@]}"), "exclude-agent-cases": {}}
EOF
}

json_array() {
    local joined=
    (($# == 0)) || joined=$(printf ', "%s"' "$@")
    printf '[%s]' "${joined#, }"
}

# start NAME COMMAND...: in the background, logged to NAME.log; sets `child` to its process id.
start() {
    local name=$1
    shift
    timeout --kill-after 5 "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null &
    child=$!
    children+=("$child")
}

# await NAME PID CONDITION...: until the condition holds, while the process lives, for at most 30 s.
await() {
    local name=$1 pid=$2 tries
    shift 2
    for ((tries = 0; tries < 300; tries++)); do
        if "$@" 2>/dev/null; then return; fi
        kill -0 "$pid" 2>/dev/null || fail "$name ended before it was ready" "$name"
        sleep 0.1
    done
    fail "$name was not ready after 30 s" "$name"
}

can_connect() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

# finish NAME PID: waits for a process that must end by itself and well.
finish() {
    local status=0
    wait "$2" || status=$?
    case $status in
    0) ;;
    124 | 137) fail "$1 had not finished after $limit s" "$1" ;;
    *) fail "$1 ended with status $status" "$1" ;;
    esac
}

# fail MESSAGE NAME: ends the role with the end of that process's log.
fail() {
    printf 'error: %s; the end of %s:\n' "$1" "$out/$2.log" >&2
    tail -n 20 "$out/$2.log" >&2
    exit 1
}

stop_children() {
    ((${#children[@]} == 0)) || kill "${children[@]}" 2>/dev/null || true
    wait
}

main "$@"
