#!/usr/bin/env python3
"""Has hundreds of clients with an address each watch through one listed proxy over HTTP/1.1,
beside ordinary requests and one client that opens as many watches as it can get.

Fails unless every client's watch is opened and receives a change, every ordinary request is
answered with 200, and the greedy client is stopped at what one may have."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import drill

PROXY = "127.0.0.9"
GREEDY = "127.0.0.99"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--watchers", type=int, default=600)
    parser.add_argument("--greedy", type=int, default=300, help="watches that one client wants")
    parser.add_argument("--most", type=int, default=128, help="that one client may have")
    parser.add_argument("--requests", type=int, default=300, help="ordinary ones")
    parser.add_argument("--within", type=float, default=10, help="seconds to hear of a change")
    return parser.parse_args()


class Proxy:
    """Passes each connection on, with the address it came from in the head of its request."""

    def __init__(self, upstream):
        host, port = upstream.rsplit(":", 1)
        self.upstream = (host, int(port))

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        port = self.server.sockets[0].getsockname()[1]
        return f"127.0.0.1:{port}"

    async def _serve(self, reader, writer):
        client = writer.get_extra_info("peername")[0]
        upstream = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            from_server, upstream = await asyncio.open_connection(
                *self.upstream, local_addr=(PROXY, 0))
            named = f"\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\r\n"
            upstream.write(head[:-4] + named.encode())
            # No request here has a body.
            while piece := await from_server.read(65536):
                writer.write(piece)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # also at the end of the run
        finally:
            writer.close()
            if upstream:
                upstream.close()


async def watch(address, source, path, token, want):
    """The status of a watch, and whether `want` came; ends when it does."""
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    head = f"GET {path} HTTP/1.1\r\nhost: drill\r\nauthorization: Bearer {token}\r\n\r\n"
    writer.write(head.encode())
    try:
        status = int((await reader.readuntil(b"\r\n")).split()[1])
    except (OSError, EOFError):
        status = "closed"

    async def heard():
        received = b""
        while piece := await reader.read(4096):
            received += piece
            if want in received:
                return True
        return False
    return status, heard, writer


def client(number):
    return f"127.0.{2 + number // 200}.{1 + number % 200}"


async def ordinary(address, path, token, number):
    caller = drill.Caller(address, f"127.0.10.{1 + number % 250}")
    began = time.monotonic()
    try:
        status, _, _ = await caller.ask("GET", path, [f"authorization: Bearer {token}"])
    except (OSError, EOFError) as fault:
        status = repr(fault)
    finally:
        caller.close()
    return status, time.monotonic() - began


async def run(options, server, token, user):
    address = await Proxy(server.http).start()
    path, title = f"/api/{user}/tasks", "Water the plants"
    watches, statuses = [], {}
    for number in range(options.watchers):
        watches.append(await watch(address, client(number), f"{path}/watch", token,
                                   title.encode()))
    for _ in range(options.greedy):
        status, _, writer = await watch(address, GREEDY, f"{path}/watch", token, b"")
        statuses[status] = statuses.get(status, 0) + 1
        watches.append((None, None, writer))
    asked = [await ordinary(address, path, token, number) for number in range(options.requests)]
    caller = drill.Caller(server.http)
    body = json.dumps({"title": title}).encode()
    headers = [f"authorization: Bearer {token}", "content-type: application/json"]
    made, _, _ = await caller.ask("POST", path, headers, body)
    assert made == 201, made
    began = time.monotonic()
    hearing = [asyncio.create_task(asyncio.wait_for(heard(), options.within))
               for status, heard, _ in watches if status == 200]
    heard = await asyncio.gather(*hearing, return_exceptions=True)
    took = time.monotonic() - began
    for _, _, writer in watches:
        writer.close()
    caller.close()
    opened = sum(status == 200 for status, _, _ in watches)
    return opened, sum(one is True for one in heard), took, statuses, asked


def main():
    options, faults = arguments(), []
    with drill.server(options.binary, TRUSTED_PROXIES=PROXY, ACCESS_TOKEN_TTL="1h") as server:
        headers = drill.sign_up(server.http, "owner@drill.example", "tulips and rain 42")
        token = headers["set-auth-jwt"]
        user = drill.subject(token)
        opened, heard, took, statuses, asked = asyncio.run(run(options, server, token, user))
        peak = server.peak_mib()
    good = sum(status == 200 for status, _ in asked)
    times = sorted(elapsed * 1e3 for _, elapsed in asked)
    shown = ", ".join(f"{status}: {count}" for status, count in statuses.items())
    print(f"{opened} of {options.watchers} clients watch, {heard} received a change within "
          f"{took:.1f} s; one client that wanted {options.greedy} watches got {shown}; {good} of "
          f"{len(asked)} ordinary requests answered with 200, p99 "
          f"{drill.percentile(times, 99):.0f} ms; {peak:.0f} MiB at most")
    if opened < options.watchers:
        faults.append(f"{options.watchers - opened} watches were refused")
    if heard < opened:
        faults.append(f"{opened - heard} watches received no change")
    if good < len(asked):
        faults.append(f"{len(asked) - good} ordinary requests were not answered with 200")
    if statuses.get(200, 0) != options.most:
        faults.append(f"the greedy client has {statuses.get(200, 0)} watches, not {options.most}")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
