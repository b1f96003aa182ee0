#!/usr/bin/env python3
"""Fails the primary of a PostgreSQL under Patroni again and again, beside load on auth-service and
on two task-services whose DATABASE_URL names its three members: its processes are killed, frozen
(as when its machine is gone), and the role is handed over with patronictl.

Fails unless every write that was acknowledged is there, once; no read is older than a write
before it; every watch has all of it; and the services, which are never restarted, are back within
`--within` seconds of Patroni, beside the usual time between two answers; after a hand-over within
that time in all. Needs Debian's patroni, etcd-server, python3-etcd, postgresql-15 and psql."""

import argparse
import asyncio
import json
import re
import secrets
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import cluster
import drill

URL = "http://localhost:3000"
# Longer than the deadline of a call.
CALL_TIMEOUT = 7
SETTLE = 3
# The longest until a watch finds a change whose notification is lost.
HEARTBEAT = 20
# The span before a disruption whose longest time without an answer is the usual one.
USUAL = 10
PASSWORD = "tulips and rain 42"
KINDS = ("create", "update", "read", "sign-in")
TITLE = re.compile(r'"title":"(made [^"]+)"')
FAILED = (OSError, EOFError, asyncio.IncompleteReadError, asyncio.TimeoutError)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=Path("target/release"), metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--freezes", type=int, default=1)
    parser.add_argument("--switchovers", type=int, default=1)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.05, metavar="S",
                        help="between two calls of one kind for one user")
    parser.add_argument("--within", type=float, default=2, metavar="S",
                        help="the longest until the services work after the new primary does")
    parser.add_argument("--ttl", type=int, default=20, metavar="S", help="Patroni's lease")
    return parser.parse_args()


@dataclass
class Call:
    kind: str
    begun: float
    ended: float
    status: object

    @property
    def is_good(self):
        return self.status in (200, 201)


@dataclass
class User:
    id: str
    email: str
    token: str
    made: dict = field(default_factory=dict)  # title of each acknowledged task: its id
    sessions: list = field(default_factory=list)
    seen: set = field(default_factory=set)  # titles of the watch
    notes: int = 0  # of the last acknowledged update
    task: str = ""

    def headers(self, *more):
        return [f"authorization: Bearer {self.token}", "content-type: application/json", *more]


