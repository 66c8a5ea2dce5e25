#!/bin/sh
# Installs what the pinned lists name, into this folder only: .venv, node_modules, static/vendor.
#   ./set-up.sh        what the application needs
#   ./set-up.sh tests  and what the tests need; where it may, also Debian's chromium, CJK font, wrk and PostgreSQL 15
# A mark in .venv remembers what was installed, so that the next time takes no time. `make pins` renews the lists.
set -eu
cd "$(dirname "$0")"
want=${1:-application}

fail() {
    echo "$*" >&2
    exit 1
}

missing_packages() {
    command -v chromium >/dev/null || echo chromium
    command -v wrk >/dev/null || echo wrk # make bench
    fc-list :lang=zh-cn family 2>/dev/null | grep -q . || echo fonts-noto-cjk fontconfig
    [ -e /usr/lib/postgresql/15/bin/initdb ] || ! grep -qs '^VERSION_ID="12"' /etc/os-release || echo postgresql-15
}

install_packages() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "The tests need" $1 "- install them, on Debian with: sudo apt-get install" $1
    fi
    echo "Installing" $1 "…"
    settings=/etc/postgresql-common/createcluster.conf # else Debian's PostgreSQL starts a server of its own at once
    [ -e $settings ] || { mkdir -p ${settings%/*} && echo "create_main_cluster = false" >$settings; }
    export DEBIAN_FRONTEND=noninteractive
    said=$({ apt-get update && apt-get install -y --no-install-recommends $1; } 2>&1 </dev/null) ||
        { echo "$said" | tail -n 5 >&2 && fail "apt-get could not install" $1; }
}

mark() { # of the folder too: the scripts in .venv/bin name it
    { pwd && cat set-up.sh requirements*.txt pyproject.toml package-lock.json; } | sha256sum
}

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ "$want" = tests ]; then
    packages=$(missing_packages)
    [ -z "$packages" ] || install_packages "$(echo $packages)"
fi

for done in ".venv/installed-$want" .venv/installed-tests; do
    [ "$(cat "$done" 2>/dev/null)" != "$(mark)" ] || ! fits .venv/bin/python || exit 0
done

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    [ -n "$python" ] || ! fits $candidate || python=$candidate
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed; found: $(python3 --version 2>/dev/null || echo none)."
"$python" -c 'import ensurepip' 2>/dev/null || fail "Python's venv is missing; on Debian: apt-get install python3-venv"
npm=$(npm --version 2>/dev/null) || fail "npm 8 or newer is needed (it comes with Node.js); found: none."
[ "${npm%%.*}" -ge 8 ] || fail "npm 8 or newer is needed (it comes with Node.js); found: $npm."

echo "Installing the pinned packages into .venv and node_modules …"
if ! fits .venv/bin/python || ! grep -qsF "$PWD/.venv" .venv/bin/activate; then
    "$python" -m venv --clear .venv
fi
rm -f .venv/installed-*
PATH="$PWD/.venv/bin:$PATH" # uv-build, which makes .venv/bin/ebranch, is found there
export PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
.venv/bin/python -m pip install -qq --no-compile --no-deps --require-hashes -r requirements.txt
.venv/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
if [ "$want" = tests ]; then
    .venv/bin/python -m pip install -qq --no-compile --no-deps --require-hashes -r requirements-dev.txt
    npm ci --silent
else
    npm ci --silent --omit=dev
fi
# Compiled now: where nothing may be written later (PYTHONDONTWRITEBYTECODE), every process would compile for itself.
.venv/bin/python -m compileall -q -j 0 .venv/lib server tasks
mkdir -p static/vendor
cp node_modules/htmx.org/dist/htmx.min.js static/vendor/
mark >".venv/installed-$want"
