#!/usr/bin/env bash
# Builds the standalone server, starts it on free ports with data of its own, and calls it
# with clients that share no code with it. Needs cargo, Node 20.9 or newer with npm, python3,
# curl, Chromium (installed from Debian's packages where it is missing) and PostgreSQL
# (TEST_DATABASE_URL); downloads the pinned clients on the first run.
#   tests/clients/run.sh [suite...]   all suites without arguments
#   tests/clients/run.sh --through-nginx [suite...]   over TLS to nginx with the file of
#       deploy/proxy: the suites that call this server (python, buf, connect, schemathesis)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

step() { printf '\n== %s\n' "$*"; }

all=(python buf connect schemathesis better-auth nextjs)
through=
if [[ ${1:-} == --through-nginx ]]; then
    # The others start servers of their own.
    through=nginx all=(python buf connect schemathesis)
    shift
fi
suites=("$@")
if (($# == 0)); then suites=("${all[@]}"); fi

step 'the clients, as pinned'
"$here/install.sh"
if [[ ! -x $here/.venv/bin/python ]]; then
    python3 -m venv "$here/.venv"
fi
"$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --requirement "$here/python/requirements.txt"

step 'the contracts'
"$here/node_modules/.bin/buf" lint "$root/proto"
"$here/breaking.sh"

step 'the server'
(cd "$root" && cargo build --package standalone)
# Asked, not guessed: CARGO_TARGET_DIR and cargo's own settings both move it.
target=$(cd "$root" && cargo metadata --format-version 1 --no-deps |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

data=$(mktemp -d)
: >"$data/log" # read below, maybe before the server has made it
server=
source "$here/nginx.sh"
finish() {
    [[ -z $nginx ]] || kill -TERM "$nginx" 2>/dev/null || true
    if [[ -n $server ]]; then
        kill -TERM "$server" 2>/dev/null || true
        for _ in {1..150}; do # past its drain deadline
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$data"
}
trap finish EXIT

# Little but a port is set, as for a newcomer: the secret is drawn, the data is new. The
# clients sign up and in far more often than one address may. It logs all it can, to be
# looked at afterwards.
(cd "$data" && exec env -i PATH="$PATH" GRPC_ADDR=127.0.0.1:0 HTTP_ADDR=127.0.0.1:0 LAME_DUCK=0 \
    ATTEMPT_LIMITS=off RUST_LOG=trace \
    "$target/debug/standalone" >"$data/out" 2>"$data/log") &
server=$!
SERVER=
for _ in {1..200}; do
    SERVER=$(sed -nE 's/.*listening.*grpc[^ ]*=(127\.0\.0\.1:[0-9]+).*/\1/p' "$data/log" | head -n 1)
    HTTP=$(sed -nE 's/.*listening.*http[^ ]*=(127\.0\.0\.1:[0-9]+).*/\1/p' "$data/log" | head -n 1)
    [[ -n $SERVER ]] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [[ -z $SERVER ]]; then
    cat "$data/log" >&2
    echo 'clients: FAILED, the server did not start' >&2
    exit 1
fi
export SERVER HTTP STANDALONE=$target/debug/standalone TASK_SERVICE=$target/debug/task-service
export SECRET_FILE=$data/data/secret
echo "standalone listens on $SERVER (gRPC) and $HTTP"

if [[ -n $through ]]; then
    step 'nginx'
    start_nginx "$data"
    echo "nginx listens on $HTTP"
fi

run_suite() {
    case $1 in
        python | buf) (cd "$here/$1" && "$here/.venv/bin/python" -m unittest) ;;
        connect) (cd "$here/connect" && npm run --silent generate && npm test --silent) ;;
        schemathesis) "$here/schemathesis/run.py" "${SERVER_CA:+https://}$HTTP" ;;
        better-auth) (cd "$root" && cargo build --package task-service --features jwks) && "$here/$1/run.sh" ;;
        nextjs) "$here/$1/run.sh" ;;
        *) echo "no such suite: $1" >&2 && return 1 ;;
    esac
}

failed=()
for suite in "${suites[@]}"; do
    step "suite: $suite"
    run_suite "$suite" || failed+=("$suite")
done

step 'result'
if grep -E '(ERROR|WARN|panicked)' "$data/log"; then
    failed+=('the server, which logged the faults above')
fi
"$here/secrecy.sh" "$data/log" "$data/data/secret" || failed+=('the server, which wrote what is secret')
if ((${#failed[@]})); then
    printf 'clients: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "clients: passed: ${suites[*]}"
