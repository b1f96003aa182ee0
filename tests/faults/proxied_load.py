"""Calls of every protocol through a proxy at a steady rate, and watches that go on where they were:
what failed, what was created, and what was heard."""

import asyncio
import contextlib
import json
import ssl
import time

import drill
import grpc_wire

CREATE, WATCH = "/task.v1.TaskService/CreateTask", "/task.v1.TaskService/WatchTasks"
CHECK = "/grpc.health.v1.Health/Check"
EMAIL, PASSWORD = "ada@drill.example", "correct horse battery"


class Load:
    """Calls through a proxy, and what became of them."""

    def __init__(self, options, front, folder):
        self.options, self.front, self.chain = options, front, folder / "chain.pem"
        self.tls = ssl.create_default_context(cafile=self.chain)
        self.idle, self.faults, self.counts, self.created = {}, [], {}, set()
        self.stopping = False

    async def ask(self, port, *request, source="127.0.0.1"):
        """A request on a connection that is kept."""
        address, key = self.front.address, (port, source)
        kept = self.idle.setdefault(key, [])
        caller = kept.pop() if kept else drill.Caller(address, source, self.tls)
        answer = await asyncio.wait_for(caller.ask(*request), self.options.patience)
        kept.append(caller)
        return answer

    async def begin(self):
        """An account, made by a client with an address of its own that forges another."""
        body = json.dumps({"name": "Ada", "email": EMAIL, "password": PASSWORD}).encode()
        headers = ["content-type: application/json", "x-forwarded-for: 6.6.6.6"]
        for _ in range(5):  # a hash may take longer than a call may, on a busy machine
            status, _, text = await self.ask("8001", "POST", "/api/auth/sign-up/email", headers,
                                             body, source="127.0.0.77")
            if status != 503:
                break
        assert status == 200, (status, text)
        self.session = f"authorization: Bearer {json.loads(text)['token']}"
        self.token = (await self.ask("8001", "GET", "/api/auth/token", [self.session]))[2]
        self.token = json.loads(self.token)["token"]
        self.bearer, self.user = f"authorization: Bearer {self.token}", drill.subject(self.token)
        web = drill.Caller(self.front.address, "127.0.0.78", self.tls)
        for _ in range(5):
            status = await web.sign_in_grpc(EMAIL, PASSWORD, ["x-forwarded-for: 6.6.6.6"])
            if status != 503:
                break
        assert status == 200, status
        web.close()
        _, _, text = await self.ask("8001", "GET", "/api/auth/list-sessions", [self.session])
        seen = sorted(session["ipAddress"] for session in json.loads(text))
        assert seen == ["127.0.0.77", "127.0.0.78"], f"addresses seen: {seen}"

    async def list(self):
        status, _, _ = await self.ask("8002", "GET", f"/api/{self.user}/tasks?page_size=5",
                                      [self.bearer])
        return status == 200 or status

    async def create(self, title):
        body = json.dumps({"title": title}).encode()
        headers = [self.bearer, "content-type: application/json"]
        status, _, _ = await self.ask("8002", "POST", f"/api/{self.user}/tasks", headers, body)
        return status == 201 or status

    async def create_web(self, title):
        headers = [self.bearer, "content-type: application/grpc-web+proto"]
        message = grpc_wire.frame((1, self.user), (2, title))
        answer = await self.ask("50052", "POST", CREATE, headers, message)
        return grpc_wire.web_status(answer) == 0 or answer

    async def create_grpc(self, title):
        message = grpc_wire.frame((1, self.user), (2, title))
        return await grpc_wire.unary(self.url("50052", CREATE), self.chain, message, self.bearer)

    async def health(self):
        status, _, _ = await self.ask("8002", "GET", "/livez")
        if status != 200:
            return status
        return await grpc_wire.unary(self.url("50052", CHECK), self.chain, grpc_wire.frame())

    async def session_of(self):
        status, _, text = await self.ask("8001", "GET", "/api/auth/get-session", [self.session])
        return status == 200 and b"127.0.0.77" in text or status

    def url(self, port, path):
        return f"https://{self.front.address}{path}"

    async def call(self, kind, *title):
        """One call, which has one chance."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        try:
            answer = await getattr(self, kind)(*title)
        except (OSError, EOFError, TimeoutError, ValueError) as fault:
            answer = repr(fault)
        if answer is not True:
            self.faults.append(f"{kind}: {answer}")
        elif title:
            self.created.update(title)

    async def run(self):
        """Calls at the rate, until the end."""
        kinds = ["list", "create", "create_web", "list", "session_of", "create", "create_web",
                 "list", "create_grpc", "list", "create", "create_web", "session_of", "health"]
        begun, number, calls = time.monotonic(), 0, set()
        while not self.stopping:
            kind = kinds[number % len(kinds)]
            number += 1
            title = [f"task {number}."] if kind.startswith("create") else []
            calls.add(call := asyncio.create_task(self.call(kind, *title)))
            call.add_done_callback(calls.discard)
            await asyncio.sleep(max(0, begun + number / self.options.rate - time.monotonic()))
        await asyncio.gather(*calls)

    async def watch(self, heard):
        """Server-sent events, from the last one on where a stream ends."""
        last = pending = []
        while True:
            host, port = self.front.address.split(":")
            reader, writer = await asyncio.open_connection(host, int(port), ssl=self.tls)
            head = [f"GET /api/{self.user}/tasks/watch HTTP/1.1", f"host: {host}", self.bearer,
                    *last]
            writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
            with contextlib.suppress(OSError, EOFError):
                status = int((await reader.readuntil(b"\r\n")).split()[1])
                if status != 200:
                    self.faults.append(f"watch: {status}")
                while line := (await reader.readuntil(b"\n")).decode().strip():
                    pass  # the head
                async for line in lines_of(reader):
                    if line.startswith(b"id: "):
                        # Of a whole event: the id stands before the data it is about.
                        pending = [f"last-event-id: {line[4:].decode().strip()}"]
                    if line.startswith(b"data: ") and b'"title":"' in line:
                        heard.add(line.split(b'"title":"')[1].split(b'"')[0].decode())
                    if not line:
                        last = pending
            writer.close()
            await asyncio.sleep(0.3)

    async def watch_grpc(self, heard):
        await grpc_wire.watch(self.url("50052", WATCH), self.chain, self.bearer, self.user, heard)


async def lines_of(reader):
    """The lines of a chunked body, whose chunks may end anywhere: nginx sends full buffers."""
    rest = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        rest += await reader.readexactly(size)
        await reader.readexactly(2)
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line


async def until(condition, patience):
    """Whether it became true in time."""
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.02)
    return condition()
