#!/usr/bin/env python3
"""Fills the disk that SQLite's files are on, again and again, while others write: under
auth-service, under task-service, and under a standalone with both. Fails unless everything that
was answered with success is in the file at the end, for another process and after a restart,
and unless a sign-out that was answered has ended the session.

The disk is a tmpfs of its own, which takes root to mount."""

import argparse
import base64
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import drill

PASSWORD = os.urandom(12).hex()
SECRET = os.urandom(24).hex()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=Path("target/debug"), metavar="FOLDER",
                        help="where auth-service, task-service and standalone are")
    parser.add_argument("--under", choices=["auth-service", "task-service", "standalone"],
                        action="append", help="only this one")
    parser.add_argument("--rounds", type=int, default=5, help="how often the disk is full")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--mib", type=int, default=24, help="the size of the disk")
    return parser.parse_args()


class Disk:
    """A small file system, and a file that takes what is left of it."""

    def __init__(self, mib):
        self.folder = Path(tempfile.mkdtemp(prefix="full-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", self.folder],
                       check=True)
        self.ballast = self.folder / "ballast"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            for size in (1 << 16, 4096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass

    def free(self):
        self.ballast.unlink(missing_ok=True)

    def remove(self):
        subprocess.run(["umount", self.folder], check=True)
        self.folder.rmdir()


class Service:
    """A process that can be started again on the same data."""

    def __init__(self, binary, folder, **settings):
        self.binary, self.folder = binary, folder
        self.settings = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_URL": "http://localhost:3000",
                         "STORAGE_MIN_FREE": "off", # the disk is to be full to the last page
                         "LAME_DUCK": "0", "ATTEMPT_LIMITS": "off", **settings}
        self.lives, self.child = 0, None
        self.start()

    def start(self):
        self.lives += 1
        self.log = self.folder / f"{self.binary.name}.log.{self.lives}"
        settings = {"GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", **self.settings}
        self.child = drill.spawn(self.binary, self.folder, self.log, settings)
        self.grpc, self.http = drill.listening(self.child, self.log)

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(drill.STOP_PATIENCE)


@contextmanager
def under(name, options, disk, folder):
    """Who answers for accounts, who for tasks, and the two files."""
    files = {"auth": folder / "auth.db", "tasks": folder / "tasks.db"}
    if name in ("auth-service", "standalone"):
        files["auth"] = disk.folder / "auth.db"
    if name in ("task-service", "standalone"):
        files["tasks"] = disk.folder / "tasks.db"
    auth, tasks = (f"sqlite://{files[key]}" for key in ("auth", "tasks"))
    if name == "standalone":
        services = [Service(options.binaries / name, folder, AUTH_DATABASE_URL=auth,
                            TASK_DATABASE_URL=tasks)] * 2
    else:
        services = [Service(options.binaries / "auth-service", folder, DATABASE_URL=auth),
                    Service(options.binaries / "task-service", folder, DATABASE_URL=tasks)]
    try:
        yield services, files
    finally:
        for service in set(services):
            if service.child.poll() is None:
                service.stop()


