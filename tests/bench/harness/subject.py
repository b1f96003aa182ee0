"""What is measured: a server on a database, with users and what is theirs in it."""

import http.client
import json
import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from . import call, load, message
from .process import Process
from .wire import Grpc, Json

SERVICE = "/task.v1.TaskService"
USERS = 200
TASKS = message.PAGE
STARTS = 5

# Time for the allocator and the start-up code to settle before memory is read.
IDLE = 1.0


class Users:
    """Some users and their tokens, minted as an operator would."""

    def __init__(self, binaries, settings, count):
        self.ids = [f"bench-user-{number:06}" for number in range(count)]
        mint = [binaries / "auth-service", "token", "--ttl=1h", "--user-id"]
        with ThreadPoolExecutor(4) as pool:
            tokens = pool.map(lambda user: subprocess.run(
                [*mint, user], env=settings, check=True, capture_output=True, text=True,
                timeout=20).stdout.strip(), self.ids)
            self.tokens = dict(zip(self.ids, tokens))

    def lanes(self, path, body, first=0):
        """The calls of `load.LANES` users, from the `first` on."""
        return [load.Lane(f"{SERVICE}/{path}", self.tokens[user], body(user))
                for user in self._chosen(first)]

    def requests(self, path, body=None, first=0):
        """The same as JSON: `path` from the user, `body` where one is sent."""
        return [load.Lane(path(user), self.tokens[user], body, Json)
                for user in self._chosen(first)]

    def _chosen(self, first):
        return self.ids[first:first + load.LANES]


class Subject:
    """One server, its workloads by wire and name, and what a start of it was like."""

    def __init__(self, name, command, settings, store, folder):
        self.name, self.store, self.folder = name, store, folder
        self._command, self._settings = command, settings
        self.process, self.workloads = None, {}
        self.start_ms = self.idle = None
        folder.mkdir(parents=True)

    def start(self):
        self.process = Process(self._command, self._settings, self.folder / "log")
        return self.process

    def seed(self, users):
        """`TASKS` tasks for each user; the database exists from here on."""
        with self.start() as process:
            lanes = [load.Lane(f"{SERVICE}/CreateTask", users.tokens[user], message.create(user))
                     for user in users.ids]
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda lane: load.repeat(process, lane, TASKS), lanes))
            made = [call.call(process.address, lane.path, lane.token, lane.body)
                    for lane in lanes[load.LANES:2 * load.LANES]]
            self.store.settle()
        ids = dict(zip(users.ids[load.LANES:], (message.first_text(m, 1, 1) for m in made)))
        # Creations make lists grow, so each workload has users of its own.
        listed, got = 2 * load.LANES, load.LANES
        self.workloads = {
            (Grpc, "list"): users.lanes("ListTasks", message.list_page, listed),
            (Json, "list"): users.requests(
                lambda user: f"/api/{user}/tasks?page_size={message.PAGE}", None, listed),
            (Grpc, "get"): users.lanes("GetTask", lambda user: message.get(user, ids[user]), got),
            (Json, "get"): users.requests(
                lambda user: f"/api/{user}/tasks/{ids[user]}", None, got),
            (Grpc, "create"): users.lanes("CreateTask", message.create),
            (Json, "create"): users.requests(
                lambda user: f"/api/{user}/tasks", message.create_json()),
        }

    def sign_up(self):
        """Sessions for `load.LANES` new users, at auth-service itself."""
        with self.start() as process:
            tokens = [_session(process.http, number) for number in range(load.LANES)]
            self.store.settle()
        self.workloads = {
            (Grpc, "session"): [load.Lane("/auth.v1.SessionService/GetSession", token,
                                          message.empty()) for token in tokens],
            (Json, "session"): [load.Lane("/api/auth/get-session", token, None, Json)
                                for token in tokens],
        }

    def start_timed(self, lane):
        """Starts it for good, after some starts for the clock: from the birth of the
        process to the first answer, the port's look-up in the log included."""
        spans = []
        for number in range(STARTS):
            process = self.start()
            try:
                call.call(process.address, lane.path, lane.token, lane.body)
            except BaseException:
                process.stop()
                raise
            spans.append((time.perf_counter() - process.started) * 1e3)
            if number + 1 < STARTS:
                process.stop()
        self.start_ms = statistics.median(spans)
        time.sleep(IDLE)
        self.idle = self.process.memory()

    def close(self):
        if self.process:
            self.process.stop()


def _session(address, number):
    """The session token of a new account."""
    body = {"name": "Ada", "email": f"ada-{number}@bench.example", "password": os.urandom(12).hex()}
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/api/auth/sign-up/email", json.dumps(body),
                       {"content-type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise load.NotReal(f"sign-up answered {response.status}: {answer.decode()}")
    return json.loads(answer)["token"]
