#!/usr/bin/env bash
# Sets the unmodified Better Auth client and server against ours, whose binary STANDALONE
# names, and its tokens against the task-service that TASK_SERVICE names (with the feature
# `jwks`). Needs npm and PostgreSQL (or none, then that part is left out, unless
# REQUIRE_POSTGRES is set); downloads the pinned packages on the first run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${STANDALONE:?must name the binary of standalone}"
: "${TASK_SERVICE:?must name the binary of task-service}"
STANDALONE=$(realpath "$STANDALONE")
TASK_SERVICE=$(realpath "$TASK_SERVICE")
export STANDALONE TASK_SERVICE

step() { printf '\n-- %s\n' "$*"; }

step 'the packages, as pinned'
"$here/../install.sh"

data=$(mktemp -d)
: >"$data/log" # read below, maybe before the server has made it
server=
finish() {
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

(cd "$data" && exec env -i PATH="$PATH" GRPC_ADDR=127.0.0.1:0 HTTP_ADDR=127.0.0.1:0 LAME_DUCK=0 \
    ATTEMPT_LIMITS=off RUST_LOG=trace BETTER_AUTH_URL=http://localhost:3000 TRUSTED_ORIGINS=http://localhost:3000 \
    "$STANDALONE" >"$data/out" 2>"$data/log") &
server=$!
address=
for _ in {1..200}; do
    address=$(sed -nE 's/.*listening.*http=(127\.0\.0\.1:[0-9]+).*/\1/p' "$data/log" | head -n 1)
    [[ -n $address ]] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [[ -z $address ]]; then
    cat "$data/log" >&2
    echo 'better-auth: FAILED, the server did not start' >&2
    exit 1
fi

failed=()
step 'every client on every server'
(cd "$here" && AUTH_URL="http://$address" node matrix.mjs) || failed+=(matrix)
step 'the same requests to both servers'
(cd "$here" && node replay/replay.mjs) || failed+=(replay)
step 'both servers on one database'
(cd "$here" && node shared-database.mjs) || failed+=(shared-database)
step 'users whom a real server lets in no more'
(cd "$here" && node restricted.mjs) || failed+=(restricted)
step 'every token of every server in every mode'
(cd "$here" && node token-matrix.mjs) || failed+=(token-matrix)

if grep -E '(ERROR|WARN|panicked)' "$data/log"; then
    failed+=('the server, which logged the faults above')
fi
"$here/../secrecy.sh" "$data/log" "$data/data/secret" || failed+=('the server, which wrote what is secret')
if ((${#failed[@]})); then
    printf 'better-auth: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo 'better-auth: all suites passed (matrix, replay, shared-database, restricted, token-matrix)'
