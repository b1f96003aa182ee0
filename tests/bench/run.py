#!/usr/bin/env python3
"""Measures task-service and the sessions of auth-service on SQLite and on PostgreSQL, each
over gRPC and as JSON over HTTP/1.1, and the gate alone, against the budgets; prints
markdown. Needs Linux, cargo, h2load and nghttp (package nghttp2-client); PostgreSQL at
TEST_DATABASE_URL, with psql beside it, is used where it answers."""

import argparse
import os
import secrets
import sys
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import load, message, report, tools  # noqa: E402
from harness.database import Postgres, Sqlite  # noqa: E402
from harness.subject import USERS, Subject, Users  # noqa: E402
from harness.tools import note  # noqa: E402
from harness.wire import WIRES, Grpc, NotReal  # noqa: E402

TASK_CALLS, AUTH_CALLS = ["list", "get", "create"], ["session"]
CALLS = TASK_CALLS + AUTH_CALLS
PARTS = ["postgres", "sqlite", "gate", "start", *CALLS]
FLOOR = "floor, "
AUTH_ON_SQLITE = "auth-service, SQLite"
GATE_ON, GATE_OFF = "in memory, gate on", "in memory, gate off"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="length of one burst (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts of each kind (default 3)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=PARTS,
                        metavar="PART,…", help=f"some of: {', '.join(PARTS)}; naming only calls "
                        "measures them on both databases, naming only databases all calls on them")
    parser.add_argument("--wire", type=lambda text: text.split(","), default=list(WIRES),
                        metavar="WIRE,…", help=f"some of: {', '.join(WIRES)} (default all; the "
                        "gate is measured over gRPC)")
    parser.add_argument("--shape", type=load.Shape.parse, action="append", metavar="CxS",
                        help="C connections with S streams each, such as 8x4; may be repeated "
                        "(default 32x1); several streams are gRPC's alone")
    parser.add_argument("--binaries", type=Path, metavar="FOLDER",
                        help="measure release binaries that are there already")
    parser.add_argument("--check", action="store_true", help="exit with 3 if a budget is missed")
    options = parser.parse_args()
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"--only: not known: {', '.join(sorted(unknown))}")
    unknown = set(options.wire) - set(WIRES)
    if unknown:
        parser.error(f"--wire: not known: {', '.join(sorted(unknown))}")
    if not (1 <= options.seconds <= 60 and 1 <= options.rounds <= 20):
        parser.error("--seconds takes 1 to 60, --rounds 1 to 20")
    options.shape = options.shape or [load.Shape(32, 1)]
    return options


def chosen(options):
    """The databases and calls to measure."""
    only = set(options.only)
    databases = only & {"postgres", "sqlite"}
    calls = [name for name in CALLS if name in only]
    if databases or calls:
        return databases or {"postgres", "sqlite"}, calls or CALLS
    return ({"postgres", "sqlite"}, []) if "start" in only else (set(), [])


def subjects(options, binaries, settings, folder, stack):
    """Every server to measure, seeded and running, with its workloads by name."""
    databases, calls = chosen(options)
    wires = [WIRES[name] for name in options.wire]
    users = Users(binaries, settings, USERS if databases else load.LANES)
    stores = [("sqlite", lambda purpose: Sqlite(folder / f"sqlite-{purpose}")),
              ("postgres", Postgres.fresh)]
    makers = [("tasks", TASK_CALLS, lambda *place: tasks(users, *place)),
              ("auth", AUTH_CALLS, sessions)]
    found = []
    for (name, fresh), (purpose, its_calls, make) in product(stores, makers):
        if name not in databases or not set(calls or TASK_CALLS) & set(its_calls):
            continue
        store = fresh(purpose)
        if store is None:
            continue
        stack.callback(store.drop)
        place = {**settings, "DATABASE_URL": store.url}
        subject = make(binaries, place, store, folder / f"{name}-{purpose}", stack)
        subject.workloads = {(wire, call): lanes for (wire, call), lanes
                             in subject.workloads.items() if wire in wires and call in calls}
        found.append(subject)
        if purpose == "tasks" and subject.workloads:
            found.append(floor(subject, binaries, place, folder / f"{name}-floor", stack))
    if "gate" in options.only:
        for name, gate in [(GATE_ON, "on"), (GATE_OFF, "off")]:
            command = [binaries / "bench-stub", "--gate", gate]
            subject = Subject(name, command, settings, None, folder / f"gate-{gate}")
            stack.callback(subject.close)
            subject.start()
            subject.workloads = {(Grpc, "list"): users.lanes("ListTasks", message.list_page)}
            found.append(subject)
    return found


