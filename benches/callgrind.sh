# What gates.sh and growth.sh share: instructions, as valgrind counts them. To be sourced.

command -v valgrind >/dev/null || {
    echo "valgrind is missing: install the package of that name" >&2
    exit 2
}

# The path of a benchmark's binary, from cargo itself. Further arguments are cargo's.
binary() {
    cargo bench --quiet --bench "$@" --no-run --message-format json |
        python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == sys.argv[1]:
        print(message["executable"])' "$1"
}

# Counts only inside the function `measured`, and what it calls. The program prints for how many
# messages that was, or nothing.
instructions() {
    local log rounds
    log=$(mktemp)
    rounds=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$log" \
        --collect-atstart=no --toggle-collect="*measured*" "$@")
    awk -v rounds="${rounds:-1}" '/Collected/ { print int($NF / rounds) }' "$log"
    rm "$log"
}

# Callgrind counts each byte of a `rep movsb` and `rep stosb`: lets the C library copy and fill with
# vectors from here on.
copy_with_vectors() {
    local large=0x7fffffffff
    export GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=$large:glibc.cpu.x86_rep_stosb_threshold=$large
}
