#!/usr/bin/env python3
"""Imports beside others, on SQLite and on PostgreSQL.

One user imports many tasks, alone and then beside others who create theirs one after the
other. Then eight accounts begin imports from one address and send them slowly, and a user
at another address imports a few tasks, again and again.

Fails if a create is refused or waits too long, if the large import takes much longer beside
others than alone, if it is there in parts, or if slow ones keep another import out. Needs
a build of standalone."""

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import drill

HOME, SLOW, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
JSON, LINES = "content-type: application/json", "content-type: application/x-ndjson"
TEXT = "Twice a week in summer, once in winter"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--postgres", default=os.environ.get(
        "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
        help="a server for a database of the drill's own; psql must be installed")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="one database")
    parser.add_argument("--tasks", type=int, default=100_000, help="of the large import")
    parser.add_argument("--writers", type=int, default=4, help="who create beside it")
    parser.add_argument("--pause", type=float, default=0.02, metavar="S",
                        help="of a writer between two creates")
    parser.add_argument("--p99", type=float, default=500, metavar="MS",
                        help="the most that 99 of 100 creates may take")
    parser.add_argument("--times", type=float, default=2.0,
                        help="how much longer the import may take beside others")
    parser.add_argument("--small", type=int, default=10, help="imports beside the slow ones")
    parser.add_argument("--within", type=float, default=5.0, metavar="S",
                        help="the longest a small import may take")
    return parser.parse_args()


class Account:
    """A user with a token."""

    def __init__(self, server, name, source):
        headers = drill.sign_up(server.http, f"{name}@drill.example", os.urandom(12).hex(), source)
        self.token = headers["set-auth-jwt"]
        self.address, self.source = server.http, source
        self.path = f"/api/{drill.subject(self.token)}/tasks"

    def headers(self, kind):
        return [kind, f"authorization: Bearer {self.token}"]

    async def ask(self, method, path, kind=JSON, body=b""):
        caller = drill.Caller(self.address, self.source)
        try:
            status, _, content = await caller.ask(method, self.path + path, self.headers(kind), body)
        finally:
            caller.close()
        return status, content

    async def count(self):
        """How many tasks there are."""
        status, content = await self.ask("GET", "/counts")
        if status != 200:
            raise SystemExit(f"counts answered {status}: {content[:200]}")
        return json.loads(content)["total"]

    async def bring(self, count):
        """The status of an import of so many tasks, and how long it took."""
        lines = (json.dumps({"title": f"Water plant {number}", "description": TEXT})
                 for number in range(count))
        begun = time.monotonic()
        status, _ = await self.ask("POST", "/import", LINES, "\n".join(lines).encode())
        return status, time.monotonic() - begun


@contextmanager
def database(options, name):
    """The settings of a database of the drill's own."""
    if name == "sqlite":
        yield {}
        return
    names = [f"drill_{os.getpid()}_{part}" for part in ("auth", "tasks")]
    for one in names:
        drill.psql(options.postgres, f"CREATE DATABASE {one}")
    try:
        urls = [urlsplit(options.postgres)._replace(path=f"/{one}").geturl() for one in names]
        yield {"AUTH_DATABASE_URL": urls[0], "TASK_DATABASE_URL": urls[1]}
    finally:
        for one in names:
            drill.psql(options.postgres, f"DROP DATABASE {one} WITH (FORCE)")


async def create(account, pause, done):
    """One create after the other: what each was answered, and when."""
    caller = drill.Caller(account.address, account.source)
    body = json.dumps({"title": "Water the plants", "description": TEXT}).encode()
    try:
        while True:
            begun = time.monotonic()
            status = (await caller.ask("POST", account.path, account.headers(JSON), body))[0]
            done.append((status, (time.monotonic() - begun) * 1e3))
            await asyncio.sleep(pause)
    finally:
        caller.close()


async def look(account, seen):
    """How many tasks an import shows while it goes on."""
    while True:
        seen.add(await account.count())
        await asyncio.sleep(0.2)