def tasks(users, binaries, place, store, folder, stack):
    """task-service, with tasks in it."""
    subject = Subject(store.name, [binaries / "task-service"], place, store, folder)
    stack.callback(subject.close)
    note(f"{subject.name}: seeding")
    subject.seed(users)
    subject.start_timed(subject.workloads[Grpc, "list"][0])
    return subject


def floor(subject, binaries, place, folder, stack):
    """The same stack with nothing of ours in it, on the same tasks."""
    store = subject.store
    beside = Subject(FLOOR + store.name, [binaries / "bench-floor"], place, store, folder)
    stack.callback(beside.close)
    beside.start()
    beside.workloads = subject.workloads
    return beside


def sessions(binaries, place, store, folder, stack):
    """auth-service, with accounts in it. What takes a password is scrypt's cost, not ours."""
    name = f"auth-service, {store.name}"
    subject = Subject(name, [binaries / "auth-service"], place, store, folder)
    stack.callback(subject.close)
    note(f"{name}: signing up")
    subject.sign_up()
    subject.start_timed(subject.workloads[Grpc, "session"][0])
    return subject


def auth_service(binaries, settings, folder, stack):
    """Its memory and its start."""
    place = {**settings, "DATABASE_URL": f"sqlite://{folder}/auth/auth.db"}
    subject = Subject(AUTH_ON_SQLITE, [binaries / "auth-service"], place, None, folder / "auth")
    stack.callback(subject.close)
    health = load.Lane("/grpc.health.v1.Health/Check", None, message.empty())
    subject.start().stop()
    subject.start_timed(health)
    return subject


def main():
    options = arguments()
    tools.require("h2load", "nghttp", "cargo")
    binaries = options.binaries or tools.build()
    settings = {
        "BETTER_AUTH_SECRET": secrets.token_hex(32), "BETTER_AUTH_URL": "http://localhost:8000",
        "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0",
        "MAX_CONNECTIONS_PER_ADDRESS": "512",
        "ATTEMPT_LIMITS": "off",
        "RUST_LOG": "info",
    }
    load_before = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        servers = subjects(options, binaries.resolve(), settings, folder, stack)
        processes = [subject for subject in servers if subject.start_ms is not None]
        if "start" in options.only and not any(s.name == AUTH_ON_SQLITE for s in processes):
            processes.append(auth_service(binaries.resolve(), settings, folder, stack))
        bursts, loaded = measure(options, servers, folder)
    out, paper = [report.conditions(options, load_before), ""], report.Report()
    if bursts:
        out += [*paper.bursts(bursts), ""]
    out += ["| what | measured | budget | met |", "|---|---:|---:|---|",
            *paper.floor(bursts, FLOOR), *paper.gate(bursts, GATE_ON, GATE_OFF),
            *paper.protocols(bursts),
            *paper.processes(processes, loaded)]
    print("\n".join(out))
    return 3 if options.check and paper.missed else 0


def measure(options, servers, folder):
    """Bursts by (server, wire, call, shape), and memory after the last of them."""
    plan = [(subject, wire, name, lanes, shape) for shape in options.shape for subject in servers
            for (wire, name), lanes in subject.workloads.items() if wire.takes(shape)]
    for subject, _, _, lanes, shape in plan:
        load.burst(subject.process, subject.store, lanes, shape, 1, folder)  # warm-up
    bursts = {(subject.name, wire.name, name, shape): [] for subject, wire, name, _, shape in plan}
    for number in range(options.rounds):
        note(f"round {number + 1} of {options.rounds}")
        for subject, wire, name, lanes, shape in plan:
            bursts[subject.name, wire.name, name, shape].append(
                load.burst(subject.process, subject.store, lanes, shape, options.seconds, folder))
    loaded = {s.name: s.process.memory() for s in servers if s.workloads and s.store}
    return bursts, loaded


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotReal as fault:
        sys.exit(f"not measured: {fault}")