class Load:
    """Calls of all kinds, one after the other for each user and kind, until it is over."""

    def __init__(self, options, auth, tasks, users):
        self.options, self.auth, self.tasks, self.users = options, auth, tasks, users
        self.calls, self.faults, self.over, self.resumed = [], [], False, 0

    async def ask(self, kind, caller, method, path, headers, body=None):
        """The answer's JSON, once the call has succeeded: it is repeated until then."""
        payload = b"" if body is None else json.dumps(body).encode()
        while True:
            begun, status, content = time.monotonic(), None, b""
            try:
                asked = caller.ask(method, path, headers, payload)
                status, _, content = await asyncio.wait_for(asked, CALL_TIMEOUT)
            except FAILED as fault:
                status = repr(fault)
            self.calls.append(Call(kind, begun, time.monotonic(), status))
            if status in (200, 201):
                return json.loads(content)
            if isinstance(status, int) and status != 503:
                self.faults.append(f"{kind} answered {status}: {content[:200]}")
            await asyncio.sleep(self.options.pause)

    async def create(self, user, service):
        caller, number = drill.Caller(service), 0
        while not self.over:
            number += 1
            title = f"made {number} of {user.id}"
            key = f"idempotency-key: {secrets.token_hex(16)}"
            made = await self.ask("create", caller, "POST", f"/api/{user.id}/tasks",
                                  user.headers(key), {"title": title})
            user.made[title] = made["id"]
            await asyncio.sleep(self.options.pause)

    async def update(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            notes = user.notes + 1
            await self.ask("update", caller, "PATCH", f"/api/{user.id}/tasks/{user.task}",
                           user.headers(), {"description": f"{notes}"})
            user.notes = notes
            await asyncio.sleep(self.options.pause)

    async def read(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            least = user.notes
            found = await self.ask("read", caller, "GET", f"/api/{user.id}/tasks/{user.task}",
                                   user.headers())
            if int(found["description"]) < least:
                self.faults.append(f"a read has {found['description']} after {least}")
            await asyncio.sleep(self.options.pause)

    async def sign_in(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            answer = await self.ask("sign-in", caller, "POST", "/api/auth/sign-in/email",
                                    ["content-type: application/json"],
                                    {"email": user.email, "password": PASSWORD})
            user.sessions.append(answer["token"])
            await asyncio.sleep(self.options.pause * 40)  # a password is hashed

    async def watch(self, user, service):
        """At the service that does not make the tasks. A watch that ends as the database is away
        is resumed where it was, as clients do."""
        host, port = service.rsplit(":", 1)
        last = ""
        while True:
            reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
            head = [f"GET /api/{user.id}/tasks/watch HTTP/1.1", "host: drill",
                    "connection: close", *user.headers(*([f"last-event-id: {last}"] * bool(last)))]
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
            try:
                while line := await reader.readline():
                    if line.startswith(b"id:"):
                        last = line[3:].strip().decode()
                    user.seen.update(TITLE.findall(line.decode()))
            except OSError as fault:
                self.faults.append(f"a watch broke off: {fault!r}")
            finally:
                writer.close()
            self.resumed += 1
            await asyncio.sleep(1)

    async def start(self):
        jobs = []
        for user in self.users:
            jobs += [self.create(user, self.tasks[0]), self.update(user, self.tasks[0]),
                     self.read(user, self.tasks[1]), self.sign_in(user, self.auth)]
        self.watching = [asyncio.create_task(self.watch(user, self.tasks[1]))
                         for user in self.users]
        self.asking = [asyncio.create_task(job) for job in jobs]

    async def stop(self):
        self.over = True
        await asyncio.gather(*self.asking)
        await asyncio.sleep(HEARTBEAT)
        for one in self.watching:
            one.cancel()
        await asyncio.gather(*self.watching, return_exceptions=True)

    def outage(self, kind, since, until):
        """The longest time without a success in this span and just before."""
        ends = sorted(call.ended for call in self.calls if call.kind == kind and call.is_good
                      and call.ended >= since - USUAL and call.begun < until)
        return max((after - before for before, after in zip(ends, ends[1:])), default=until - since)

    def late(self, kind, since, until):
        """The failures among calls that began in this span."""
        return [call for call in self.calls
                if call.kind == kind and not call.is_good and since <= call.begun < until]


async def disrupt(options, load, members, what):
    """Fails the primary in one way; prints what it took, and adds what was too long."""
    await asyncio.to_thread(members.wait_until_whole)
    old = await asyncio.to_thread(members.primary)
    await asyncio.sleep(SETTLE)
    measured, begun = members.measure(old), time.monotonic()
    usual = {kind: load.outage(kind, begun, begun) for kind in KINDS}
    if what == "switchover":
        await asyncio.to_thread(members.switch_over)
    elif what == "freeze":
        old.signal(signal.SIGSTOP)
    else:
        await asyncio.to_thread(old.kill)
    moments = await asyncio.to_thread(measured)
    if not moments:
        raise SystemExit(f"no new primary after a {what}")
    left, taken = moments
    patroni = taken - left
    await asyncio.sleep(options.within + CALL_TIMEOUT + SETTLE)
    until = time.monotonic()
    if what == "freeze":
        old.signal(signal.SIGCONT)
    elif what == "kill":
        old.start()
    shown = []
    for kind in KINDS:
        outage = load.outage(kind, begun, until)
        late = load.late(kind, taken + options.within, until)
        shown.append(f"{kind} {outage:.1f} s")
        most = options.within + usual[kind] + (0 if what == "switchover" else patroni)
        if outage > most:
            load.faults.append(f"{what}: {kind} was away for {outage:.1f} s, more than {most:.1f}")
        if late:
            load.faults.append(f"{what}: {len(late)} calls of {kind} fail "
                               f"{late[-1].begun - taken:.1f} s after the new primary works")
    print(f"{what:10}  no member takes writes for {patroni:.1f} s; longest time without "
          f"an answer: {', '.join(shown)}", flush=True)


def verify(load, members):
    """What was acknowledged, as the primary has it on a connection of its own."""
    primary = members.primary()
    rows = json.loads(primary.execute(
        "SELECT coalesce(json_agg(json_build_array(user_id, title, description)), '[]') FROM task",
        timeout=60, database="tasks"))
    sessions = primary.execute("SELECT count(*) FROM session", database="auth")
    found = {}
    for owner, title, notes in rows:
        found.setdefault((owner, title), []).append(notes)
    made = lost = twice = unseen = 0
    for user in load.users:
        made += len(user.made)
        lost += sum((user.id, title) not in found for title in user.made)
        unseen += sum(title not in user.seen for title in user.made)
        notes = int(found[user.id, "noted"][0])
        if notes < user.notes:
            load.faults.append(f"update {user.notes} is lost: {notes}")
    twice = sum(len(copies) - 1 for copies in found.values())
    signed_in = sum(len(user.sessions) for user in load.users)
    print(f"{made} tasks, {sum(user.notes for user in load.users)} updates and {signed_in} "
          f"sign-ins were acknowledged: {lost} tasks are lost, {twice} are there twice, {unseen} "
          f"are missing in {len(load.users)} watches, resumed {load.resumed} times; "
          f"{sessions.strip()} sessions")
    for count, fault in ((lost, "acknowledged tasks are lost"), (twice, "tasks are there twice"),
                         (unseen, "tasks came to no watch")):
        if count:
            load.faults.append(f"{count} {fault}")
    if int(sessions) < signed_in:
        load.faults.append(f"{signed_in - int(sessions)} sessions are lost")


def sign_up(address):
    """A user; the first hashes on a busy machine may take longer than a call."""
    for last in (False, False, True):
        email = f"{secrets.token_hex(8)}@drill.example"
        try:
            token = drill.sign_up(address, email, PASSWORD)["set-auth-jwt"]
            return User(drill.subject(token), email, token)
        except SystemExit:
            if last:
                raise


async def run(options, members, auth, tasks):
    users = []
    for _ in range(options.users):
        users.append(await asyncio.to_thread(sign_up, auth.http))
    load = Load(options, auth.http, [service.http for service in tasks], users)
    for user in users:
        made = await load.ask("first", drill.Caller(tasks[0].http), "POST",
                              f"/api/{user.id}/tasks", user.headers(),
                              {"title": "noted", "description": "0"})
        user.task = made["id"]
    await load.start()
    steps = (["kill"] * options.kills + ["freeze"] * options.freezes
             + ["switchover"] * options.switchovers)
    for what in steps:
        await disrupt(options, load, members, what)
    await load.stop()
    for service in (auth, *tasks):
        if service.child.poll() is not None:
            load.faults.append(f"a service has ended:\n{service.log.read_text()[-2000:]}")
    verify(load, members)
    return load.faults


def start(binary, folder, name, settings):
    environment = {"GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0",
                   "BETTER_AUTH_SECRET": settings.pop("secret"), "BETTER_AUTH_URL": URL,
                   "ATTEMPT_LIMITS": "off", "ACCESS_TOKEN_TTL": "1h",
                   "DATABASE_MAX_CONNECTIONS": "8", **settings}
    log = folder / f"{name}.log"
    child = drill.spawn(binary, folder, log, environment)
    return drill.Server(child, log, *drill.listening(child, log))


def main():
    options, services, secret = arguments(), [], secrets.token_hex(32)
    # An end from outside stops the processes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    timing = {"ttl": options.ttl, "loop_wait": 2, "retry_timeout": 5}
    with tempfile.TemporaryDirectory(prefix="patroni-") as name:
        folder = Path(name)
        members = cluster.Cluster(folder, timing)
        try:
            members.start()
            for database in ("auth", "tasks"):
                members.primary().execute(f"CREATE DATABASE {database}", timeout=30)
            for service, database, count in (("task-service", "tasks", 2),
                                             ("auth-service", "auth", 1)):
                for number in range(count):
                    services.append(start(options.binaries / service, folder,
                                          f"{service}-{number}",
                                          {"DATABASE_URL": members.address(database),
                                           "secret": secret}))
            *tasks, auth = services
            faults = asyncio.run(run(options, members, auth, tasks))
        finally:
            for service in services:
                service.child.kill()
                service.child.wait()
            members.stop()
    print("\n".join(sorted(set(faults))) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
