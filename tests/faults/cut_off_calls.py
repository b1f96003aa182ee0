#!/usr/bin/env python3
"""Cuts calls of every kind off at random moments, over both wires and at both services, on
PostgreSQL with few connections and with as many as by default. Beside them others write, and
look up at once, on a connection of their own, what they were answered; at the end all of it is
looked up again. Fails if anything that was answered is not stored, if a transaction is left
open, or if a writer had to wait."""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import drill

PASSWORD = os.urandom(12).hex()
JSON = "content-type: application/json"
LEFT_OPEN = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
             "AND state LIKE 'idle in transaction%' AND state_change < now() - interval '{} s'")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binary", type=Path, default=drill.BINARY, help="a standalone")
    parser.add_argument("--postgres", default=os.environ.get(
        "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
        help="a server for databases of the drill's own; psql must be installed")
    parser.add_argument("--connections", type=int, nargs="+", default=[2, 8],
                        help="of each service to its database, a round each")
    parser.add_argument("--calls", type=int, default=4000, help="cut off in each round")
    parser.add_argument("--cutters", type=int, default=6, help="callers that hang up")
    parser.add_argument("--writers", type=int, default=2, help="callers that do not, per service")
    parser.add_argument("--within", type=float, default=1.0, metavar="S",
                        help="the longest answer of a writer")
    return parser.parse_args()


class Postgres:
    """A database of the drill's own, and a session that looks into it."""

    def __init__(self, server, name):
        self.server, self.name = server, f"drill_{os.getpid()}_{name}"
        self.url = urlsplit(server)._replace(path=f"/{self.name}").geturl()
        drill.psql(server, f"CREATE DATABASE {self.name}")
        self.turn, self.session = asyncio.Lock(), subprocess.Popen(
            [*drill.PSQL, self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)

    async def number(self, query):
        async with self.turn:
            self.session.stdin.write(query + ";\n")
            return int(await asyncio.to_thread(self.session.stdout.readline))

    def drop(self):
        self.session.stdin.close()
        self.session.wait()
        drill.psql(self.server, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


@contextmanager
def databases(server, connections):
    both = [Postgres(server, f"{name}_{connections}") for name in ("auth", "tasks")]
    try:
        yield both
    finally:
        for database in both:
            database.drop()


class Account:
    """A user, with a session and a token."""

    def __init__(self, address):
        self.email = f"{os.urandom(8).hex()}@drill.example"
        headers = drill.sign_up(address, self.email, PASSWORD)
        self.session, self.token = headers["set-auth-token"], headers["set-auth-jwt"]
        payload = self.token.split(".")[1]
        self.id = json.loads(_base64(payload))["sub"]
        self.tasks = f"/api/{self.id}/tasks"


def _base64(text):
    import base64
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def message(*fields):
    """A protobuf message of these texts, by their numbers."""
    parts = [bytes([number << 3 | 2, len(text)]) + text.encode() for number, text in fields]
    return b"".join(parts)


def http(account, method, path, body=None):
    token = account.session if path.startswith("/api/auth") else account.token
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(content)}",
            f"authorization: Bearer {token}"]
    head += [JSON] if content else []
    return "http", ("\r\n".join(head) + "\r\n\r\n").encode() + content


def grpc(account, path, *fields):
    token = account.session if path.startswith("auth") else account.token
    content = message(*fields)
    content = b"\0" + len(content).to_bytes(4, "big") + content
    head = [f"POST /{path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(content)}",
            f"authorization: Bearer {token}", "content-type: application/grpc-web+proto"]
    return "grpc", ("\r\n".join(head) + "\r\n\r\n").encode() + content


def kinds(account, task):
    """A call of every kind that takes a transaction, and of some that take none."""
    tasks, own = account.tasks, f"{account.tasks}/{task}"
    reminder = {"title": "remind me", "due_at": "2040-01-01T10:00:00Z",
                "reminders": [{"minutes_before": 10}]}
    services = ("task.v1.TaskService", "auth.v1.SessionService")
    return {
        "create": lambda: http(account, "POST", tasks, {"title": "cut off"}),
        "create with a reminder": lambda: http(account, "POST", tasks, reminder),
        "update": lambda: http(account, "PATCH", own, {"title": f"cut {random.random()}"}),
        "complete": lambda: http(account, "PATCH", f"{own}/complete"),
        "batch": lambda: http(account, "POST", f"{tasks}/batch/create",
                              {"tasks": [{"title": "one"}, {"title": "two"}]}),
        "counts": lambda: http(account, "GET", f"{tasks}/counts"),
        "list": lambda: http(account, "GET", tasks),
        "delete, refused": lambda: http(account, "DELETE", f"{tasks}/{os.urandom(4).hex()}"
                                        "-0000-7000-8000-000000000000"),
        "create (gRPC)": lambda: grpc(account, f"{services[0]}/CreateTask",
                                      (1, account.id), (2, "cut off"), (5, os.urandom(8).hex())),
        "complete (gRPC)": lambda: grpc(account, f"{services[0]}/ToggleTask",
                                        (1, account.id), (2, task)),
        "counts (gRPC)": lambda: grpc(account, f"{services[0]}/CountTasks", (1, account.id)),
        "update user": lambda: http(account, "POST", "/api/auth/update-user",
                                    {"name": f"cut {random.random()}"}),
        "get session": lambda: http(account, "GET", "/api/auth/get-session"),
        "revoke others": lambda: http(account, "POST", "/api/auth/revoke-other-sessions", {}),
        "sign in": lambda: http(account, "POST", "/api/auth/sign-in/email",
                                {"email": account.email, "password": PASSWORD}),
        "update user (gRPC)": lambda: grpc(account, f"{services[1]}/UpdateUser",
                                           (1, f"cut {random.random()}")),
        "list sessions (gRPC)": lambda: grpc(account, f"{services[1]}/ListSessions"),
    }


class Round:
    def __init__(self, options, server, auth, tasks):
        self.options, self.server, self.auth, self.tasks = options, server, auth, tasks
        self.left, self.cut, self.answered = options.calls, Counter(), 0
        self.stored, self.unseen, self.refused, self.slowest, self.usual = (
            [], [], Counter(), 0.0, 0.01)
        self.open_for_a_second, self.replaced = 0, 0
        self.address = {"http": server.http, "grpc": server.grpc}

    async def cutter(self, account, task, source):
        calls = kinds(account, task)
        while self.left > 0:
            self.left -= 1
            kind = random.choice(list(calls))
            if kind == "sign in" and random.random() < 0.9:  # a hash is work for all
                kind = "update user"
            wire, request = calls[kind]()
            host, port = self.address[wire].rsplit(":", 1)
            try:
                reader, writer = await asyncio.open_connection(
                    host, int(port), local_addr=(source, 0))
                writer.write(request)
                await writer.drain()
                # At any moment of a call, which takes about as long as a writer's.
                await asyncio.sleep(1.5 * self.usual * random.random())
                self.answered += bool(reader._buffer)
                writer.transport.abort()
                self.cut[kind] += 1
            except OSError as error:
                self.refused[f"cutter: {type(error).__name__}"] += 1

    async def timed(self, caller, *call):
        began = time.monotonic()
        status, _, body = await caller.ask(*call)
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        self.usual += (took - self.usual) / 20
        return status, body

    async def check(self, what, database, query, stays=True):
        if stays:
            self.stored.append((what, database, query))
        else:
            self.replaced += 1
        if await database.number(query) != 1:
            self.unseen.append(what)

    async def task_writer(self, account, source):
        caller = drill.Caller(self.server.http, source)
        headers = [JSON, f"authorization: Bearer {account.token}"]
        number = 0
        while self.left > 0:
            number += 1
            body = {"title": f"kept {number}"}
            if number % 3 == 0:
                body |= {"due_at": "2040-01-01T10:00:00Z", "reminders": [{"minutes_before": 5}]}
            status, answer = await self.timed(
                caller, "POST", account.tasks, headers, json.dumps(body).encode())
            if status != 201:
                self.refused[f"create: {status}"] += 1
                continue
            name = json.loads(answer)["id"]
            await self.check(f"task {number}", self.tasks,
                             f"SELECT count(*) FROM task WHERE id = '{name}'")
        caller.close()

    async def account_writer(self, account, source):
        caller = drill.Caller(self.server.http, source)
        headers = [JSON, f"authorization: Bearer {account.session}"]
        number = 0
        while self.left > 0:
            number += 1
            name = f"kept {number}"
            status, _ = await self.timed(caller, "POST", "/api/auth/update-user", headers,
                                         json.dumps({"name": name}).encode())
            if status != 200:
                self.refused[f"update user: {status}"] += 1
                continue
            await self.check(f"name {number}", self.auth, "SELECT count(*) FROM \"user\" WHERE "
                             f"id = '{account.id}' AND name = '{name}'", stays=False)
        caller.close()

    async def watch(self):
        """Looks for transactions in which nothing has happened for a second."""
        while self.left > 0:
            for database in (self.auth, self.tasks):
                self.open_for_a_second += await database.number(LEFT_OPEN.format(1))
            await asyncio.sleep(0.2)

    async def run(self):
        work = [self.watch()]
        for number in range(self.options.cutters):
            account = Account(self.server.http)
            task = await self.first_task(account)
            work.append(self.cutter(account, task, f"127.0.1.{number + 1}"))
        for number in range(self.options.writers):
            work.append(self.task_writer(Account(self.server.http), f"127.0.2.{number + 1}"))
            work.append(self.account_writer(Account(self.server.http), f"127.0.3.{number + 1}"))
        began = time.monotonic()
        await asyncio.gather(*work)
        took = time.monotonic() - began
        await asyncio.sleep(2)
        lost = [what for what, database, query in self.stored if await database.number(query) != 1]
        left = sum([await database.number(LEFT_OPEN.format(0))
                    for database in (self.auth, self.tasks)])
        return took, lost, left

    async def first_task(self, account):
        caller = drill.Caller(self.server.http)
        headers = [JSON, f"authorization: Bearer {account.token}"]
        status, _, body = await caller.ask("POST", account.tasks, headers, b'{"title":"first"}')
        caller.close()
        if status != 201:
            raise SystemExit(f"a task was answered {status}: {body.decode()}")
        return json.loads(body)["id"]


def main():
    options, faults = arguments(), []
    for connections in options.connections:
        with databases(options.postgres, connections) as (auth, tasks), drill.server(
                options.binary, AUTH_DATABASE_URL=auth.url, TASK_DATABASE_URL=tasks.url,
                DATABASE_MAX_CONNECTIONS=str(connections), ATTEMPT_LIMITS="off") as server:
            play = Round(options, server, auth, tasks)
            took, lost, left = asyncio.run(play.run())
            closed = server.count("inside a transaction is closed")
            print(f"{connections} connections: {sum(play.cut.values())} calls of {len(play.cut)} "
                  f"kinds cut off in {took:.0f} s ({play.answered} had an answer by then); "
                  f"{len(play.stored)} tasks answered 201, {play.replaced} names 200\n"
                  f"  unseen {len(play.unseen)}, lost {len(lost)}, left open {left}, open and "
                  f"idle for a second {play.open_for_a_second}, closed at a check {closed}, "
                  f"slowest answer {play.slowest:.2f} s, refused {dict(play.refused)}", flush=True)
            for what, count in (("unseen", len(play.unseen)), ("lost", len(lost)),
                                ("left open", left), ("idle in transaction",
                                                      play.open_for_a_second),
                                ("refused", sum(play.refused.values()))):
                if count:
                    faults.append(f"{connections} connections: {what}: {count}")
            if play.slowest > options.within:
                faults.append(f"{connections} connections: an answer took {play.slowest:.2f} s")
    print("\n".join(faults) or "held")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