def ask(address, method, path, token=None, body=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    with closing(HTTPConnection(address, timeout=60)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


class Account:
    def __init__(self, address):
        self.email = f"{os.urandom(8).hex()}@drill.example"
        body = {"name": "Drill", "email": self.email, "password": PASSWORD}
        for _ in range(5):  # a busy machine
            status, headers, text = ask(address, "POST", "/api/auth/sign-up/email", None, body)
            if status != 503:
                break
        if status != 200:
            raise SystemExit(f"sign-up answered {status}: {text.decode()}")
        self.session, self.token = headers["set-auth-token"], headers["set-auth-jwt"]
        claims = self.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        self.id = claims["sub"]


class Load:
    """Writers, and what they were answered."""

    def __init__(self, auth, tasks):
        self.auth, self.tasks, self.over = auth, tasks, threading.Event()
        self.turn, self.answers = threading.Lock(), Counter()
        self.made, self.names, self.opened, self.ended = [], {}, [], []
        self.turns = itertools.count()

    def note(self, what, status):
        with self.turn:
            self.answers[f"{what} {status}"] += 1
        return status in (200, 201)

    def write(self, account):
        while not self.over.is_set():
            try:
                self.step(account)
            except (OSError, HTTPException) as error:
                self.note("no answer", type(error).__name__)

    def step(self, account):
        """A task, a refused change, a name, a sign-in and a sign-out."""
        path = f"/api/{account.id}/tasks"
        body = {"title": "kept", "description": "x" * 2000}
        status, _, text = ask(self.tasks.http, "POST", path, account.token, body)
        if self.note("create", status):
            self.made.append(json.loads(text)["id"])
        missing = f"{path}/00000000-0000-7000-8000-000000000000"
        self.note("refused", ask(self.tasks.http, "DELETE", missing, account.token)[0])
        name = f"{time.monotonic_ns()} " + "x" * 150
        status, _, _ = ask(self.auth.http, "POST", "/api/auth/update-user", account.session,
                           {"name": name})
        if self.note("name", status):
            self.names[account.id] = {name}
        elif account.id in self.names:
            self.names[account.id].add(name)
        body = {"email": account.email, "password": PASSWORD}
        status, headers, _ = ask(self.auth.http, "POST", "/api/auth/sign-in/email", None, body)
        if self.note("sign-in", status):
            session = headers["set-auth-token"]
            if next(self.turns) % 2:
                self.opened.append(session)
                return
            status, _, _ = ask(self.auth.http, "POST", "/api/auth/sign-out", session, {})
            if self.note("sign-out", status):
                self.ended.append(session)

    def taken(self, account):
        """A sign-up with an e-mail that is taken: an ordinary refusal of a stranger."""
        body = {"name": "Eve", "email": account.email, "password": PASSWORD}
        status, _, _ = ask(self.auth.http, "POST", "/api/auth/sign-up/email", None, body)
        self.note("taken", status)


def stored(files, load):
    """What is not as it was answered, for another process."""
    faults = []
    with closing(sqlite3.connect(f"file:{files['tasks']}?mode=ro", uri=True, timeout=10)) as file:
        there = {row[0] if isinstance(row[0], str) else row[0].hex()
                 for row in file.execute("SELECT id FROM task")}
        there = {name.replace("-", "") for name in there}
        lost = [name for name in load.made if name.replace("-", "") not in there]
        if lost:
            faults.append(f"{len(lost)} of {len(load.made)} tasks are not stored")
    with closing(sqlite3.connect(f"file:{files['auth']}?mode=ro", uri=True, timeout=10)) as file:
        names = dict(file.execute('SELECT id, name FROM "user"'))
        lost = [who for who, may in load.names.items() if names.get(who) not in may]
        if lost:
            faults.append(f"{len(lost)} of {len(load.names)} names are not stored")
    return faults


def live(auth, session):
    status, _, text = ask(auth.http, "GET", "/api/auth/get-session", session)
    return status == 200 and json.loads(text) is not None


def sessions(load):
    faults = []
    lost = sum(not live(load.auth, session) for session in load.opened)
    if lost:
        faults.append(f"{lost} of {len(load.opened)} sign-ins open nothing")
    back = sum(live(load.auth, session) for session in load.ended)
    if back:
        faults.append(f"{back} of {len(load.ended)} sessions that were ended are live")
    return faults


def play(name, options, disk, folder):
    with under(name, options, disk, folder) as ((auth, tasks), files):
        accounts = [Account(auth.http) for _ in range(options.writers)]
        load = Load(auth, tasks)
        threads = [threading.Thread(target=load.write, args=[account]) for account in accounts]
        for thread in threads:
            thread.start()
        for _ in range(options.rounds):
            time.sleep(1.5)
            disk.fill()
            time.sleep(1.5)
            disk.free()
            load.taken(accounts[0])
        time.sleep(2)
        load.over.set()
        for thread in threads:
            thread.join()
        faults = stored(files, load) + sessions(load)
        for service in {auth, tasks}:
            service.stop()
            service.start()
        again = stored(files, load) + sessions(load)
        closed = sum(service.log.with_suffix(".1").read_text().count("unknown state is closed")
                     for service in {auth, tasks})
        print(f"{name}: full {options.rounds} times under {options.writers} writers: "
              f"{len(load.made)} tasks, {len(load.opened)} sign-ins and {len(load.ended)} sign-outs were "
              f"answered with success; connections closed: {closed}\n"
              f"  {dict(sorted(load.answers.items()))}", flush=True)
        return [f"{name}: {fault}" for fault in faults] + [
            f"{name}, started again: {fault}" for fault in again]


def main():
    options, faults = arguments(), []
    if os.geteuid() != 0:
        print("not run: a file system of its own takes root to mount")
        return
    for name in options.under or ["auth-service", "task-service", "standalone"]:
        disk = Disk(options.mib)
        try:
            with tempfile.TemporaryDirectory(prefix="drill-") as folder:
                faults += play(name, options, disk, Path(folder))
        finally:
            disk.remove()
    print("\n".join(faults) or "held")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
