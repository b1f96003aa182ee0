#!/usr/bin/env bash
# Compares the contracts with those of an earlier version: `breaking.sh [tag, branch or
# commit]`, by default the latest tag before this commit. Where there is nothing earlier,
# it reports that and passes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

against=${1:-$(git -C "$root" describe --tags --abbrev=0 HEAD^ 2>/dev/null || true)}
if [[ -z $against ]] || ! git -C "$root" rev-parse --quiet --verify "$against:proto" >/dev/null; then
    echo "breaking: no earlier contracts to compare with"
    exit 0
fi
commit=$(git -C "$root" rev-parse "$against^{commit}")
(cd "$root" && "$here/node_modules/.bin/buf" breaking proto \
    --against ".git#ref=$commit,subdir=proto")
echo "breaking: compatible with $against"