async def beside(options, server, name):
    """The large import alone, and beside creates; the faults."""
    alone, crowded = (Account(server, one, HOME) for one in ("alone", "crowded"))
    writers = [Account(server, f"writer{n}", f"127.0.1.{n + 1}") for n in range(options.writers)]
    first, took_alone = await alone.bring(options.tasks)
    done, seen = [[] for _ in writers], set()
    others = [asyncio.create_task(create(writer, options.pause, made))
              for writer, made in zip(writers, done)]
    others.append(asyncio.create_task(look(crowded, seen)))
    second, took = await crowded.bring(options.tasks)
    ended = [task.exception() for task in others if task.done()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    creates = [one for writer in done for one in writer]
    times = sorted(span for _, span in creates)
    there = await crowded.count()
    p99, refused = drill.percentile(times, 99), [s for s, _ in creates if s != 201]
    print(f"{name}: {options.tasks} tasks in {took_alone:.1f} s alone, {took:.1f} s beside "
          f"{len(creates)} creates ({took / took_alone:.2f} x); creates p50 "
          f"{drill.percentile(times, 50):.0f} ms, p99 {p99:.0f} ms, most {times[-1]:.0f} ms, "
          f"{len(refused)} refused")
    faults = [f"{name}: {text}" for text, is_fault in (
        (f"imports were answered {first} and {second}", (first, second) != (200, 200)),
        (f"another user beside the import ended: {ended}", ended),
        (f"creates were answered {sorted(set(refused))}", refused),
        (f"99 of 100 creates took up to {p99:.0f} ms", p99 > options.p99),
        (f"the import took {took / took_alone:.2f} times as long", took > took_alone * options.times),
        (f"parts of an import were seen: {sorted(seen)}", seen - {0, options.tasks}),
        (f"{there} tasks are there", there != options.tasks),
    ) if is_fault]
    for writer, made in zip(writers, done):
        answered, there = sum(status == 201 for status, _ in made), await writer.count()
        # The last one may have been cut off by the end.
        if there not in (answered, answered + 1):
            faults.append(f"{name}: {answered} creates were answered, {there} are there")
    return faults


async def send_slowly(account):
    """An import without an end; what it was answered, if it was."""
    host, port = account.address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port),
                                                   local_addr=(account.source, 0))
    head = [f"POST {account.path}/import HTTP/1.1", f"host: {host}",
            "transfer-encoding: chunked", *account.headers(LINES)]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())

    async def send():
        line = json.dumps({"title": "Slow", "description": "x" * 480}).encode() + b"\n"
        while True:
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await asyncio.sleep(0.25)  # twice the least rate
    sending = asyncio.create_task(send())
    try:
        return int((await reader.readline()).split()[1])
    finally:
        sending.cancel()
        writer.close()


async def slow(options, server, name):
    """Small imports beside eight slow ones; the faults."""
    senders = [Account(server, f"slow{n}", f"127.0.2.{n + 1}") for n in range(8)]
    for sender in senders:
        sender.source = SLOW
    stranger = Account(server, "stranger", STRANGER)
    uploads = [asyncio.create_task(send_slowly(sender)) for sender in senders]
    await asyncio.sleep(1)
    answers = [await stranger.bring(100) for _ in range(options.small)]
    open_still = sum(not upload.done() for upload in uploads)
    for upload in uploads:
        upload.cancel()
    results = await asyncio.gather(*uploads, return_exceptions=True)
    refused = [status for status in results if isinstance(status, int)]
    right, most = sum(status == 200 for status, _ in answers), max(span for _, span in answers)
    print(f"{name}: {right} of {options.small} imports beside {open_still} slow ones "
          f"(refused: {refused}), most {most:.2f} s")
    return [f"{name}: {text}" for text, is_fault in (
        (f"imports were answered {[status for status, _ in answers]}", right < len(answers)),
        (f"an import took {most:.2f} s", most > options.within),
        ("no slow upload was under way", open_still == 0),
        (f"slow uploads were answered {refused}", set(refused) - {429, 503}),
    ) if is_fault]


def main():
    options, faults = arguments(), []
    for name in [options.only] if options.only else ["sqlite", "postgres"]:
        with database(options, name) as settings:
            with drill.server(options.binary, **settings) as server:
                faults += asyncio.run(beside(options, server, name))
                faults += asyncio.run(slow(options, server, name))
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
