#!/usr/bin/env python3
"""Holds many connections that send their request a byte at a time and never finish it, and
asks beside them as a normal caller does. Fails unless every normal request is answered with
200 and soon, and every slow connection is ended in time. Slow ones that end are opened
anew, so that there are always as many."""

import argparse
import asyncio
import base64
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from drill import stop

TASKS = 20
START_PATIENCE = 20.0
STOP_PATIENCE = 20.0
LISTENING = re.compile(r"listening[^\n]*http=(127\.0\.0\.1:\d+)")

# One address has too many requests in progress: the end of this one, and a reason to wait.
TOO_MANY = 429

# Longer than any run, so that no request is ever complete.
ENDLESS = 10_000


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    server = parser.add_mutually_exclusive_group(required=True)
    server.add_argument("--http", metavar="HOST:PORT", help="the HTTP port of a running server")
    server.add_argument("--binary", type=Path, help="the standalone server, to be started here")
    parser.add_argument("--token", help="an access token; without it a new account is made, "
                        "for which auth-service must be on the same port")
    parser.add_argument("--slow-body", action="store_true",
                        help="send the headers at once and the body slowly")
    parser.add_argument("--slow-from", metavar="ADDRESS", default=None,
                        help="the local address that slow connections come from; unset: with "
                        "--slow-body 127.0.0.2, since a request whose headers are there is one of "
                        "the 256 an address may have in progress, else that of the normal ones")
    parser.add_argument("--connections", type=int, default=100, help="slow ones; a server "
                        "takes 128 connections of one address, and closes idle ones for more")
    parser.add_argument("--seconds", type=float, default=60, help="length of the run")
    parser.add_argument("--pause", type=float, default=1, help="seconds between two slow bytes")
    parser.add_argument("--rate", type=float, default=20, help="normal requests per second")
    parser.add_argument("--closed-within", type=float, default=15, metavar="S",
                        help="the longest a slow connection may live")
    parser.add_argument("--p99", type=float, default=100, metavar="MS",
                        help="the most that 99 of 100 normal requests may take")
    options = parser.parse_args()
    if options.slow_body and options.slow_from is None:
        options.slow_from = "127.0.0.2"
    return options


class Slow:
    """The slow connections, and how each of them ended."""

    def __init__(self, options, address, head, trickle):
        self.options, self.address, self.head, self.trickle = options, address, head, trickle
        self.born = {}  # of those that are open, by their number
        self.lives, self.answers, self.refused = [], {}, 0

    async def keep_open(self, number, end):
        """One after the other, for as long as the run lasts."""
        source = self.options.slow_from and (self.options.slow_from, 0)
        while time.monotonic() < end:
            try:
                reader, writer = await asyncio.open_connection(*self.address, local_addr=source)
            except OSError:
                self.refused += 1
                await asyncio.sleep(self.options.pause)
                continue
            born = self.born[number] = time.monotonic()
            sending = asyncio.create_task(self._send(writer))
            try:
                status = await asyncio.wait_for(self._heard(reader), max(0, end - born))
            except TimeoutError:
                return  # the run is over; its age is still in `born`
            finally:
                sending.cancel()
                writer.close()
            del self.born[number]
            self.lives.append(time.monotonic() - born)
            self.answers[status] = self.answers.get(status, 0) + 1
            if status == TOO_MANY:
                await asyncio.sleep(self.options.pause)

    async def _send(self, writer):
        try:
            writer.write(self.head)
            for byte in self.trickle:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self.options.pause)
        except OSError:
            pass  # the reading side sees the end and tells of it

    async def _heard(self, reader):
        """What ended it: the status of an answer, or the bare end of the connection."""
        try:
            line = await reader.readline()
        except OSError:
            line = b""
        return int(line.split()[1]) if line.startswith(b"HTTP/") else "no answer"


