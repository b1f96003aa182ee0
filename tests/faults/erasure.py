#!/usr/bin/env python3
"""Deletes accounts while auth-service and task-service are killed (SIGKILL) at every step of
what follows, on SQLite and on PostgreSQL. Fails unless the tasks are gone soon after both are
back, no other user misses one, and no account is ever seen half gone: a user with accounts,
sessions and no order to erase, or the order alone."""

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import drill

PATIENCE = 60.0
SECRET = os.urandom(24).hex()
URL = "http://localhost:3000"
WHOLE, GONE = (1, 1, 1, 0), (0, 0, 0, 1)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=Path("target/debug"), metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--postgres", default=os.environ.get(
        "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
        help="a server for databases of the drill's own; psql must be installed")
    parser.add_argument("--on", choices=["sqlite", "postgres"], action="append",
                        help="only this database")
    parser.add_argument("--tasks", type=int, default=5000,
                        help="the tasks of an account that takes several transactions to remove")
    parser.add_argument("--rounds", type=int, default=10,
                        help="deletions during which auth-service is killed at any moment")
    parser.add_argument("--within", type=float, default=10, metavar="S",
                        help="the longest until the tasks are gone")
    return parser.parse_args()


class Sqlite:
    def __init__(self, folder, name):
        self.path = folder / f"{name}.db"
        self.url = f"sqlite://{self.path}"

    def row(self, query):
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as file:
            return file.execute(query).fetchone()

    def drop(self):
        pass


class Postgres:
    def __init__(self, server, name):
        self.server, self.name = server, f"drill_{os.getpid()}_{name}"
        self.url = urlsplit(server)._replace(path=f"/{self.name}").geturl()
        drill.psql(server, f"CREATE DATABASE {self.name}")
        self.turn, self.session = threading.Lock(), subprocess.Popen(
            [*drill.PSQL, self.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)

    def row(self, query):
        with self.turn:
            self.session.stdin.write(query + ";\n")
            line = self.session.stdout.readline()
        return tuple(int(field) for field in line.strip().split("|"))

    def drop(self):
        self.session.stdin.close()
        self.session.wait()
        drill.psql(self.server, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


class Service:
    """A service that is killed and started again, always at the same ports."""

    def __init__(self, options, name, settings, folder):
        self.binary = (options.binaries / name).resolve()
        self.settings = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_URL": URL, "LAME_DUCK": "0",
                         "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0",
                         "ATTEMPT_LIMITS": "off", **settings}
        self.folder, self.log, self.child, self.lives = folder, folder / f"{name}.log", None, 0

    def start(self):
        self.lives += 1
        self.log = self.log.with_suffix(f".{self.lives}")
        self.child = drill.spawn(self.binary, self.folder, self.log, self.settings)
        self.settings["GRPC_ADDR"], self.settings["HTTP_ADDR"] = drill.listening(
            self.child, self.log)
        return self

    @property
    def grpc(self):
        return self.settings["GRPC_ADDR"]

    @property
    def http(self):
        return self.settings["HTTP_ADDR"]

    def kill(self):
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None

    def freeze(self):
        self.child.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.child.send_signal(signal.SIGCONT)


def wait(what, is_so, patience=PATIENCE, pause=0.01):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = is_so()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"not in time: {what}")


def ask(address, method, path, body=None, token=None, kind="application/json"):
    connection = http.client.HTTPConnection(address, timeout=60)
    headers = {"content-type": kind}
    if token:
        headers["authorization"] = f"Bearer {token}"
    with closing(connection):
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        if response.status not in (200, 201):
            raise SystemExit(f"{method} {path} answered {response.status}: {text}")
        return response.headers, text


class Account:
    def __init__(self, pair, tasks):
        self.pair = pair
        body = {"name": "Drill", "email": f"{os.urandom(8).hex()}@drill.example",
                "password": os.urandom(12).hex()}
        headers, text = ask(pair.auth.http, "POST", "/api/auth/sign-up/email", json.dumps(body))
        self.id, self.session = json.loads(text)["user"]["id"], json.loads(text)["token"]
        lines = "".join(json.dumps({"title": f"task {n}", "tags": ["drill"]}) + "\n"
                        for n in range(tasks))
        ask(pair.tasks.http, "POST", f"/api/{self.id}/tasks/import", lines,
            headers["set-auth-jwt"], "application/x-ndjson")

    def delete(self):
        """Returns when it is answered."""
        ask(self.pair.auth.http, "POST", "/api/auth/delete-user", "{}", self.session)

    def state(self):
        """Users, accounts, sessions and orders, as they are at one moment."""
        of = "(SELECT count(*) FROM {} WHERE {} = '%s')" % self.id
        user = of.format('"user"', '"id"')
        others = [of.format(f'"{table}"', '"userId"') for table in ("account", "session")]
        return self.pair.auth_data.row(
            "SELECT " + ", ".join([user, *others, of.format("erasure", "user_id")]))

    def attempts(self):
        return self.pair.auth_data.row(
            f"SELECT coalesce(max(attempts), 0) FROM erasure WHERE user_id = '{self.id}'")[0]

    def rows(self):
        """What task-service keeps."""
        tables = ("task", "task_reminder", "task_request", "task_revision")
        counts = [f"(SELECT count(*) FROM {table} WHERE user_id = '{self.id}')"
                  for table in tables]
        return self.pair.task_data.row("SELECT " + ", ".join(counts))


