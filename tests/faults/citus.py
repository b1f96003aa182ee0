#!/usr/bin/env python3
"""Runs two task-services on a Citus that is there: on a database of the drill's own, whose tables
are distributed by deploy/citus/distribute.sql before the last migration, so that it runs on
distributed tables. Load of creates, lists, searches and updates over HTTP and gRPC, while a shard
is moved and a worker restarts; reminders of many users at both services, beside a watcher of all.

Fails unless each call of a user runs on one shard, no acknowledged write is lost, every reminder
comes once, calls fail as the worker restarts alone, and `doctor` finds no fault. Needs psql, a
superuser without a password on each server, and Citus 13.1 or later, for its counters."""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import drill
from citus_database import Database, sql
from grpc_wire import frame, strings, web_status

URL, SECRET = "http://localhost:3000", secrets.token_hex(24)
LAST = "m20261130_000001_drop_indexes"
UNDO = f"""CREATE INDEX task_unindexed ON task (user_id, id) WHERE words IS NULL;
CREATE INDEX task_in_trash ON task (deleted_at) WHERE deleted_at IS NOT NULL;
DELETE FROM task_service_migration WHERE version = '{LAST}'"""
COUNTERS = ("SELECT query_execution_single_shard, query_execution_multi_shard "
            "FROM citus_stat_counters WHERE name = current_database()")
READS = {"list": "?page_size=20", "text": "?text=made%20{}", "tags": "?tags_any=red",
         "counts": "/counts?text=made"}
KINDS = ["create", "create over gRPC", *READS, "list over gRPC", "text over gRPC", "update",
         "update over gRPC"]
FAILED = (OSError, EOFError, asyncio.IncompleteReadError)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--url", required=True, help="of the coordinator, such as "
                        "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
    parser.add_argument("--workers", nargs="+", required=True, metavar="HOST:PORT")
    parser.add_argument("--restart-worker", metavar="COMMAND", type=shlex.split,
                        help="restarts the first worker; without it none is")
    parser.add_argument("--binaries", type=Path, default=Path("target/debug"), metavar="FOLDER")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--calls", type=int, default=200, help="of each kind, to count shards")
    parser.add_argument("--reminders", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10, help="of load at each disruption")
    parser.add_argument("--at-once", type=int, default=8, help="calls in flight")
    return parser.parse_args()


def signed(claims):
    """A token of an hour, or of a minute for a service."""
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    now = int(time.time())
    life = 50 if claims["sub"].startswith("service:") else 850
    parts = [{"alg": "HS256", "typ": "JWT"}, {"iss": URL, "iat": now, "exp": now + life, **claims}]
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())}"


