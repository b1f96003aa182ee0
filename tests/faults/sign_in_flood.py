#!/usr/bin/env python3
"""Signs in from many connections at once, with limits of attempts off, so that the queue for
hashes alone holds them back; lists tasks beside it at a steady pace from another address.
Fails unless memory stays within its bound, every excess sign-in is refused soon, and no
list is late or fails. Needs a release build of standalone."""

import argparse
import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import drill

TASKS = 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--parallel", type=int, default=200, help="sign-ins at a time")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=50, help="lists per second")
    parser.add_argument("--pause", type=float, default=0.2,
                        help="seconds a refused caller rests; the answer asks for one")
    parser.add_argument("--memory", type=float, default=160, metavar="MiB")
    parser.add_argument("--refused-within", type=float, default=2.5, metavar="S")
    parser.add_argument("--p99", type=float, default=100, metavar="MS", help="of the lists")
    return parser.parse_args()


async def sign_in(options, address, number, end, answers):
    """One after the other, for as long as the drill lasts."""
    # One address may have 128 connections.
    caller = drill.Caller(address, f"127.0.1.{1 + number // 100}")
    while time.monotonic() < end:
        begun = time.monotonic()
        status = await caller.sign_in(f"user{number}@drill.example", "wrong horse")
        answers.setdefault(status, []).append(time.monotonic() - begun)
        if status != 401:
            await asyncio.sleep(options.pause)
    caller.close()


async def list_tasks(callers, path, headers, times, faults):
    caller = callers.pop() if callers else None
    if caller is None:
        faults.append("no connection was free")
        return
    begun = time.monotonic()
    try:
        status, _, _ = await caller.ask("GET", path, headers)
        times.append((time.monotonic() - begun) * 1e3)
        if status != 200:
            faults.append(f"answered {status}")
    except (OSError, EOFError) as fault:
        faults.append(repr(fault))
    callers.append(caller)


async def run(options, server, token):
    payload = token.split(".")[1]
    user = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
    path, headers = f"/api/{user}/tasks", [f"authorization: Bearer {token}"]
    other = [drill.Caller(server.http, "127.0.0.2") for _ in range(50)]
    for number in range(TASKS):
        body = json.dumps({"title": f"Water plant {number}"}).encode()
        await other[0].ask("POST", path, [*headers, "content-type: application/json"], body)
    answers, times, faults = {}, [], []
    begun = time.monotonic()
    end = begun + options.seconds
    flood = [asyncio.create_task(sign_in(options, server.http, number, end, answers))
             for number in range(options.parallel)]
    asked = []
    while time.monotonic() < end:
        # By the clock, not one after the other: a server that stalls is asked all the same.
        asked.append(asyncio.create_task(list_tasks(other, path, headers, times, faults)))
        await asyncio.sleep(max(0, begun + len(asked) / options.rate - time.monotonic()))
    await asyncio.gather(*asked, *flood)
    return answers, sorted(times), faults


def main():
    options = arguments()
    settings = {"ATTEMPT_LIMITS": "off", "MIMALLOC_PURGE_DELAY": "100"}  # as in the image
    with drill.server(options.binary, **settings) as server:
        email = "owner@drill.example"
        token = drill.sign_up(server.http, email, "correct horse battery")["set-auth-jwt"]
        answers, times, faults = asyncio.run(run(options, server, token))
        peak = server.peak_mib()
    for status, spans in sorted(answers.items()):
        print(f"sign-ins answered {status}: {len(spans)}, at most after {max(spans):.2f} s")
    p99 = drill.percentile(times, 99)
    print(f"lists: {len(times)} answered, {len(faults)} failed; p50 "
          f"{drill.percentile(times, 50):.1f} ms, p99 {p99:.1f} ms, most {times[-1]:.1f} ms")
    print(f"memory: {peak:.1f} MiB at its peak")
    missed = [f"list: {fault}" for fault in sorted(set(faults))]
    if peak > options.memory:
        missed.append(f"memory: over {options.memory:g} MiB")
    late = max((max(spans) for status, spans in answers.items() if status != 401), default=0)
    if late > options.refused_within:
        missed.append(f"an excess sign-in was refused after {late:.2f} s")
    if set(answers) - {401, 429, 503} or not {401, 503} <= set(answers):
        missed.append("sign-ins are answered with 401, the excess with 503")
    if not p99 <= options.p99:
        missed.append(f"lists: p99 is over {options.p99:g} ms")
    print("\n".join(missed) or "passed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
