#!/usr/bin/env python3
"""Runs two auth-services and two task-services behind a PgBouncer of its own, in session and in
transaction mode, with fewer sessions than the services have connections and no settings for them.
One task-service listens at the server itself (DATABASE_LISTEN_URL), the other one polls.

Fails unless every call succeeds, every watch receives every change that the other replica makes,
`doctor` finds no fault, and the limits of statements hold."""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import drill

URL = "http://localhost:3000"
SECRET = os.urandom(24).hex()
PATIENCE = 30.0
POLLS = "changes of other replicas are polled for"
FOUND = "a pooler is in front"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=Path("target/debug"), metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--postgres", default=os.environ.get(
        "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
        help="a server for databases of the drill's own; psql must be installed")
    parser.add_argument("--pgbouncer", default=shutil.which(
        "pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"), help="the program")
    parser.add_argument("--mode", choices=["session", "transaction"], action="append",
                        help="only this one")
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--at-once", type=int, default=12, help="calls in flight")
    parser.add_argument("--watches", type=int, default=4)
    parser.add_argument("--within", type=float, default=20, metavar="S",
                        help="the longest until a watch has received a change")
    return parser.parse_args()


@contextmanager
def databases(server, names):
    """Databases of the drill's own: their names."""
    own = [f"drill_{os.getpid()}_{name}" for name in names]
    try:
        for name in own:
            drill.psql(server, f"CREATE DATABASE {name}")
        yield own
    finally:
        for name in own:
            drill.psql(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def pgbouncer(options, mode, folder):
    """The port of a PgBouncer with the settings of its package, and a small pool."""
    server = urlsplit(options.postgres)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    password = f" password={server.password}" if server.password else ""
    # In session mode each connection of the services keeps one; in transaction mode few are enough.
    size = 40 if mode == "session" else 4
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={server.hostname} port={server.port or 5432} "
        f"user={server.username}{password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        f"default_pool_size = {size}\nmax_client_conn = 200\n")
    folder.chmod(0o755)
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to be root
    with open(folder / "pgbouncer.log", "wb") as log:
        child = subprocess.Popen([options.pgbouncer, settings], stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log, **user)
    try:
        started = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if child.poll() is not None or time.monotonic() - started > PATIENCE:
                    raise SystemExit((folder / "pgbouncer.log").read_text()) from None
                time.sleep(0.05)
        yield port
    finally:
        drill.stop(child, PATIENCE)


def environment(database, **more):
    return {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_URL": URL, "DATABASE_URL": database,
            "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0",
            "ATTEMPT_LIMITS": "off", "REQUEST_TIMEOUT": "30s", "DATABASE_MAX_CONNECTIONS": "6",
            **more}


@contextmanager
def service(options, folder, name, number, settings):
    """A service: its HTTP address and its log."""
    log = folder / f"{name}-{number}.log"
    child = drill.spawn(options.binaries / name, folder, log, settings)
    try:
        yield drill.listening(child, log)[1], log
    finally:
        drill.stop(child)


def doctor(options, folder, name, settings):
    """The faults that `doctor` finds."""
    command = [(options.binaries / name).resolve(), "doctor"]
    done = subprocess.run(command, cwd=folder, env={"PATH": os.environ["PATH"], **settings},
                          capture_output=True, text=True, timeout=PATIENCE)
    shown = done.stdout + done.stderr
    return [] if done.returncode == 0 else [f"doctor of {name}:\n{shown}"]


class Watch:
    """A watch of one user, and the titles that it received."""

    def __init__(self, address, user, token):
        self.address, self.user, self.token = address, user, token
        self.received, self.made = b"", set()

    async def open(self):
        host, port = self.address.rsplit(":", 1)
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        self.writer.write(f"GET /api/{self.user}/tasks/watch HTTP/1.1\r\nhost: drill\r\n"
                          f"authorization: Bearer {self.token}\r\n\r\n".encode())
        status = int((await self.reader.readuntil(b"\r\n")).split()[1])
        if status != 200:
            raise SystemExit(f"a watch was answered with {status}")
        self.task = asyncio.create_task(self.read())

    async def read(self):
        while piece := await self.reader.read(65536):
            self.received += piece

    def missed(self):
        return [title for title in self.made if title.encode() not in self.received]

    async def close(self):
        self.task.cancel()
        self.writer.close()


class Load:
    """Mixed calls of both services, each to the next replica; the counts of their answers."""

    def __init__(self, auths, tasks, accounts):
        self.auths, self.tasks, self.accounts = auths, tasks, accounts
        self.failed, self.answers = [], {}

    async def call(self, caller, method, path, body=None, token=None, expected=200, more=()):
        headers = ["content-type: application/json", f"origin: {URL}", *more]
        if token:
            headers.append(f"authorization: Bearer {token}")
        payload = b"" if body is None else json.dumps(body).encode()
        try:
            status, _, content = await caller.ask(method, path, headers, payload)
        except (OSError, EOFError) as fault:
            status, content = repr(fault), b""
        self.answers[status] = self.answers.get(status, 0) + 1
        if status != expected:
            self.failed.append(f"{method} {path}: {status} {content[:200]}")
            return None
        return json.loads(content) if content else {}

    async def last(self, account, other):
        """A change at the replica where the account has no watch."""
        title = f"last {secrets.token_hex(8)}"
        await self.call(other, "POST", f"/api/{account['id']}/tasks", {"title": title},
                        account["token"], 201)
        account["watch"].made.add(title)
        other.close()

    async def run(self, share, number):
        auths = [drill.Caller(address) for address in self.auths]
        tasks = [drill.Caller(address) for address in self.tasks]
        for turn in range(share):
            account = self.accounts[(number + turn) % len(self.accounts)]
            auth, task = auths[turn % 2], tasks[(turn // 8) % 2]
            path, token = f"/api/{account['id']}/tasks", account["token"]
            kind = turn % 8
            if kind == 0:
                await self.call(auth, "GET", "/api/auth/get-session", token=account["session"])
            elif kind == 1:
                await self.call(auth, "GET", "/api/auth/token", token=account["session"])
            elif kind == 2:
                name = secrets.token_hex(4)
                await self.call(auth, "POST", "/api/auth/update-user", {"name": name},
                                token=account["session"])
            elif kind == 3:
                title = f"made {secrets.token_hex(8)}"
                made = await self.call(task, "POST", path, {"title": title, "tags": ["a"]}, token,
                                       201, [f"idempotency-key: {secrets.token_hex(8)}"])
                if made:
                    account["last"] = made["id"]
                    account["watch"].made.add(title)
            elif kind == 4:
                await self.call(task, "GET", f"{path}?page_size=20", token=token)
            elif kind == 5:
                await self.call(task, "GET", f"{path}?text=made", token=token)
            elif kind == 6 and "last" in account:
                await self.call(task, "PATCH", f"{path}/{account['last']}",
                                {"description": secrets.token_hex(4)}, token)
            else:
                await self.call(task, "GET", f"{path}/counts", token=token)
        for caller in [*auths, *tasks]:
            caller.close()


async def drive(options, auths, tasks):
    load = Load(auths, tasks, [])
    for number in range(options.watches):
        headers = drill.sign_up(auths[number % 2], f"{secrets.token_hex(8)}@drill.example",
                                secrets.token_hex(12))
        token = headers["set-auth-jwt"]
        account = {"id": drill.subject(token), "token": token,
                   "session": headers["set-auth-token"]}
        account["watch"] = Watch(tasks[number % 2], account["id"], token)
        await account["watch"].open()
        load.accounts.append(account)
    share = -(-options.calls // options.at_once)
    began = time.monotonic()
    await asyncio.gather(*[load.run(share, number) for number in range(options.at_once)])
    for number, account in enumerate(load.accounts):
        await load.last(account, drill.Caller(tasks[(number + 1) % 2]))
    took, end = time.monotonic() - began, time.monotonic() + options.within
    watches = [account["watch"] for account in load.accounts]
    while any(watch.missed() for watch in watches) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    late = time.monotonic() - began - took
    missed = sum(len(watch.missed()) for watch in watches)
    made = sum(len(watch.made) for watch in watches)
    for watch in watches:
        await watch.close()
    return load, took, made, missed, late


def play(options, mode):
    faults = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        auth, task = stack.enter_context(databases(options.postgres, ["auth", "tasks"]))
        port = stack.enter_context(pgbouncer(options, mode, folder))
        behind = lambda name: f"postgres://drill@127.0.0.1:{port}/{name}"
        direct = urlsplit(options.postgres)._replace(path=f"/{task}").geturl()
        settings = {"auth-service": environment(behind(auth), TASK_SERVICE_URL="off"),
                    "task-service": environment(behind(task))}
        auths, tasks, logs = [], [], []
        for number, more in enumerate([{"DATABASE_LISTEN_URL": direct}, {}]):
            for name, addresses in (("auth-service", auths), ("task-service", tasks)):
                own = {**settings[name], **(more if name == "task-service" else {})}
                address, log = stack.enter_context(service(options, folder, name, number, own))
                addresses.append(address)
                logs.append(log)
        load, took, made, missed, late = asyncio.run(drive(options, auths, tasks))
        for name in settings:
            faults += doctor(options, folder, name, settings[name])
        texts = [log.read_text() for log in logs]
        polls, found = [[text.count(words) for text in texts] for words in (POLLS, FOUND)]
        troubles = [line for text in texts for line in text.splitlines()
                    if " WARN " in line and POLLS not in line or " ERROR " in line]
    print(f"{mode}: {sum(load.answers.values())} calls in {took:.1f} s: {load.answers}; "
          f"{options.watches} watches received {made - missed} of {made} changes, the last "
          f"{late:.1f} s later", flush=True)
    if load.failed:
        faults.append(f"{len(load.failed)} calls failed, such as {load.failed[:3]}")
    if missed:
        faults.append(f"{missed} changes were not received")
    if found != [1] * 4:
        faults.append(f"the pooler was reported {found} times")
    if polls != [0, 0, 0, 1]:
        faults.append(f"polling was reported {polls} times")
    if troubles:
        faults.append("warnings:\n" + "\n".join(troubles[:5]))
    return [f"{mode}: {fault}" for fault in faults]


def main():
    options, faults = arguments(), []
    if not options.pgbouncer:
        raise SystemExit("pgbouncer is missing (Debian: pgbouncer)")
    for mode in options.mode or ["session", "transaction"]:
        faults += play(options, mode)
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
