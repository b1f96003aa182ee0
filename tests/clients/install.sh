#!/usr/bin/env bash
# Installs the npm packages of every suite as pinned, unless they are installed already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

installed=node_modules/.installed-lock.json
cmp --silent package-lock.json "$installed" && exit
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$installed"
