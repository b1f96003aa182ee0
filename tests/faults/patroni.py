#!/usr/bin/env python3
"""Fails the primary of a PostgreSQL under Patroni again and again, beside load on auth-service and
on two task-services whose DATABASE_URL names its three members: its processes are killed, frozen
(as when its machine is gone), and the role is handed over with patronictl.

Fails unless every write that was acknowledged is there, once; no read is older than a write
before it; every watch has all of it and does not end; and the services, which are never restarted,
are back within `--within` seconds of Patroni, beside the usual time of an answer; after a hand-over
within that time in all, unless Patroni itself takes longer. What counts is how long a caller waits
who repeats a call until it succeeds: the time between two answers would have the pauses of callers
in it, which are long between sign-ins.

Needs Debian's patroni, etcd-server, python3-etcd and postgresql-15, and psql."""

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path

import cluster
import drill
from failover_load import CALL_TIMEOUT, KINDS, PASSWORD, Load, User

URL = "http://localhost:3000"
SETTLE = 3
# The span before a disruption whose longest wait for an answer is the usual one.
USUAL = 10


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


async def disrupt(options, load, members, what):
    """Fails the primary in one way; prints what it took, and adds what was too long."""
    await asyncio.to_thread(members.wait_until_whole)
    old = await asyncio.to_thread(members.primary)
    await asyncio.sleep(SETTLE)
    measured, begun = members.measure(old), time.monotonic()
    usual = {kind: load.longest_wait(kind, begun - USUAL, begun) for kind in KINDS}
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
    if what != "switchover":
        # A frozen one is ended as Patroni's watchdog ends it. Where there is none and its processes
        # go on, its Patroni may take the lease back, and with it what was acknowledged meanwhile.
        old.kill()
        old.start()
    shown = []
    failed = sum(len(load.failures(kind, begun - CALL_TIMEOUT, until)) for kind in KINDS)
    for kind in KINDS:
        outage = load.longest_wait(kind, begun, until)
        late = load.failures(kind, taken + options.within, until)
        shown.append(f"{kind} {outage:.1f} s")
        at_most = max(options.within, patroni) if what == "switchover" else options.within + patroni
        most = at_most + usual[kind]
        if outage > most:
            load.faults.append(f"{what}: {kind} was away for {outage:.1f} s, more than {most:.1f}")
        if late:
            load.faults.append(f"{what}: {len(late)} calls of {kind} fail "
                               f"{late[-1].begun - taken:.1f} s after the new primary works")
    print(f"{what:10}  no member takes writes for {patroni:.1f} s; longest wait for "
          f"an answer: {', '.join(shown)}; {failed} calls failed", flush=True)


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
    if load.resumed:
        load.faults.append(f"watches ended {load.resumed} times")
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
