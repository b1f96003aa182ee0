#!/usr/bin/env python3
"""What a page, a filtered page, a search, a sync and a count cost when there is much more of
everything: a thousand tasks of one user against a million of a thousand users on PostgreSQL,
and against a hundred thousand of one user on both databases. Prints markdown. Needs Linux, cargo and
h2load (package nghttp2-client); PostgreSQL at TEST_DATABASE_URL, with psql beside it, is used
where it answers."""

import argparse
import http.client
import json
import os
import secrets
import statistics
import sys
import tempfile
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import load, tools  # noqa: E402
from harness.database import Postgres, Sqlite, psql  # noqa: E402
from harness.process import Process  # noqa: E402
from harness.subject import Users  # noqa: E402
from harness.tools import note  # noqa: E402
from harness.wire import Json, NotReal  # noqa: E402

FEW = 1_000
PAGE = 20
RATIO = 1.5
# These read all tasks of a small user, and of a large one as many as a count or a page may.
BOUNDED = ("counts", "counts of a month", "total of a month", "three conditions, by title")
WORDS = "water plants balcony letter milk bread phone garden window report".split()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="length of one burst (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts of each kind (default 3)")
    parser.add_argument("--users", type=int, default=1_000, help="users on PostgreSQL, a "
                        f"thousand tasks each (default 1000; at least {load.LANES})")
    parser.add_argument("--tasks", type=int, default=100_000,
                        help="tasks of one user (default 100000)")
    parser.add_argument("--binaries", type=Path, metavar="FOLDER",
                        help="measure release binaries that are there already")
    parser.add_argument("--check", action="store_true",
                        help=f"exit with 3 if anything costs more than {RATIO} times as much")
    options = parser.parse_args()
    if options.users < load.LANES or options.tasks < FEW:
        parser.error(f"--users takes {load.LANES} or more, --tasks {FEW} or more")
    return options


def line(number):
    """A task, as an import takes it. Each rare word and the rare tag are in twenty of them,
    however many there are."""
    rare = f"rare{number // PAGE:06}x"
    task = {
        "title": f"{WORDS[number % 10].title()} number {number} {rare}",
        "description": " ".join(WORDS[(number + step) % 10] for step in range(8)),
        # In no step with the dates.
        "priority": ["low", "medium", "high", "urgent"][number * 37 % 101 % 4],
        "tags": ["Home"] if number % 10 == 0 else [],
    }
    if number < PAGE:
        task["tags"] = ["Rare"]
    if number % 3:
        task["due_date"] = f"2027-{1 + number % 12:02}-{1 + number % 28:02}"
    return json.dumps(task)


def ask(address, method, path, token, body=None, kind="application/x-ndjson"):
    connection = http.client.HTTPConnection(address, timeout=600)
    headers = {"authorization": f"Bearer {token}"}
    if body is not None:
        headers["content-type"] = kind
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in (200, 201):
        raise NotReal(f"{path}: {answer.status} {text[:300]}")
    return json.loads(text)


def fill(process, user, token, count):
    """Imports `count` tasks for one user and returns calls about them by name."""
    tasks = f"/api/{user}/tasks"
    body = "\n".join(line(number) for number in range(count)).encode()
    report = ask(process.http, "POST", f"{tasks}/import", token, body)
    if report["imported"] != count:
        raise NotReal(f"imported {report['imported']} of {count}")


def recent(process, user, token):
    """A sync token from before the last twenty changes."""
    tasks = f"/api/{user}/tasks"
    place = ""
    while True:
        answer = ask(process.http, "GET", f"{tasks}/sync?page_size=200&sync_token={place}", token)
        place = answer["next_sync_token"]
        if not answer["more"]:
            break
    for task in ask(process.http, "GET", f"{tasks}?page_size={PAGE}", token):
        ask(process.http, "PATCH", f"{tasks}/{task['id']}/complete", token, b"{}",
            "application/json")
    return place


def calls(process, users):
    """What is measured, by name: the same call of a few users, in turn by connection."""
    paths = {
        "page of 20": lambda user: f"?page_size={PAGE}",
        "open and high, by due": lambda user:
            f"?page_size={PAGE}&completed=false&priorities=high&sort=due",
        "due in a month, by title": lambda user:
            f"?page_size={PAGE}&due_from=2027-03-01&due_until=2027-03-31&sort=title",
        "completed (none), by title": lambda user:
            f"?page_size={PAGE}&completed=true&sort=title",
        "open, by title": lambda user: f"?page_size={PAGE}&completed=false&sort=title",
        "high, by title": lambda user: f"?page_size={PAGE}&priorities=high&sort=title",
        "without due, by title": lambda user: f"?page_size={PAGE}&has_due=false&sort=title",
        "overdue (none), by title": lambda user: f"?page_size={PAGE}&overdue=true&sort=title",
        "common word, by title": lambda user: f"?page_size={PAGE}&text=water&sort=title",
        "common and rare word": lambda user: f"?page_size={PAGE}&text=water+rare000007",
        "three conditions, by title": lambda user:
            f"?page_size={PAGE}&has_due=true&tags_none=home&priorities=high&sort=title",
        "counts": lambda user: "/counts",
        "counts of a month": lambda user: "/counts?due_from=2027-03-01&due_until=2027-03-31",
        "total": lambda user: f"?page_size={PAGE}&include_total=true",
        "total of a month": lambda user:
            f"?page_size={PAGE}&include_total=true&due_from=2027-03-01&due_until=2027-03-31",
        "rare tag": lambda user: f"?page_size={PAGE}&tags_any=rare",
        "search, 20 found": lambda user: f"?page_size={PAGE}&text=rare000007",
        "sync, 20 changes": lambda user: f"/sync?sync_token={places[user]}",
    }
    places = {user: recent(process, user, token) for user, token in users.items()}
    return {name: [load.Lane(f"/api/{user}/tasks{path(user)}", token, None, Json)
                   for user, token in users.items()] for name, path in paths.items()}