class Load:
    """Calls of many users at both services, and what was acknowledged."""

    def __init__(self, addresses, users):
        self.addresses, self.answers, self.made, self.changed = addresses, Counter(), {}, {}
        self.users = [(f"drill-{number}", signed({"sub": f"drill-{number}", "aud": URL}))
                      for number in range(users)]

    async def http(self, caller, user, method, path, body=None, expected=200):
        payload = b"" if body is None else json.dumps(body).encode()
        heads = [f"authorization: Bearer {user[1]}", "content-type: application/json"]
        try:
            status, _, content = await caller.ask(
                method, f"/api/{user[0]}/tasks{path}", heads, payload)
        except FAILED as fault:
            status, content = repr(fault), b""
        self.answers[status if status != expected else "ok"] += 1
        return json.loads(content) if status == expected else None

    async def grpc(self, caller, user, method, *fields):
        """The fields of the response's first message."""
        heads = [f"authorization: Bearer {user[1]}", "content-type: application/grpc-web+proto"]
        try:
            answer = await caller.ask("POST", f"/task.v1.TaskService/{method}", heads,
                                      frame((1, user[0]), *fields))
            status, body = web_status(answer), answer[2]
        except FAILED as fault:
            status, body = repr(fault), b""
        self.answers[f"grpc {status}" if status else "ok"] += 1
        if status == 0:
            return strings(body[5:5 + int.from_bytes(body[1:5], "big")])
        return None

    async def call(self, callers, kind, number):
        user, title = self.users[number % len(self.users)], f"made {number} {kind}"
        http, grpc = callers
        if kind == "create":
            body = {"title": title, "tags": ["red"]}
            if made := await self.http(http, user, "POST", "", body, 201):
                self.made[made["id"]] = (user, title)
        elif kind == "create over gRPC":
            if made := await self.grpc(grpc, user, "CreateTask", (2, title)):
                self.made[strings(made[1])[1].decode()] = (user, title)
        elif kind == "list over gRPC":
            await self.grpc(grpc, user, "ListTasks")
        elif kind in READS:
            await self.http(http, user, "GET", READS[kind].format(number % 50))
        elif kind == "text over gRPC":
            await self.grpc(grpc, user, "ListTasks", (14, f"made {number % 50}"))
        else:
            task, (user, _) = random.choice(list(self.made.items()))
            notes = f"{number}"
            done = (await self.http(http, user, "PATCH", f"/{task}", {"description": notes})
                    if kind == "update" else
                    await self.grpc(grpc, user, "UpdateTask", (2, task), (4, notes)))
            if done is not None:
                self.changed[task] = notes

    async def run(self, options, kinds, calls=None, until=lambda: False):
        """So many calls of these kinds, or until that is so."""
        numbers = iter(range(calls or sys.maxsize))
        base = len(self.made)

        async def one(number):
            callers = [drill.Caller(self.addresses[number % 2][wire]) for wire in (1, 0)]
            for turn in numbers:
                if until():
                    break
                await self.call(callers, kinds[turn % len(kinds)], base + turn)
            for caller in callers:
                caller.close()
        await asyncio.gather(*(one(number) for number in range(options.at_once)))


async def shards(options, database, load, faults):
    """Whether each call asks one shard. Jobs ask all of them, a few times a second."""
    for kind in KINDS:
        before, began = sql(database.url, COUNTERS)[0], time.monotonic()
        await load.run(options, [kind], options.calls)
        took, after = time.monotonic() - began, sql(database.url, COUNTERS)[0]
        one, all_of_them = (int(b) - int(a) for a, b in zip(before, after))
        print(f"{kind}: {options.calls} calls, {one} statements on one shard, {all_of_them} on "
              f"more, {took:.1f} s", flush=True)
        if one < options.calls or all_of_them > 10 + 6 * took or set(load.answers) != {"ok"}:
            faults.append(f"{kind} asks several shards, or fails: {one}, {all_of_them}, "
                          f"{dict(load.answers)}")


async def remind(options, load, faults):
    """Reminders of all users in a few seconds, made at both services, beside a watcher of all."""
    host, port = load.addresses[0][0].rsplit(":", 1)
    token = signed({"sub": "service:auth-service", "aud": "task-service/admin"})
    reader, writer = await asyncio.open_connection(host, int(port))
    heard = bytearray()
    writer.write(f"POST /task.v1.TaskAdminService/WatchReminders HTTP/1.1\r\nhost: drill\r\n"
                 f"authorization: Bearer {token}\r\ncontent-type: application/grpc-web+proto\r\n"
                 f"content-length: 5\r\n\r\n".encode() + frame())

    async def hear():
        while piece := await reader.read(65536):
            heard.extend(piece)
    hearing, at, titles = asyncio.create_task(hear()), time.time() + 5, set()
    numbers = iter(range(options.reminders))

    async def one(share):
        caller = drill.Caller(load.addresses[share % 2][1])
        for number in numbers:
            user, title = random.choice(load.users), f"remind-{number:06}."
            # As they fire: none is in the past when it is made, or it would not.
            moment = max(at, time.time() + 3) + random.uniform(0, 10)
            text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
            body = {"title": title, "reminders": [{"at": text}]}
            if await load.http(caller, user, "POST", "", body, 201):
                titles.add(title)
        caller.close()
    await asyncio.gather(*(one(share) for share in range(options.at_once)))
    end = time.monotonic() + 45
    missing = lambda: [title for title in titles if title.encode() not in heard]
    while missing() and time.monotonic() < end:
        await asyncio.sleep(0.5)
    hearing.cancel()
    writer.close()
    missed = missing()
    twice = [title for title in titles if heard.count(title.encode()) > 1]
    print(f"reminders: {len(titles)} made, the watcher missed {len(missed)} and has "
          f"{len(twice)} twice", flush=True)
    if len(titles) < options.reminders or missed or twice:
        faults.append(f"{len(missed)} reminders missed, {len(twice)} twice, {len(titles)} made")


