#!/usr/bin/env python3
"""Guesses a password as fast as an attacker may, in five ways at once, each on a server of
its own: from one address; with a forged X-Forwarded-For in each request; a hundred at the
same instant; in other spellings of the account; over gRPC and HTTP by turns.

Tells how many guesses were checked against the password, and how soon the right user was
signed in from another address. Needs a release build of standalone."""

import argparse
import asyncio
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import drill

CHECKED = "a password was checked"
WAYS = ("one address", "forged addresses", "a hundred at once", "spellings", "both wires")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--guesses", type=int, default=1000, help="in each way")
    parser.add_argument("--seconds", type=float, default=59.5, help="that they are spread over")
    parser.add_argument("--most", type=int, default=10,
                        help="that may be checked: PASSWORD_ATTEMPTS, of which this is a part")
    parser.add_argument("--within", type=float, default=60,
                        help="seconds in which the right user must be in")
    return parser.parse_args()


def spelling(email, number):
    """The same account in another case, or with space around it."""
    letters = [letter.upper() if number >> at & 1 else letter for at, letter in enumerate(email)]
    return " " * (number % 3) + "".join(letters) + "\t" * (number % 2)


async def guess(way, number, email, callers):
    """One guess; the status of its answer."""
    web, grpc = callers
    wrong = f"wrong guess {number}"
    if way == "forged addresses":
        forged = ".".join(str(byte) for byte in os.urandom(4))
        return await web.sign_in(email, wrong, [f"x-forwarded-for: {forged}",
                                                f"forwarded: for={forged}",
                                                f"x-real-ip: {forged}"])
    if way == "spellings":
        # Over gRPC, which takes space around an address.
        return await grpc.sign_in_grpc(spelling(email, number), wrong)
    if way == "both wires" and number % 2:
        return await grpc.sign_in_grpc(email, wrong)
    return await web.sign_in(email, wrong)


async def attack(way, options, server, email, password):
    """Statuses of all guesses, and after how many seconds the right user was in."""
    at_once = 100 if way == "a hundred at once" else 1
    callers = [(drill.Caller(server.http), drill.Caller(server.grpc)) for _ in range(at_once)]
    statuses, begun = {}, time.monotonic()
    owner = asyncio.create_task(come_in(options, server, email, password))
    for number in range(0, options.guesses, at_once):
        await asyncio.sleep(max(0, begun + number * options.seconds / options.guesses
                                - time.monotonic()))
        round_ = [guess(way, number + at, email, pair) for at, pair in enumerate(callers)]
        for status in await asyncio.gather(*round_):
            statuses[status] = statuses.get(status, 0) + 1
    for pair in callers:
        for caller in pair:
            caller.close()
    return statuses, await owner


async def come_in(options, server, email, password):
    """Signs in from another address, in the middle of the attack."""
    await asyncio.sleep(options.seconds / 2)
    caller, begun = drill.Caller(server.http, "127.0.0.2"), time.monotonic()
    try:
        while time.monotonic() - begun < options.within:
            if await caller.sign_in(email, password) == 200:
                return time.monotonic() - begun
            await asyncio.sleep(1)
    finally:
        caller.close()
    return None


async def run(options, servers):
    email, password = "owner@drill.example", os.urandom(12).hex()
    for server in servers:
        drill.sign_up(server.http, email, password, "127.0.0.3")
    attacks = [attack(way, options, server, email, password)
               for way, server in zip(WAYS, servers)]
    return await asyncio.gather(*attacks)


def main():
    options, faults = arguments(), []
    with ExitStack() as stack:
        settings = {"RUST_LOG": "info,auth_service::hashing=debug"}
        servers = [stack.enter_context(drill.server(options.binary, **settings)) for _ in WAYS]
        results = asyncio.run(run(options, servers))
        for way, server, (statuses, came_in) in zip(WAYS, servers, results):
            checked = server.count(CHECKED) - (came_in is not None)
            shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
            arrived = "never came in" if came_in is None else f"came in after {came_in:.2f} s"
            print(f"{way}: {checked} of {sum(statuses.values())} guesses checked ({shown}); "
                  f"the right user {arrived}")
            if checked > options.most:
                faults.append(f"{way}: {checked} guesses were checked, over {options.most}")
            if not checked:
                faults.append(f"{way}: no guess was checked: nothing was tried")
            if came_in is None:
                faults.append(f"{way}: the right user did not come in")
            if set(statuses) - {401, 429}:
                faults.append(f"{way}: answered otherwise than 401 and 429")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
