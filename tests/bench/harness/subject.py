"""What is measured: a server on a database, with users and their tasks in it."""

import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from . import call, load, message
from .process import Process

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
        chosen = self.ids[first:first + load.LANES]
        return [load.Lane(f"{SERVICE}/{path}", self.tokens[user], body(user)) for user in chosen]


class Subject:
    """One server, its workloads by name, and what a start of it was like."""

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
                list(pool.map(lambda lane: load.repeat(process.address, lane, TASKS), lanes))
            made = [call.call(process.address, lane.path, lane.token, lane.body)
                    for lane in lanes[load.LANES:2 * load.LANES]]
            self.store.settle()
        ids = dict(zip(users.ids[load.LANES:], (message.first_text(m, 1, 1) for m in made)))
        # Creations make lists grow, so each workload has users of its own.
        self.workloads = {
            "list": users.lanes("ListTasks", message.list_page, 2 * load.LANES),
            "get": users.lanes("GetTask", lambda user: message.get(user, ids[user]), load.LANES),
            "create": users.lanes("CreateTask", message.create),
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