async def disturb(options, load, what, action, faults, may_fail):
    """Load while this happens in another thread, and for a while around it."""
    load.answers.clear()
    over, longest = asyncio.Event(), 0

    async def act():
        nonlocal longest
        await asyncio.sleep(options.seconds / 3)
        began = time.monotonic()
        await asyncio.to_thread(action)
        longest = time.monotonic() - began
        await asyncio.sleep(options.seconds / 3)
        over.set()
    await asyncio.gather(act(), load.run(options, KINDS, until=over.is_set))
    print(f"{what} in {longest:.1f} s: {dict(load.answers)}", flush=True)
    if not may_fail and set(load.answers) != {"ok"}:
        faults.append(f"{what}: {dict(load.answers)}")
    if set(load.answers) - {"ok", 503, "grpc 14"}:
        faults.append(f"{what}: answers of another kind: {dict(load.answers)}")
    load.answers.clear()
    await load.run(options, KINDS, 200)
    if set(load.answers) != {"ok"}:
        faults.append(f"after it, {what}: {dict(load.answers)}")


async def drive(options, database, addresses):
    load, faults = Load(addresses, options.users), []
    await load.run(options, KINDS[:2], 2 * options.users)
    await shards(options, database, load, faults)
    await remind(options, load, faults)
    await disturb(options, load, "a shard is moved", database.move_a_shard, faults, False)
    if options.restart_worker:
        restart = lambda: subprocess.run(options.restart_worker, check=True,
                                         stdout=subprocess.DEVNULL)
        await disturb(options, load, "a worker restarts", restart, faults, True)
    rows = sql(database.url, "SELECT id, user_id, title, description FROM task")
    rows = {row[0]: row for row in rows}
    lost = [task for task, (user, title) in load.made.items()
            if rows.get(task, [""] * 3)[1:3] != [user[0], title]]
    stale = [task for task in load.changed if rows.get(task, [""] * 4)[3] == ""]
    print(f"{len(load.made)} creates and changes of {len(load.changed)} tasks were acknowledged: "
          f"{len(lost)} and {len(stale)} are lost")
    if lost or stale:
        faults.append(f"lost: {lost[:3]} {stale[:3]}")
    return faults


def main():
    options = arguments()
    made = Database(options.url, options.workers)
    with made as database, tempfile.TemporaryDirectory(prefix="drill-") as folder:
        binary = options.binaries / "task-service"
        settings = {"DATABASE_URL": database.url, "BETTER_AUTH_SECRET": SECRET,
                    "BETTER_AUTH_URL": URL}
        with drill.server(binary, **settings):
            pass
        sql(database.url, UNDO)
        database.distribute()
        with drill.server(binary, **settings) as one, drill.server(binary, **settings) as other:
            if not one.count(f"'{LAST}' has been applied"):
                raise SystemExit(one.log.read_text())
            done = subprocess.run([binary.resolve(), "doctor"], env=settings, cwd=folder,
                                  text=True, capture_output=True)
            addresses = [(server.grpc, server.http) for server in (one, other)]
            faults = asyncio.run(drive(options, database, addresses))
            if done.returncode or "distributed by user, and colocated" not in done.stdout:
                faults.append(done.stdout + done.stderr)
            if warnings := [line for server in (one, other)
                            for line in server.log.read_text().splitlines() if " WARN " in line]:
                print(f"{len(warnings)} warnings, such as {warnings[0]}")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
