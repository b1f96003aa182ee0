"""What drills have in common: processes of their own, databases of their own, callers that
choose the local address they come from, and percentiles."""

import asyncio
import base64
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/standalone"
LISTENING = re.compile(r"listening.*grpc[^ ]*=(127\.0\.0\.1:\d+).*http[^ ]*=(127\.0\.0\.1:\d+)")
START_PATIENCE = 30
STOP_PATIENCE = 30
PSQL = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]


class Server:
    """A standalone at work."""

    def __init__(self, child, log, grpc, http):
        self.child, self.log, self.grpc, self.http = child, log, grpc, http

    def count(self, words):
        """How many of its log lines have these words."""
        return self.log.read_text().count(words)

    def cpu_seconds(self):
        """What it has used of all cores."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        """The most memory it ever had."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


@contextmanager
def server(binary, **settings):
    """A server that lives as long as the block, with data of its own."""
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        log = Path(folder) / "log"
        environment = {"GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0",
                       **settings}
        child = spawn(binary, folder, log, environment)
        try:
            yield Server(child, log, *listening(child, log))
        finally:
            stop(child)


def stop(child, patience=STOP_PATIENCE):
    """Ends a process, by force where it does not end in time."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def spawn(binary, folder, log, environment):
    """A process with no environment but this and PATH, which logs to a file."""
    with open(log, "wb") as out:
        return subprocess.Popen([binary.resolve()], cwd=folder, stdin=subprocess.DEVNULL,
                                env={"PATH": os.environ["PATH"], **environment},
                                stdout=out, stderr=out)


def ports(log):
    """Where it listens, for gRPC and for HTTP; None before it does."""
    found = LISTENING.search(log.read_text())
    return found and (found[1], found[2])


def listening(child, log):
    """Waits for its ports."""
    started = time.monotonic()
    while time.monotonic() - started < START_PATIENCE and child.poll() is None:
        if found := ports(log):
            return found
        time.sleep(0.01)
    raise SystemExit(f"{Path(child.args[0]).name} did not start:\n{log.read_text()}")


def psql(server, statement):
    """Has a PostgreSQL server do this."""
    subprocess.run([*PSQL, "-d", server, "-c", statement], check=True, timeout=START_PATIENCE)


def sign_up(address, email, password, source="127.0.0.1"):
    """An account; the answer's headers."""
    connection = http.client.HTTPConnection(address, timeout=20, source_address=(source, 0))
    body = json.dumps({"name": "Drill", "email": email, "password": password})
    connection.request("POST", "/api/auth/sign-up/email", body,
                       {"content-type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    connection.close()
    if response.status != 200:
        raise SystemExit(f"sign-up answered {response.status}: {text}")
    return response.headers


def subject(token):
    """Whose token it is: its claims are read, not verified."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]


class Caller:
    """One connection that is opened again where the server closes it."""

    def __init__(self, address, source="127.0.0.1", tls=None):
        host, port = address.rsplit(":", 1)
        self.address, self.source, self.streams = (host, int(port)), (source, 0), None
        self.tls = tls

    async def ask(self, method, path, headers=(), body=b""):
        """The status, the headers and the body of the answer."""
        if self.streams is None or self.streams[0].at_eof():  # idle for too long
            self.close()
            self.streams = await asyncio.open_connection(
                *self.address, local_addr=self.source, ssl=self.tls)
        reader, writer = self.streams
        head = [f"{method} {path} HTTP/1.1", f"host: {self.address[0]}",
                f"content-length: {len(body)}", *headers]
        try:
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + body)
            text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            lines = text.split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            if fields.get("transfer-encoding") == "chunked":
                content = await _chunks(reader)
            else:
                content = await reader.readexactly(int(fields.get("content-length", 0)))
        except BaseException:
            self.close()
            raise
        if fields.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), fields, content

    async def sign_in(self, email, password, headers=()):
        """Over HTTP; the status."""
        body = json.dumps({"email": email, "password": password}).encode()
        headers = ["content-type: application/json", *headers]
        return (await self.ask("POST", "/api/auth/sign-in/email", headers, body))[0]

    async def sign_in_grpc(self, email, password, headers=()):
        """Over gRPC (as gRPC-Web, in HTTP/1.1); the HTTP status that means the same."""
        fields = b"".join(bytes([number << 3 | 2, len(text)]) + text for number, text in
                          ((1, email.encode()), (2, password.encode())))
        frame = b"\0" + len(fields).to_bytes(4, "big") + fields
        headers = ["content-type: application/grpc-web+proto", *headers]
        _, heads, body = await self.ask("POST", "/auth.v1.AuthService/SignIn", headers, frame)
        trailer = re.search(rb"grpc-status: ?(\d+)", body)
        code = heads.get("grpc-status") or (trailer and trailer[1].decode())
        return {"0": 200, "3": 400, "8": 429, "14": 503, "16": 401}.get(code, code)

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None


async def _chunks(reader):
    content = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        content += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return content


def percentile(ordered, percent):
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
