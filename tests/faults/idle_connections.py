#!/usr/bin/env python3
"""Holds as many idle HTTP/2 connections as it can get, from several addresses, and asks beside
them from an address of its own as a normal caller does: by turns on a new connection and on
one that is kept. Where a connection is closed, another is opened at once.

First from three addresses, then from so many that together they could fill the server. Fails
unless every normal request is answered with 200, and the log stays short."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import drill

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
NORMAL = "127.0.0.200"
REACHED = "a limit is reached"
# One line for each limit in ten seconds, and the first lines at once.
LINES_PER_SECOND = 1.1


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--connections", type=int, default=1500, help="that are held in all")
    parser.add_argument("--addresses", type=int, nargs="+", default=[3, 12],
                        help="that they come from, for each run")
    parser.add_argument("--seconds", type=float, default=20, help="length of a run")
    parser.add_argument("--rate", type=float, default=20, help="normal requests per second")
    parser.add_argument("--pause", type=float, default=5,
                        help="seconds until a connection that was closed is opened again")
    return parser.parse_args()


class Attack:
    """Idle connections, and how often they were closed."""

    def __init__(self, address, pause):
        host, port = address.rsplit(":", 1)
        self.address, self.pause = (host, int(port)), pause
        self.held, self.most, self.closed, self.failed = 0, 0, 0, 0

    async def hold(self, source):
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    *self.address, local_addr=(source, 0))
            except OSError:
                self.failed += 1
                await asyncio.sleep(self.pause)
                continue
            self.held += 1
            self.most = max(self.most, self.held)
            try:
                writer.write(PREFACE)
                while await reader.read(4096):
                    pass  # its greeting, its good-bye
            except OSError:
                pass
            finally:
                self.held -= 1
                writer.close()
            self.closed += 1
            await asyncio.sleep(self.pause)


async def normal(server, number, kept):
    """The status, or what went wrong; and after how long."""
    caller = kept if number % 2 else drill.Caller(server.http, NORMAL)
    began = time.monotonic()
    try:
        status, _, _ = await asyncio.wait_for(caller.ask("GET", "/api/auth/get-session"), 10)
    except (OSError, EOFError, TimeoutError) as fault:
        status = f"{'kept' if number % 2 else 'new'} connection: {fault!r}"
    finally:
        if caller is not kept:
            caller.close()
    return status, time.monotonic() - began


async def run(options, server, addresses):
    attack, kept = Attack(server.http, options.pause), drill.Caller(server.http, NORMAL)
    holding = [asyncio.create_task(attack.hold(f"127.0.0.{2 + number % addresses}"))
               for number in range(options.connections)]
    await asyncio.sleep(2)  # the attack is there first
    begun, asked = time.monotonic(), []
    while time.monotonic() - begun < options.seconds:
        asked.append(await normal(server, len(asked), kept))
        await asyncio.sleep(max(0, begun + len(asked) / options.rate - time.monotonic()))
    kept.close()
    for task in holding:
        task.cancel()
    await asyncio.gather(*holding, return_exceptions=True)
    return attack, asked


def main():
    options, faults = arguments(), []
    for addresses in options.addresses:
        with drill.server(options.binary) as server:
            began = time.monotonic()
            attack, asked = asyncio.run(run(options, server, addresses))
            took, lines = time.monotonic() - began, server.count(REACHED)
            peak, cpu = server.peak_mib(), server.cpu_seconds()
        good = sum(status == 200 for status, _ in asked)
        times = sorted(elapsed * 1e3 for _, elapsed in asked)
        print(f"{addresses} addresses: {attack.most} idle connections at most, {attack.closed} "
              f"closed; {good} of {len(asked)} normal requests answered with 200, p99 "
              f"{drill.percentile(times, 99):.0f} ms; {lines} lines about limits in {took:.0f} s; "
              f"{peak:.0f} MiB at most, {cpu:.1f} s of CPU")
        if good < len(asked):
            first = next(status for status, _ in asked if status != 200)
            faults.append(f"{addresses} addresses: {len(asked) - good} were not ({first})")
        if not attack.closed:
            faults.append(f"{addresses} addresses: no idle connection was closed")
        if lines > 11 + took * LINES_PER_SECOND:
            faults.append(f"{addresses} addresses: the log grew at the pace of the attack")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
