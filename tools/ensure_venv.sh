#!/usr/bin/env bash
# Makes or refreshes .venv in the project root from a hash-pinned lock file.
#
#   tools/ensure_venv.sh runtime    what `vertebro` needs to run          (requirements.lock)
#   tools/ensure_venv.sh dev        also what tests, checks and docs need (requirements-dev.lock)
#
# Does nothing when the lock file and pyproject.toml are those that .venv was made from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind="${1:?runtime or dev}"
case "$kind" in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "ensure_venv.sh: '$kind' is neither runtime nor dev." >&2; exit 2 ;;
esac

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -e .venv ] && ! is_new_enough .venv/bin/python; then
    echo "The Python of .venv is gone or too old; .venv is made anew." >&2
    rm -rf .venv
fi

fingerprint() { cat "$1" pyproject.toml | cksum; }
is_made() { [ -f ".venv/.made-$1" ] && [ "$(cat ".venv/.made-$1")" = "$(fingerprint "$2")" ]; }

# The development set holds the runtime set, so it serves both.
if is_made "$kind" "$lock" || is_made dev requirements-dev.lock; then
    exit 0
fi

python=""
for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if is_new_enough "$candidate"; then
        python="$candidate"
        break
    fi
done
if [ -z "$python" ]; then
    echo "vertebro needs Python 3.11 or newer, and none was found under the names python3.13, python3.12," >&2
    echo "python3.11 or python3. Install one, or say where it is: make PYTHON=/path/to/python3.12 …" >&2
    exit 1
fi

if ! [ -x .venv/bin/pip ]; then
    echo "Making .venv with $("$python" --version) …"
    "$python" -m venv .venv || {
        echo "Python's venv module did not work; on Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing $lock into .venv (a few minutes the first time) …"
rm -f .venv/.made-runtime .venv/.made-dev
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
fingerprint "$lock" >".venv/.made-$kind"
echo "Compiling the numerical kernels, so that no case waits for it (half a minute) …"
.venv/bin/vertebro warm-up --quiet || echo "That did not work; the first case will compile them." >&2
