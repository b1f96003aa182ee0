#!/usr/bin/env bash
# Fails if a log holds what no log may: anything that looks like a token, a stored password, a
# signed cookie or an e-mail address, or a secret that a file holds.
#   tests/clients/secrecy.sh LOG [FILE_WITH_SECRET]
set -euo pipefail

log=$1
found=0
look() { # what, and the pattern that finds it
    if grep -nP -m 3 -- "$2" "$log"; then
        echo "secrecy: $1 in the lines above" >&2
        found=1
    fi
}
# A word that begins as every JSON object in base64url does, unless it is an id of 32 letters and
# digits, which may begin so, or have the three letters within.
look 'a token' '(?<![A-Za-z0-9_-])eyJ(?![A-Za-z0-9]{29}(?![A-Za-z0-9_.-]))[A-Za-z0-9_-]+'
look 'an e-mail address' '[A-Za-z0-9_+.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}'
look 'a stored password' '[0-9a-f]{32}:[0-9a-f]{32,}'
look 'a signed session token' '[A-Za-z0-9]{32}(\.|%2[Ee])[A-Za-z0-9+/%]{43,}'
if [[ -n ${2:-} ]] && grep -nF -m 3 -f "$2" "$log"; then
    echo 'secrecy: the secret in the lines above' >&2
    found=1
fi
((found == 0)) && echo "secrecy: $(wc -l <"$log") lines, nothing secret in them"
exit "$found"