def mark(user):
    """What the tokens of a user begin with in the full-text index."""
    return sha256(user.encode()).hexdigest()[:8]


def multiply(store, first, users):
    """Gives every user the tasks of the first, row by row as they are."""
    columns = [name for name in psql(store.url, "SELECT column_name FROM "
               "information_schema.columns WHERE table_name = 'task'").split()
               if name not in ("user_id", "words")]
    names = ", ".join(columns)
    for number, user in enumerate(users):
        psql(store.url, f"""
            INSERT INTO task (user_id, words, {names})
                SELECT '{user}', replace(words, '{mark(first)}', '{mark(user)}'), {names}
                FROM task WHERE user_id = '{first}';
            INSERT INTO task_revision (user_id, revision)
                SELECT '{user}', revision FROM task_revision WHERE user_id = '{first}'""")
        if number % 100 == 99:
            note(f"{store.name}: {(number + 2) * FEW} tasks")
    psql(store.url, "VACUUM (ANALYZE) task")


def scans(store):
    """How often PostgreSQL read the whole table."""
    count = psql(store.url, "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'task'")
    return int(count or 0)


def subject(binaries, settings, store, folder, stack):
    folder.mkdir(parents=True)
    stack.callback(store.drop)
    process = Process([binaries / "task-service"], {**settings, "DATABASE_URL": store.url},
                      folder / "log")
    stack.callback(process.stop)
    return process


def prepare(options, binaries, settings, folder, stack):
    """Pairs of servers with little and with much in them, and what to ask each."""
    users = Users(binaries, settings, options.users)
    some = {user: users.tokens[user] for user in users.ids[:load.LANES]}
    one = dict(list(some.items())[:1])
    pairs = []
    stores = [Postgres.fresh(purpose) for purpose in ("few", "many")]
    if all(stores):
        found = []
        for store, all_users in zip(stores, (users.ids[:load.LANES], users.ids)):
            process = subject(binaries, settings, store, folder / store.database, stack)
            note(f"{store.name}: filling")
            fill(process, all_users[0], users.tokens[all_users[0]], FEW)
            multiply(store, all_users[0], all_users[1:])
            found.append((process, store, calls(process, some)))
        pairs.append((f"PostgreSQL, {options.users * FEW} tasks of {options.users} users", *found))
    for name, stores in (
        ("PostgreSQL", [Postgres.fresh(purpose) for purpose in ("one_few", "one_many")]),
        ("SQLite", [Sqlite(folder / f"sqlite-{purpose}") for purpose in ("few", "many")]),
    ):
        if not all(stores):
            continue
        found = []
        for purpose, store, count in zip(("few", "many"), stores, (FEW, options.tasks)):
            process = subject(binaries, settings, store, folder / f"{name.lower()}-{purpose}",
                              stack)
            note(f"{store.name}: importing {count} tasks")
            fill(process, *next(iter(one.items())), count)
            if isinstance(store, Postgres):
                psql(store.url, "VACUUM (ANALYZE) task")
            found.append((process, store, calls(process, one)))
        pairs.append((f"{name}, {options.tasks} tasks of one user", *found))
    return pairs


def main():
    options = arguments()
    tools.require("h2load", "cargo")
    binaries = (options.binaries or tools.build()).resolve()
    settings = {
        "BETTER_AUTH_SECRET": secrets.token_hex(32), "BETTER_AUTH_URL": "http://localhost:8000",
        "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0",
        "ATTEMPT_LIMITS": "off",
        "RUST_LOG": "info",
    }
    missed, rows = 0, []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-")))
        for name, few, many in prepare(options, binaries, settings, folder, stack):
            before = scans(many[1]) if isinstance(many[1], Postgres) else None
            for call in few[2]:
                shape = load.Shape(8, 1)
                bursts = ([], [])
                for _ in range(options.rounds):
                    for (process, store, lanes), into in zip((few, many), bursts):
                        into.append(load.burst(process, store, lanes[call], shape,
                                               options.seconds, folder))
                cost = [statistics.median(total(burst) for burst in side) for side in bursts]
                ratio = statistics.median(
                    total(m) / total(f) for f, m in zip(bursts[0], bursts[1]))
                is_bounded = call in BOUNDED
                missed += ratio > RATIO and not is_bounded
                verdict = "bounded" if is_bounded else "yes" if ratio <= RATIO else "**no**"
                rows.append(f"| {name} | {call} | {cost[0]:.0f} | {cost[1]:.0f} | {ratio:.2f} "
                            f"| {verdict} |")
            if before is not None:
                after = scans(many[1])
                missed += after > before
                rows.append(f"| {name} | whole-table reads | – | {after - before} | – "
                            f"| {'yes' if after == before else '**no**'} |")
    print(f"{os.cpu_count()} cores; {options.rounds} rounds of {options.seconds} s each, little and "
          "much interleaved, medians; CPU of the server, and of PostgreSQL where it is.\n")
    print(f"| much | call | µs/request at {FEW} tasks | at much | ratio | ≤ {RATIO} |")
    print("|---|---|---:|---:|---:|---|")
    print("\n".join(rows))
    return 3 if options.check and missed else 0


def total(burst):
    return burst.cpu + (burst.database_cpu or 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotReal as fault:
        sys.exit(f"not measured: {fault}")
