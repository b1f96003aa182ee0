"""The service of examples/fastapi, as it stands there, with tokens of the real auth-service."""

import asyncio
import importlib.util
import os
import time
import unittest
from pathlib import Path

from stranger import Stranger

MAIN = Path(__file__).resolve().parents[3] / "examples" / "fastapi" / "main.py"


class FastApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["BETTER_AUTH_SECRET"] = Path(os.environ["SECRET_FILE"]).read_text().strip()
        os.environ["BETTER_AUTH_URL"] = "http://localhost:8000"
        spec = importlib.util.spec_from_file_location("fastapi_example", MAIN)
        example = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(example)
        cls.app = example.app
        server = Stranger(os.environ["SERVER"])
        cls.addClassCleanup(server.close)
        ada = server.call("auth.v1.AuthService", "SignUp", name="ada", password="correct horse",
                          email=f"fastapi.{time.time_ns()}@example.com")
        cls.user, cls.token = ada.user.id, ada.access_token.token

    def status(self, path, token):
        """The status of one request, by ASGI: no port and no client library."""
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
                 "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
                 "root_path": "", "query_string": b"", "headers": headers,
                 "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 9000)}
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return sent[0]["status"]

    def test_the_users_own_path_is_served(self):
        self.assertEqual(self.status(f"/api/{self.user}/notes", self.token), 200)

    def test_another_users_path_is_refused(self):
        self.assertEqual(self.status("/api/bob/notes", self.token), 403)

    def test_a_missing_or_changed_token_is_refused(self):
        head, claims, signature = self.token.split(".")
        changed = signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB")
        unsigned = "eyJhbGciOiJub25lIn0"
        for token in [None, f"{head}.{claims}.{changed}", f"{unsigned}.{claims}.", "x"]:
            self.assertEqual(self.status(f"/api/{self.user}/notes", token), 401, token)
