#!/usr/bin/env bash
# Builds examples/nextjs, serves it in front of the standalone server and drives it with
# Chromium (CHROMIUM, else Debian's, which is installed where it is missing). STANDALONE is the
# server's binary; pictures go to SCREENSHOTS, else to screenshots/ beside this file.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
example=$(cd "$here/../../../examples/nextjs" && pwd)
: "${STANDALONE:?the path of the standalone binary}"
STANDALONE=$(realpath "$STANDALONE")
export NEXT_TELEMETRY_DISABLED=1

step() { printf '\n== %s\n' "$*"; }

data=$(mktemp -d)
: >"$data/server.log" # read below, maybe before the server has made it
started=()
finish() {
    for process in "${started[@]}"; do
        kill -TERM "$process" 2>/dev/null || true
    done
    for process in "${started[@]}"; do
        for _ in {1..150}; do # past the server's drain deadline
            kill -0 "$process" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$data"
}
trap finish EXIT

fail() {
    tail -n 50 "$data"/*.log >&2
    echo "nextjs: FAILED, $*" >&2
    exit 1
}

step 'the browser and the packages, as pinned'
if [[ ! -x ${CHROMIUM:-/usr/bin/chromium} ]]; then
    command -v apt-get >/dev/null || { echo 'nextjs: set CHROMIUM to a browser' >&2 && exit 1; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq chromium >/dev/null
fi
"$here/../install.sh"
(cd "$example" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

step 'the server'
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close(); })')
origin=http://localhost:$port
mkdir "$data/server"
(cd "$data/server" && exec env -i PATH="$PATH" \
    GRPC_ADDR=127.0.0.1:0 HTTP_ADDR=127.0.0.1:0 LAME_DUCK=0 ATTEMPT_LIMITS=off \
    BETTER_AUTH_URL="$origin" TRUSTED_ORIGINS="$origin" \
    ACCESS_TOKEN_TTL=6s JWT_LEEWAY=0 \
    "$STANDALONE" >"$data/server.out" 2>"$data/server.log") &
started+=($!)
server=
for _ in {1..200}; do
    server=$(sed -nE 's/.*listening.*http[^ ]*=(127\.0\.0\.1:[0-9]+).*/\1/p' "$data/server.log" | head -n 1)
    [[ -n $server ]] && break
    kill -0 "${started[0]}" 2>/dev/null || break
    sleep 0.1
done
[[ -n $server ]] || fail 'the server did not start'
echo "standalone listens on $server"

step 'the example'
# The rewrites are resolved when the app is built, so the server's port is known first.
export AUTH_URL=http://$server TASKS_URL=http://$server
(cd "$example" && npm run build)
(cd "$example" && exec node node_modules/next/dist/bin/next start --hostname 127.0.0.1 --port "$port" \
    >"$data/next.log" 2>&1) &
started+=($!)
deadline=$((SECONDS + 30))
until curl --silent --fail --max-time 5 --output /dev/null "$origin/sign-in"; do
    kill -0 "${started[1]}" 2>/dev/null || fail 'the example did not start'
    ((SECONDS < deadline)) || fail 'the example does not answer'
    sleep 0.1
done
echo "the example is served at $origin"

step 'the live stream, compressed where that is allowed'
ORIGIN=$origin node "$here/watch.mjs" || fail 'through the rewrite'

step 'the drive'
ORIGIN=$origin TOKEN_SECONDS=6 node "$here/drive.mjs" || fail 'in the browser'

step 'result'
if grep -E '(ERROR|WARN|panicked)' "$data/server.log"; then
    fail 'the server logged the faults above'
fi
if grep -iE '(error|⨯)' "$data/next.log"; then
    fail 'the example logged the faults above'
fi
echo 'nextjs: passed'
