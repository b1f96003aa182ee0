#!/usr/bin/env python3
"""Draws requests from /openapi.json, valid and faulty, and holds the responses of both HTTP APIs
to what it says, in six roles: each HTTP API with and without a token. Needs python3 with venv;
downloads the pinned schemathesis on the first run. Exits with 1 where an answer breaks the
document, an operation that should work never did, or one that should not work did."""

import argparse
import base64
import json
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from account import Account  # noqa: E402
from visit import AUTH, ENDINGS, HERE, STREAMS, TASKS, Visit  # noqa: E402

# Answers 405 by design: this server extends sessions on GET.
NEVER_WORKS = "POST /api/auth/get-session"
# They take a task that repeats, or ids of tasks, which no generator hits by chance.
RARELY_WORK = frozenset({
    "POST /api/{user_id}/tasks/{id}/skip", "POST /api/{user_id}/tasks/batch/complete",
    "POST /api/{user_id}/tasks/batch/delete", "POST /api/{user_id}/tasks/batch/update",
})
# Operations that need no token.
PUBLIC = frozenset({
    "GET /api/auth/get-session", "GET /api/auth/jwks", "GET /api/auth/ok",
    "POST /api/auth/sign-in/email", "POST /api/auth/sign-out", "POST /api/auth/sign-up/email",
})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", metavar="[https://]HOST:PORT", help="the HTTP port of a running server")
    parser.add_argument("--token", help="an access token for the tasks; without it a new "
                        "account's is used, for which auth-service must be on the same port")
    parser.add_argument("--seconds", type=int, default=50,
                        help="length of each of the visits (default 50; 300 for a long drill)")
    parser.add_argument("--seed", type=int, help="as a run before printed it")
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="visits whose name contains this")
    options = parser.parse_args()
    options.base = options.base.rstrip("/")
    if "://" not in options.base:
        options.base = f"http://{options.base}"
    return options


def schemathesis():
    """Its program, installed beside this file as pinned."""
    folder = HERE / ".venv"
    if not (folder / "bin/python").exists():
        venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps",
                    "--disable-pip-version-check", "--requirement", HERE / "requirements.txt"],
                   check=True)
    return folder / "bin/schemathesis"


def visits(options):
    paths = " ".join(options.document["paths"])
    found = []
    if "/api/{user_id}/" in paths:
        token = options.token
        if token is None:
            ada = Account(options.base)
            ada.session()
            token = ada.access_token
        user = subject(token)
        found += [
            Visit("tasks, one's own", "tasks-own.toml", TASKS, True, token=token,
                  exclude=STREAMS, variables={"DRILL_USER": user}, except_for=RARELY_WORK),
            Visit("tasks, another user's", "tasks.toml", TASKS, False, exclude=STREAMS,
                  token=token, variables={"DRILL_NOT_OURS": user}),
            Visit("tasks, without a token", "tasks.toml", TASKS, False, exclude=STREAMS),
        ]
    if "/api/auth/" in paths:
        found += [
            Visit("auth, signed in", "auth.toml", AUTH, True, exclude=ENDINGS, account=True,
                  except_for=frozenset({NEVER_WORKS})),
            Visit("auth, ending sessions", "auth.toml", f"{AUTH}.*({ENDINGS})", True,
                  account=True),
            Visit("auth, without a token", "auth.toml", AUTH, False, except_for=PUBLIC),
        ]
    return [visit for visit in found if options.only in visit.name]


def subject(token):
    """Whose token it is: its claims are read, not verified."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]


def main():
    options = arguments()
    with urllib.request.urlopen(f"{options.base}/openapi.json", timeout=10) as answer:
        options.document = json.load(answer)
    program = schemathesis()
    faults = []
    for visit in visits(options):
        print(f"\n== {visit.name}", flush=True)
        faults += [f"{visit.name}: {fault}" for fault in visit.run(program, options.base, options)]
    print("\n== result")
    print("\n".join(faults) or "every answer kept to the document")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