class Pair:
    """Both services on databases of their own, one account that stays, and a witness."""

    def __init__(self, options, backend, folder):
        self.options, self.backend = options, backend
        make = (lambda name: Sqlite(folder, name)) if backend == "sqlite" else (
            lambda name: Postgres(options.postgres, name))
        self.auth_data, self.task_data = make("auth"), make("tasks")
        self.tasks = Service(
            options, "task-service", {"DATABASE_URL": self.task_data.url}, folder).start()
        self.auth = Service(options, "auth-service", {
            "DATABASE_URL": self.auth_data.url,
            "TASK_SERVICE_URL": f"http://{self.tasks.grpc}"}, folder).start()
        self.stays = Account(self, 20)
        self.observed, self.faults = 0, []

    def stop(self):
        for service in (self.auth, self.tasks):
            service.kill()
        for data in (self.auth_data, self.task_data):
            data.drop()

    @contextmanager
    def witness(self, account):
        """Looks at the account again and again."""
        over = threading.Event()

        def look():
            while not over.is_set():
                state = account.state()
                self.observed += 1
                if state not in (WHOLE, GONE):
                    self.faults.append(f"{self.backend}: half gone: {state}")
                time.sleep(0.005)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def gone(self, step, account, since):
        wait(f"{step}: the tasks are gone", lambda: account.rows() == (0, 0, 0, 0))
        took = time.monotonic() - since
        print(f"{self.backend:8}  {step:62}  {took:5.2f} s", flush=True)
        if took > self.options.within:
            self.faults.append(f"{self.backend}: {step}: {took:.2f} s")
        if account.state() != GONE:
            self.faults.append(f"{self.backend}: {step}: {account.state()}")
        if self.stays.state() != WHOLE or self.stays.rows()[0] != 20:
            self.faults.append(f"{self.backend}: {step}: another user has lost something")

    def partly(self, account):
        wait("the removal is under way",
             lambda: 0 < account.rows()[0] < self.options.tasks, pause=0)


def nothing_fails(pair):
    account = Account(pair, 20)
    with pair.witness(account):
        account.delete()
        pair.gone("no process is killed", account, time.monotonic())


def auth_after_the_answer(pair):
    account = Account(pair, pair.options.tasks)
    with pair.witness(account):
        account.delete()
        pair.auth.kill()
        pair.auth.start()
        pair.gone("auth-service right after its answer", account, time.monotonic())


def auth_during_back_off(pair):
    account = Account(pair, 20)
    with pair.witness(account):
        pair.tasks.kill()
        account.delete()
        wait("it is tried in vain", lambda: account.attempts() >= 3)
        pair.auth.kill()
        pair.auth.start()
        wait("it is tried again", lambda: account.attempts() >= 5)
        pair.tasks.start()
        pair.gone("auth-service during back-off, task-service away", account, time.monotonic())


def auth_during_the_call(pair):
    account = Account(pair, 20)
    with pair.witness(account):
        pair.tasks.freeze()
        account.delete()
        wait("it is being asked", lambda: account.attempts() >= 1)
        pair.auth.kill()
        pair.auth.start()
        pair.tasks.thaw()
        pair.gone("auth-service during a call that is not answered", account, time.monotonic())


def auth_during_the_purge(pair):
    account = Account(pair, pair.options.tasks)
    with pair.witness(account):
        account.delete()
        pair.partly(account)
        pair.auth.kill()
        pair.auth.start()
        pair.gone("auth-service during the purge", account, time.monotonic())


def tasks_during_the_purge(pair):
    account = Account(pair, pair.options.tasks)
    with pair.witness(account):
        account.delete()
        pair.partly(account)
        pair.tasks.kill()
        left = account.rows()[0]
        pair.tasks.start()
        pair.gone(f"task-service during the purge, {left} of {pair.options.tasks} left", account,
                  time.monotonic())


def both_during_the_purge(pair):
    account = Account(pair, pair.options.tasks)
    with pair.witness(account):
        account.delete()
        pair.partly(account)
        pair.tasks.kill()
        pair.auth.kill()
        pair.auth.start()
        pair.tasks.start()
        pair.gone("both during the purge", account, time.monotonic())


def auth_before_the_answer(pair):
    """At any moment of the call: it has happened, or it has not."""
    gone = 0
    for _ in range(pair.options.rounds):
        account = Account(pair, 5)
        with pair.witness(account):
            asking = threading.Thread(target=lambda: quietly(account.delete))
            asking.start()
            time.sleep(random.uniform(0, 0.06))
            pair.auth.kill()
            asking.join()
            state = account.state()
            pair.auth.start()
            if state == GONE:
                gone += 1
                wait("the tasks are gone", lambda: account.rows() == (0, 0, 0, 0))
            elif account.rows()[0] != 5:
                pair.faults.append(f"{pair.backend}: {state} and {account.rows()}")
    print(f"{pair.backend:8}  auth-service before its answer, {pair.options.rounds} times: "
          f"{gone} accounts are gone", flush=True)


def quietly(call):
    try:
        call()
    except (OSError, http.client.HTTPException):
        pass  # it was killed


STEPS = (nothing_fails, auth_before_the_answer, auth_after_the_answer, auth_during_back_off,
         auth_during_the_call, auth_during_the_purge, tasks_during_the_purge,
         both_during_the_purge)


def main():
    options = arguments()
    faults = []
    for backend in options.on or ["sqlite", "postgres"]:
        with tempfile.TemporaryDirectory(prefix="erasure-") as folder:
            pair = Pair(options, backend, Path(folder))
            try:
                for step in STEPS:
                    step(pair)
            finally:
                pair.stop()
            print(f"{backend:8}  {pair.observed} states of accounts were looked at")
            faults += pair.faults
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
