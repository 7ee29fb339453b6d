# Sourced by bin/up and bin/test: makes .venv, or brings it up to date. POSIX sh.

# find_python: prints the first Python that is new enough. PYTHON names one by hand.
find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        # A version manager's stand-in may be in the PATH without any Python behind it: only running it tells.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    echo "Python 3.11 or newer is needed and was not found. Install it (Debian: apt install python3 python3-venv), or set PYTHON to one." >&2
    return 1
}

# ensure_virtualenv NAME FILE...: .venv has what these requirement files pin. The stamp NAME says for which content.
ensure_virtualenv() {
    stamp_file=".venv/stamp-$1"
    shift
    if [ -e .venv ] && ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "The Python that .venv was made with is gone: making .venv anew."
        rm -rf .venv
    fi
    if [ ! -e .venv/bin/pip ]; then
        python=$(find_python) || return 1
        echo "Making .venv with $("$python" --version)"
        if ! "$python" -m venv .venv; then
            echo "The virtualenv could not be made. On Debian: apt install python3-venv. Then run this again." >&2
            rm -rf .venv
            return 1
        fi
    fi
    stamp=$({ .venv/bin/python --version && cat "$@"; } | cksum)
    if [ -f "$stamp_file" ] && [ "$(cat "$stamp_file")" = "$stamp" ]; then
        return 0
    fi
    echo "Installing the requirements (a minute or two the first time)"
    options=""
    for file in "$@"; do
        options="$options -r $file"
    done
    # shellcheck disable=SC2086 # one word per file
    if ! .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes $options; then
        echo "Installing the requirements failed; pip says why above. Check the network (or pip's index), then run this again." >&2
        return 1
    fi
    echo "$stamp" >"$stamp_file"
}
