#!/usr/bin/env python3
"""Rotates the secret of two auth-services and two task-services under load, one replica after
the other, in the four steps of docs/rotation.md; then ends the sessions of one user, and of all.
Fails unless no good token or cookie is refused on the way, every token of the old secret is
refused after the last step, and every replica refuses at once what has ended."""

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import drill

URL = "http://localhost:3000"
PATIENCE = 30.0
LEEWAY = 1
COOKIE = "better-auth.session_token"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True, metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--postgres", metavar="URL",
                        default="postgres://postgres@127.0.0.1:5432/postgres",
                        help="a server on which databases may be made; needs psql")
    parser.add_argument("--rate", type=float, default=100, help="requests per second")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--token-life", type=int, default=8, metavar="S",
                        help="ACCESS_TOKEN_TTL: how long a step waits for old tokens to go")
    parser.add_argument("--settle", type=float, default=2, metavar="S",
                        help="how long the load goes on after each step")
    return parser.parse_args()


class Replica:
    """One process of a service, started again with other secrets."""

    def __init__(self, binary, folder, number, settings):
        self.binary, self.folder, self.number, self.settings = binary, folder, number, settings
        self.child, self.address, self.starts = None, None, 0
        self.is_ready = False  # as /health reports to balancers

    async def start(self, keys):
        self.starts += 1
        log = self.folder / f"{self.binary.name}-{self.number}-{self.starts}"
        environment = {
            "BETTER_AUTH_SECRETS": keys, "BETTER_AUTH_URL": URL, "JWT_LEEWAY": str(LEEWAY),
            "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": self.address or "127.0.0.1:0",
            "LAME_DUCK": "2", "DATABASE_MAX_CONNECTIONS": "4", "ATTEMPT_LIMITS": "off",
            **self.settings}
        self.child = drill.spawn(self.binary, self.folder, log, environment)
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE and self.child.poll() is None:
            if found := drill.ports(log):
                self.address, self.is_ready = found[1], True
                return
            await asyncio.sleep(0.05)
        raise SystemExit(f"{self.binary.name} did not start:\n{log.read_text()}")

    async def stop(self):
        """As an orchestrator stops it: the signal, and time to finish."""
        self.child.send_signal(signal.SIGTERM)
        while self.child.poll() is None:
            await self.look()
            await asyncio.sleep(0.1)
        self.is_ready = False
        if self.child.returncode:
            raise SystemExit(f"{self.binary.name} ended with {self.child.returncode}")

    async def look(self):
        """What a balancer does all the time, and has to do while it stops."""
        try:
            self.is_ready = (await exchange(self.address, "GET", "/health"))[0] == 200
        except OSError:
            self.is_ready = False

    def kill(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


class Spread:
    """A balancer in front of several replicas: each request goes to the next one that is ready,
    and once more only where the connection is refused."""

    def __init__(self, replicas):
        self.replicas, self.turn, self.refused = replicas, 0, 0

    async def ask(self, request, only=None):
        for _ in range(50):
            self.turn += 1
            ready = [replica for replica in self.replicas if replica.is_ready]
            if not (only or ready):
                break
            replica = only or ready[self.turn % len(ready)]
            try:
                return await exchange(replica.address, *request)
            except ConnectionRefusedError:
                self.refused += 1
                await asyncio.sleep(0.02)
        raise OSError("no replica takes connections")


async def exchange(address, method, path, headers=None, body=None):
    """One request over a connection of its own: status, headers as a list, JSON."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        lines = [f"{method} {path} HTTP/1.1", f"host: {address}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        payload = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            lines += ["content-type: application/json", f"content-length: {len(payload)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + payload)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    if not head:
        raise OSError("the connection broke off")
    first, *fields = head.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in fields]
    chunked = any(name.lower() == "transfer-encoding" for name, _ in fields)
    text = unchunked(content) if chunked else content
    return int(first.split()[1]), fields, json.loads(text) if text.strip() else None


def unchunked(content):
    whole = b""
    while content:
        size, _, rest = content.partition(b"\r\n")
        size = int(size, 16)
        if not size:
            break
        whole, content = whole + rest[:size], rest[size + 2:]
    return whole


class User:
    """A user with a session token, a signed cookie and an access token."""

    def __init__(self, user, session, cookie, token):
        self.id, self.session, self.cookie = user, session, cookie
        self.token, self.made = token, time.monotonic()
        self.renewed = 0

    def bearer(self):
        return {"authorization": f"Bearer {self.session}"}

    def with_cookie(self):
        return {"cookie": f"{COOKIE}={self.cookie}"}

    def keep(self, fields):
        """What a browser does with `set-cookie`."""
        if cookie := set_cookie(fields):
            self.renewed += cookie != self.cookie
            self.cookie = cookie


def set_cookie(fields):
    for name, value in fields:
        if name.lower() == "set-cookie" and value.startswith(f"{COOKIE}="):
            return value.split(";")[0].split("=", 1)[1]
    return None


async def sign_up(auth):
    name = secrets.token_hex(8)
    body = {"name": name, "email": f"{name}@drill.example", "password": secrets.token_hex(12)}
    status, fields, answer = await auth.ask(("POST", "/api/auth/sign-up/email", {}, body))
    if status != 200:
        sys.exit(f"sign-up answered {status}: {answer}")
    token = next(value for name, value in fields if name.lower() == "set-auth-jwt")
    return User(answer["user"]["id"], answer["token"], set_cookie(fields), token)


class Load:
    """Token by bearer, token by cookie, task list, session look-up: by turns."""

    def __init__(self, options, auth, tasks, users):
        self.options, self.auth, self.tasks, self.users = options, auth, tasks, users
        self.answers, self.faults, self.times, self.over = {}, [], [], False

    async def run(self):
        begun, asked = time.monotonic(), []
        while not self.over:
            asked.append(asyncio.create_task(self.one(len(asked))))
            await asyncio.sleep(max(0, begun + len(asked) / self.options.rate - time.monotonic()))
        await asyncio.gather(*asked)
        return len(asked) / (time.monotonic() - begun)

    async def one(self, number):
        user = self.users[number % len(self.users)]
        what = ("token by bearer", "tasks", "token by cookie", "tasks", "session")[
            (number // len(self.users)) % 5]
        started = time.monotonic()
        try:
            if what == "tasks":
                if time.monotonic() - user.made > self.options.token_life / 2:
                    await self.fetch(user, user.bearer(), "token by bearer")
                request = ("GET", f"/api/{user.id}/tasks",
                           {"authorization": f"Bearer {user.token}"})
                self.count(what, (await self.tasks.ask(request))[0])
            elif what == "session":
                request = ("GET", "/api/auth/get-session", user.with_cookie())
                status, fields, answer = await self.auth.ask(request)
                self.count(what, status if answer else 401)
                user.keep(fields)
            else:
                by_cookie = what == "token by cookie"
                await self.fetch(user, user.with_cookie() if by_cookie else user.bearer(), what)
        except (OSError, ValueError, asyncio.TimeoutError) as fault:
            self.faults.append(f"{what}: {fault!r}")
        self.times.append(time.monotonic() - started)

    async def fetch(self, user, headers, what):
        asked = time.monotonic()
        status, fields, answer = await self.auth.ask(("GET", "/api/auth/token", headers))
        self.count(what, status)
        user.keep(fields)
        if status == 200:
            user.token, user.made = answer["token"], asked

    def count(self, what, status):
        self.answers[(what, status)] = self.answers.get((what, status), 0) + 1
        if status != 200:
            self.faults.append(f"{what}: answered {status}")


async def roll(replicas, keys):
    for replica in replicas:
        await replica.stop()
        await replica.start(keys)


async def refused(replicas, requests):
    """Of these requests to each replica, how many are answered as of no user."""
    way = Spread([])
    answers = await asyncio.gather(*(way.ask(request, only=replica)
                                     for replica in replicas for request in requests))
    total = sum(status == 401 or (status == 200 and answer is None)
                for status, _, answer in answers)
    return total, len(answers)


def sessions_end(options, database, *arguments):
    binary = options.binaries.resolve() / "auth-service"
    ended = subprocess.run([binary, "sessions", "end", *arguments], env={"DATABASE_URL": database},
                           capture_output=True, text=True, timeout=PATIENCE)
    if ended.returncode:
        sys.exit(f"sessions end failed: {ended.stderr}")
    return ended.stdout.strip()


async def rotate(options, auth, tasks, database):
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    for replica in auth + tasks:
        await replica.start(f"1:{old}")
    users = [await sign_up(Spread(auth)) for _ in range(options.users)]
    idle = users.pop()  # does nothing until the last step
    load = Load(options, Spread(auth), Spread(tasks), users)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(options.settle)
    wait = options.token_life + LEEWAY + 1
    steps = [("1 the new one verifies everywhere", auth + tasks, f"1:{old},2:{new}", 0),
             ("2 the new one signs", auth + tasks, f"2:{new},1:{old}", 0),
             (f"3 what the old one signed runs out ({wait} s)", [], "", wait),
             ("4 the old one is gone", auth + tasks, f"2:{new}", 0)]
    of_old_secret = None
    for name, replicas, keys, pause in steps:
        began = time.monotonic()
        if name.startswith("2"):
            of_old_secret = [(user.id, user.token) for user in users]
        await roll(replicas, keys)
        await asyncio.sleep(pause + options.settle)
        print(f"step {name}: {time.monotonic() - began:.1f} s, faults so far {len(load.faults)}",
              flush=True)
    load.over = True
    rate = await running
    faults = report(load, rate, users)

    # Fresh ones, whose time alone would let them in: only the secret speaks against them.
    forged = [("GET", f"/api/{user.id}/tasks",
               {"authorization": f"Bearer {mint(options, old, user.id)}"}) for user in users]
    kept = [("GET", f"/api/{user}/tasks", {"authorization": f"Bearer {token}"})
            for user, token in of_old_secret]
    cookies = [("GET", "/api/auth/get-session", idle.with_cookie())]
    for what, replicas, requests in (("fresh tokens of the old secret", tasks, forged),
                                     ("tokens issued before the rotation", tasks, kept),
                                     ("cookies of the old secret, unused since", auth, cookies)):
        faults += all_refused(what, *await refused(replicas, requests))
    status, _, _ = await exchange(auth[0].address, "GET", "/api/auth/token", idle.bearer())
    print(f"the session token itself, unused since: {status}")
    faults += [] if status == 200 else ["a session token depends on the secret"]
    return faults + await revocation(options, auth, users, load, database)


async def revocation(options, auth, users, load, database):
    """Under load: one user's sessions, then those of all."""
    faults = []
    load.over, load.faults = False, []
    gone = users.pop(0)
    running = asyncio.create_task(load.run())
    for who, arguments, ended in ((f"of one user", ["--user", gone.id], [gone]),
                                  ("of all", ["--all", "--yes"], users + [gone])):
        await asyncio.sleep(1)
        if who == "of all":  # from here on the load is refused, as it should be
            before = list(load.faults)
        print(f"end sessions {who}: {sessions_end(options, database, *arguments)}", end="; ")
        since = time.monotonic()
        requests = [("GET", "/api/auth/get-session", headers)
                    for user in ended for headers in (user.bearer(), user.with_cookie())]
        found = await refused(auth, requests)
        took = time.monotonic() - since
        print(f"asked at once, answered within {took * 1e3:.0f} ms")
        faults += all_refused(f"session tokens and cookies {who}", *found)
    load.over = True
    await running
    print(f"refused of the others, before all were ended: {len(before)}")
    return faults + [f"while one user's ended: {fault}" for fault in before[:3]]


def all_refused(what, found, asked):
    print(f"{what}: {found} of {asked} refused")
    return [] if found == asked else [f"{asked - found} of {asked} {what} were taken"]


def mint(options, secret, user):
    binary = options.binaries.resolve() / "auth-service"
    environment = {"BETTER_AUTH_SECRET": secret, "BETTER_AUTH_URL": URL}
    minted = subprocess.run([binary, "token", "--user-id", user], env=environment,
                            capture_output=True, text=True, check=True, timeout=PATIENCE)
    return minted.stdout.strip()


def report(load, rate, users):
    times = sorted(load.times)
    answers = ", ".join(f"{what} {status}: {count}"
                        for (what, status), count in sorted(load.answers.items()))
    print(f"{len(times)} requests, {rate:.0f}/s: {answers}")
    p50, p99 = (drill.percentile(times, percent) * 1e3 for percent in (50, 99))
    print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; "
          f"connections refused and made elsewhere: {load.auth.refused + load.tasks.refused}; "
          f"users whose cookie was signed anew: {sum(user.renewed > 0 for user in users)} of "
          f"{len(users)}")
    false = sum(count for (_, status), count in load.answers.items() if status in (401, 403))
    print(f"false refusals: {false}; other faults: {len(load.faults) - false}")
    faults = [f"in the rotation: {fault}" for fault in load.faults[:5]]
    if any(user.renewed == 0 for user in users):
        faults.append("a cookie in use was not signed anew")
    return faults


def main():
    options = arguments()
    place, _ = options.postgres.rsplit("/", 1)
    names = [f"rotation_{os.getpid()}_{what}" for what in ("auth", "tasks")]
    databases = [f"{place}/{name}" for name in names]
    replicas = []
    with tempfile.TemporaryDirectory(prefix="rotation-") as folder:
        try:
            for name in names:
                drill.psql(options.postgres, f"CREATE DATABASE {name}")
            for binary, database in zip(("auth-service", "task-service"), databases):
                settings = {"DATABASE_URL": database}
                if binary == "auth-service":
                    settings |= {"ACCESS_TOKEN_TTL": str(options.token_life),
                                 "TASK_SERVICE_URL": "off"}
                path = options.binaries.resolve() / binary
                replicas += [Replica(path, Path(folder), number, settings) for number in (1, 2)]
            faults = asyncio.run(rotate(options, replicas[:2], replicas[2:], databases[0]))
        finally:
            for replica in replicas:
                replica.kill()
            for name in names:
                drill.psql(options.postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
