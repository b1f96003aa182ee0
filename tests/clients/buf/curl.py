"""`buf curl` as a function: what an operator types, and what it prints."""

import base64
import json
import os
import subprocess
from pathlib import Path

BUF = Path(__file__).resolve().parent.parent / "node_modules" / ".bin" / "buf"
PATIENCE = 30

# buf's exit code for a refused call is the status code times eight.
OK, INVALID_ARGUMENT, NOT_FOUND = 0, 3, 5
PERMISSION_DENIED, UNAUTHENTICATED = 7, 16


class Answer:
    """What one run of `buf curl` came to."""

    def __init__(self, finished):
        self.exit_code = finished.returncode
        text = finished.stdout if self.exit_code == 0 else finished.stderr
        try:
            self.json = json.loads(text)
        except json.JSONDecodeError:
            self.json = {}
        self.text = finished.stdout + finished.stderr

    @property
    def details(self):
        """The error details: type and encoded message."""
        return [(detail["type"], base64.b64decode(detail["value"] + "=="))
                for detail in self.json.get("details", [])]

    def detail(self, name):
        return dict(self.details).get(f"google.rpc.{name}", b"")


def curl(rpc, message=None, token=None, *flags):
    """Calls `package.Service/Method` through reflection."""
    if token is not None:
        flags = ("-H", f"authorization: Bearer {token}", *flags)
    return _run(*flags, "-d", json.dumps(message or {}), f"{_server()}/{rpc}")


def services():
    return _run("--list-services", _server()).text.split()


def methods():
    return _run("--list-methods", _server()).text.split()


def _server():
    """The address, with TLS where SERVER_CA names the authority of its certificate."""
    return f"http{'s' if 'SERVER_CA' in os.environ else ''}://{os.environ['SERVER']}"


def _run(*arguments):
    authority = os.environ.get("SERVER_CA")
    transport = ["--cacert", authority] if authority else ["--http2-prior-knowledge"]
    command = [BUF, "curl", *transport, "--protocol", "grpc", *arguments]
    return Answer(subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE))