class Normal:
    """Requests that a user would make: by turns on a new connection and on one kept alive."""

    def __init__(self, address, request):
        self.address, self.request = address, request
        self.times, self.faults, self.asked = [], [], 0
        self._kept, self._turn = None, asyncio.Lock()

    async def ask(self, number):
        self.asked += 1
        started = time.monotonic()
        try:
            if number % 2:
                status = await self._once(await asyncio.open_connection(*self.address))
            else:
                async with self._turn:
                    self._kept = self._kept or await asyncio.open_connection(*self.address)
                    status = await self._exchange(*self._kept)
        except (OSError, EOFError, ValueError) as fault:
            self._kept = self._kept if number % 2 else None
            self.faults.append(f"{'new' if number % 2 else 'kept'} connection: {fault!r}")
            return
        self.times.append((time.monotonic() - started) * 1e3)
        if status != 200:
            self.faults.append(f"answered {status}")

    async def _once(self, streams):
        try:
            return await self._exchange(*streams)
        finally:
            streams[1].close()

    async def _exchange(self, reader, writer):
        writer.write(self.request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        return int(head.split()[1])

    def close(self):
        if self._kept:
            self._kept[1].close()


async def drill(options, address, token):
    """Runs both side by side; tells what is wrong, one line each."""
    host, port = address.rsplit(":", 1)
    path = f"/api/{subject(token)}/tasks"
    fields = f"host: {address}\r\nauthorization: Bearer {token}\r\n"
    if options.slow_body:
        head = (f"POST {path} HTTP/1.1\r\n{fields}content-type: application/json\r\n"
                f"content-length: {ENDLESS}\r\n\r\n").encode()
        trickle = b'{"title":"' + b"a" * ENDLESS
    else:
        head, trickle = b"", f"GET {path} HTTP/1.1\r\n{fields}x-slow: ".encode() + b"a" * ENDLESS
    slow = Slow(options, (host, int(port)), head, trickle)
    normal = Normal((host, int(port)), f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    begun = time.monotonic()
    end = begun + options.seconds
    held = [asyncio.create_task(slow.keep_open(number, end))
            for number in range(options.connections)]
    asked = []
    while time.monotonic() < end:
        # By the clock, not one after the other: a server that stalls is asked all the same.
        asked.append(asyncio.create_task(normal.ask(len(asked))))
        await asyncio.sleep(max(0, begun + len(asked) / options.rate - time.monotonic()))
    await asyncio.wait(asked, timeout=10)
    await asyncio.gather(*held)
    normal.close()
    return judge(options, slow, normal, end)


def judge(options, slow, normal, end):
    times, lives = sorted(normal.times), sorted(slow.lives)
    good = len(times) - sum(fault.startswith("answered") for fault in normal.faults)
    p99 = percentile(times, 99)
    print(f"normal requests: {good} of {normal.asked} answered with 200; "
          f"p50 {percentile(times, 50):.1f} ms, p99 {p99:.1f} ms, "
          f"most {percentile(times, 100):.1f} ms")
    ended = ", ".join(f"{status}: {count}" for status, count in slow.answers.items())
    print(f"slow connections: {options.connections} at a time, {len(lives)} ended by the server"
          + (f" after {lives[0]:.1f} s at the least, {statistics.median(lives):.1f} in the "
             f"middle, {lives[-1]:.1f} at the most ({ended})" if lives else ""))
    faults = [f"normal request: {fault}" for fault in normal.faults[:5]]
    if good < normal.asked:
        faults.append(f"{normal.asked - good} normal requests were not answered with 200")
    if not p99 <= options.p99:
        faults.append(f"p99 is {p99:.1f} ms, over {options.p99:g}")
    old = [end - born for born in slow.born.values() if end - born > options.closed_within]
    late = old + [life for life in lives if life > options.closed_within]
    if late:
        faults.append(f"{len(late)} slow connections lived for over "
                      f"{options.closed_within:g} s, {len(old)} of them still do")
    if not lives:
        faults.append("no slow connection was ended")
    if slow.refused:
        faults.append(f"{slow.refused} slow connections could not be opened")
    return faults


def percentile(ordered, percent):
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def subject(token):
    """Whose token it is: its claims are read, not verified."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]


def post(address, path, body, token=None):
    """The answer's headers; anything but 200 and 201 ends the run."""
    connection = http.client.HTTPConnection(address, timeout=20)
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    connection.request("POST", path, json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    connection.close()
    if response.status not in (200, 201):
        sys.exit(f"POST {path} answered {response.status}: {text}")
    return response.headers


def new_account(address):
    """Its access token."""
    name = os.urandom(8).hex()
    body = {"name": name, "email": f"{name}@drill.example", "password": os.urandom(12).hex()}
    return post(address, "/api/auth/sign-up/email", body)["set-auth-jwt"]


@contextmanager
def server(options):
    """The address of the given server, or of one that lives as long as the run."""
    if options.http:
        yield options.http
        return
    with tempfile.TemporaryDirectory(prefix="slow-headers-") as folder:
        log = Path(folder) / "log"
        environment = {"PATH": os.environ["PATH"], "GRPC_ADDR": "127.0.0.1:0",
                       "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0"}
        with open(log, "wb") as out:
            child = subprocess.Popen([options.binary.resolve()], cwd=folder, env=environment,
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield listening(child, log)
        finally:
            stop(child, STOP_PATIENCE)


def listening(child, log):
    started = time.monotonic()
    while time.monotonic() - started < START_PATIENCE and child.poll() is None:
        found = LISTENING.search(log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise SystemExit(f"the server did not start:\n{log.read_text()}")


def main():
    options = arguments()
    with server(options) as address:
        token = options.token or new_account(address)
        for _ in range(TASKS):
            post(address, f"/api/{subject(token)}/tasks", {"title": "Water the plants"}, token)
        faults = asyncio.run(drill(options, address, token))
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
