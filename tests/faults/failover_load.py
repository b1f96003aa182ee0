"""The load of drills that fail a database: callers of both services, one after the other for each
user and kind of call, and what they were answered."""

import asyncio
import json
import re
import secrets
import time
from dataclasses import dataclass, field

import drill

# Longer than the deadline of a call.
CALL_TIMEOUT = 7
# The longest until a watch finds a change whose notification is lost.
HEARTBEAT = 20
PASSWORD = "tulips and rain 42"
KINDS = ("create", "update", "read", "sign-in")
TITLE = re.compile(r'"title":"(made [^"]+)"')
FAILED = (OSError, EOFError, asyncio.IncompleteReadError, asyncio.TimeoutError)


@dataclass
class Wait:
    """Of a caller, from the first attempt of a call to the one that succeeds."""

    kind: str
    begun: float
    ended: float | None = None


@dataclass
class Call:
    kind: str
    begun: float
    ended: float
    status: object

    @property
    def is_good(self):
        return self.status in (200, 201)


@dataclass
class User:
    id: str
    email: str
    token: str
    made: dict = field(default_factory=dict)  # title of each acknowledged task: its id
    sessions: list = field(default_factory=list)
    seen: set = field(default_factory=set)  # titles of the watch
    notes: int = 0  # of the last acknowledged update
    task: str = ""

    def headers(self, *more):
        return [f"authorization: Bearer {self.token}", "content-type: application/json", *more]


class Load:
    """Calls of all kinds, one after the other for each user and kind, until it is over."""

    def __init__(self, options, auth, tasks, users):
        self.options, self.auth, self.tasks, self.users = options, auth, tasks, users
        self.calls, self.waits, self.faults = [], [], []
        self.over, self.resumed = False, 0

    async def ask(self, kind, caller, method, path, headers, body=None):
        """The answer's JSON, once the call has succeeded: it is repeated until then."""
        payload = b"" if body is None else json.dumps(body).encode()
        wait = Wait(kind, time.monotonic())
        self.waits.append(wait)
        while True:
            begun, status, content = time.monotonic(), None, b""
            try:
                asked = caller.ask(method, path, headers, payload)
                status, _, content = await asyncio.wait_for(asked, CALL_TIMEOUT)
            except FAILED as fault:
                status = repr(fault)
            self.calls.append(Call(kind, begun, time.monotonic(), status))
            if self.calls[-1].is_good:
                wait.ended = time.monotonic()
                return json.loads(content)
            if isinstance(status, int) and status != 503:
                self.faults.append(f"{kind} answered {status}: {content[:200]}")
            await asyncio.sleep(self.options.pause)

    async def create(self, user, service):
        caller, number = drill.Caller(service), 0
        while not self.over:
            number += 1
            title = f"made {number} of {user.id}"
            key = f"idempotency-key: {secrets.token_hex(16)}"
            made = await self.ask("create", caller, "POST", f"/api/{user.id}/tasks",
                                  user.headers(key), {"title": title})
            user.made[title] = made["id"]
            await asyncio.sleep(self.options.pause)

    async def update(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            notes = user.notes + 1
            await self.ask("update", caller, "PATCH", f"/api/{user.id}/tasks/{user.task}",
                           user.headers(), {"description": f"{notes}"})
            user.notes = notes
            await asyncio.sleep(self.options.pause)

    async def read(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            least = user.notes
            found = await self.ask("read", caller, "GET", f"/api/{user.id}/tasks/{user.task}",
                                   user.headers())
            if int(found["description"]) < least:
                self.faults.append(f"a read has {found['description']} after {least}")
            await asyncio.sleep(self.options.pause)

    async def sign_in(self, user, service):
        caller = drill.Caller(service)
        while not self.over:
            answer = await self.ask("sign-in", caller, "POST", "/api/auth/sign-in/email",
                                    ["content-type: application/json"],
                                    {"email": user.email, "password": PASSWORD})
            user.sessions.append(answer["token"])
            await asyncio.sleep(self.options.pause * 40)  # a password is hashed

    async def watch(self, user, service):
        """At the service that does not make the tasks. A watch outlasts every outage of this drill;
        one that ends all the same is resumed where it was, as clients do, and counted."""
        host, port = service.rsplit(":", 1)
        last = ""
        while True:
            reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
            head = [f"GET /api/{user.id}/tasks/watch HTTP/1.1", "host: drill",
                    "connection: close", *user.headers(*([f"last-event-id: {last}"] * bool(last)))]
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
            try:
                while line := await reader.readline():
                    if line.startswith(b"id:"):
                        last = line[3:].strip().decode()
                    user.seen.update(TITLE.findall(line.decode()))
            except OSError as fault:
                self.faults.append(f"a watch broke off: {fault!r}")
            finally:
                writer.close()
            self.resumed += 1
            await asyncio.sleep(1)

    async def start(self):
        jobs = []
        for user in self.users:
            jobs += [self.create(user, self.tasks[0]), self.update(user, self.tasks[0]),
                     self.read(user, self.tasks[1]), self.sign_in(user, self.auth)]
        self.watching = [asyncio.create_task(self.watch(user, self.tasks[1]))
                         for user in self.users]
        self.asking = [asyncio.create_task(job) for job in jobs]

    async def stop(self):
        self.over = True
        await asyncio.gather(*self.asking)
        await asyncio.sleep(HEARTBEAT)
        for one in self.watching:
            one.cancel()
        await asyncio.gather(*self.watching, return_exceptions=True)

    def longest_wait(self, kind, since, until):
        """The longest wait for an answer, of callers who waited in this span."""
        waits = ((wait.ended or until) - wait.begun for wait in self.waits
                 if wait.kind == kind and (wait.ended or until) >= since and wait.begun < until)
        return max(waits, default=0)

    def failures(self, kind, since, until):
        """The failures among calls that began in this span."""
        return [call for call in self.calls
                if call.kind == kind and not call.is_good and since <= call.begun < until]
