# shellcheck shell=bash disable=SC2034,SC2154  # the variables are run.sh's
# Sourced by run.sh. `find_suite DIR` sets the array `wstest` to the command that starts the suite,
# with everything it installs kept under DIR. Nothing is downloaded when the suite's Docker image is there.

readonly image=crossbario/autobahn-testsuite

find_suite() {
    local dir=$1 python
    # `image inspect` succeeds only with an engine that runs and has the image.
    if docker image inspect "$image" >"$dir/docker.log" 2>&1; then
        echo "suite: the Docker image $image"
        # The same path inside and outside lets one config serve both ways of running.
        wstest=(docker run --rm --init --network host --user "$(id -u):$(id -g)"
            --volume "$dir:$dir" "$image" wstest)
        return
    fi
    python=$(find_python27) || {
        echo "error: the suite needs a running Docker engine with the image $image, or Python 2.7:" \
            "set PYTHON27, put python2.7 on PATH, or install one with pyenv" >&2
        return 1
    }
    echo "suite: $python"
    install_suite "$python" "$dir"
    wstest=("$dir/venv/bin/wstest")
}

# The first Python 2.7 that runs: a pyenv shim exists even where it can only fail.
find_python27() {
    local candidate
    local candidates=("${PYTHON27:-}" python2.7)
    if command -v pyenv >/dev/null; then
        candidates+=("$(pyenv root)"/versions/2.7.*/bin/python)
    fi
    candidates+=("$HOME"/.pyenv/versions/2.7.*/bin/python)
    for candidate in "${candidates[@]}"; do
        if [[ -n $candidate ]] &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Makes `DIR/venv` once; a copy of the requirements, written last, says that it is whole and current.
install_suite() {
    local python=$1 dir=$2 log=$2/install.log
    local venv=$dir/venv
    if cmp --silent "$suite_requirements" "$venv/requirements.txt"; then
        return
    fi
    echo "suite: installing into $venv"
    rm -rf "$venv" "$dir/virtualenv"
    if ! {
        make_venv "$python" "$dir/virtualenv" "$venv" &&
            "$venv/bin/pip" --disable-pip-version-check install --requirement "$suite_requirements" &&
            cp "$suite_requirements" "$venv/requirements.txt"
    } >"$log" 2>&1; then
        echo "error: cannot install the suite; the end of $log:" >&2
        tail -n 20 "$log" >&2
        return 1
    fi
}

# Python 2.7 has no venv module, and 20.21 is the last virtualenv that still makes environments for it.
# Either Python can bring it in; not every one has a pip.
make_venv() {
    local python=$1 tool=$2 venv=$3 host
    for host in python3 "$python"; do
        if "$host" -m pip --disable-pip-version-check install --target "$tool" 'virtualenv<20.22' &&
            PYTHONPATH=$tool "$host" -m virtualenv --python "$python" "$venv"; then
            return
        fi
        rm -rf "$tool" "$venv"
    done
    return 1
}
