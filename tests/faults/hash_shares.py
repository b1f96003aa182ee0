#!/usr/bin/env python3
"""Signs the owners of a few accounts in, right and in parallel, without end, all from one
address; a stranger signs in from another address, right too, one after the other. Twice:
with limits of attempts off, so that only turns at hashing help the stranger, and with the
limits as they come.

Fails unless every sign-in of the stranger is answered 200 within its bound, and the excess
of the owners with 503. Needs a build of standalone."""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

import drill

OWNERS, STRANGER, NEWCOMERS = "127.0.0.2", "127.0.0.3", "127.0.1."


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--accounts", type=int, default=6)
    parser.add_argument("--parallel", type=int, default=5, help="sign-ins of each account")
    parser.add_argument("--times", type=int, default=40, help="the stranger signs in")
    parser.add_argument("--within", type=float, default=2.5, metavar="S")
    return parser.parse_args()


async def own(server, email, password, answers):
    """One right sign-in after the other, whatever is answered."""
    caller = drill.Caller(server.http, OWNERS)
    try:
        while True:
            status = await caller.sign_in(email, password)
            answers[status] = answers.get(status, 0) + 1
            if status != 200:
                await asyncio.sleep(0.05)  # far less than the answer asks for
    finally:
        caller.close()


async def run(options, server, owners, stranger):
    """Statuses of the owners' sign-ins, and status and time of each of the stranger's."""
    answers, spans = {}, []
    flood = [asyncio.create_task(own(server, *owner, answers))
             for owner in owners for _ in range(options.parallel)]
    await asyncio.sleep(1)  # until the queue is as full as it gets
    caller = drill.Caller(server.http, STRANGER)
    for number in range(options.times):
        begun = time.monotonic()
        status = await caller.sign_in(*stranger[number % len(stranger)])
        spans.append((status, time.monotonic() - begun))
    caller.close()
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    return answers, spans


def judge(options, name, answers, spans):
    """The faults of one run."""
    times = sorted(span for _, span in spans)
    right = sum(status == 200 for status, _ in spans)
    shown = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
    print(f"{name}: the stranger came in {right} of {len(spans)} times, p50 "
          f"{drill.percentile(times, 50):.2f} s, most {times[-1]:.2f} s; the owners ({shown})")
    faults = []
    if right < len(spans):
        faults.append(f"{name}: {len(spans) - right} sign-ins of the stranger were refused")
    if times[-1] > options.within:
        faults.append(f"{name}: the stranger waited {times[-1]:.2f} s")
    if set(answers) - {200, 503} or not answers.get(503) or not answers.get(200):
        faults.append(f"{name}: the owners are answered with 200, the excess with 503")
    return faults


def main():
    options, faults = arguments(), []
    for name, settings in (("limits off", {"ATTEMPT_LIMITS": "off"}), ("limits on", {})):
        with drill.server(options.binary, **settings) as server:
            def account(kind, number):
                email, password = f"{kind}{number}@drill.example", os.urandom(12).hex()
                drill.sign_up(server.http, email, password, f"{NEWCOMERS}{number + 1}")
                return email, password
            owners = [account("owner", number) for number in range(options.accounts)]
            # Enough of them that none has used its own right passwords up.
            strangers = [account("stranger", number) for number in range(10)]
            faults += judge(options, name,
                            *asyncio.run(run(options, server, owners, strangers)))
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
