#!/usr/bin/env python3
"""Measures whether time tells who has an account: signs in by turns with an e-mail that has
one and a wrong password, and with e-mails that have none. Fails unless the medians are alike
and no threshold tells the two apart. Needs a release build of standalone and a quiet
machine."""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

import drill


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=drill.BINARY)
    parser.add_argument("--each", type=int, default=400, help="sign-ins of either kind")
    parser.add_argument("--percent", type=float, default=5, help="that medians may differ")
    parser.add_argument("--or-ms", type=float, default=2, help="... or by this, if it is more")
    parser.add_argument("--separated", type=float, default=60,
                        help="percent that the best threshold may tell apart")
    parser.add_argument("--limited", action="store_true",
                        help="measure refusals instead: both accounts have no attempts left")
    return parser.parse_args()


def separated(some, others):
    """How many percent the best threshold assigns rightly, whichever way round."""
    marked = sorted([(span, 1) for span in some] + [(span, -1) for span in others])
    below, best = 0, 0
    for _, mark in marked:
        below += mark
        best = max(best, abs(below))
    return 50 + 50 * best / len(some)


async def run(options, server):
    caller, spans = drill.Caller(server.http), {"known": [], "unknown": []}
    expected = 429 if options.limited else 401
    for number in range(options.each + 10):
        pair = ("known", "unknown") if number % 2 else ("unknown", "known")
        for kind in pair:
            name = "owner" if kind == "known" else "nobody" if options.limited else f"no{number}"
            begun = time.perf_counter()
            status = await caller.sign_in(f"{name}@drill.example", "wrong horse")
            if number >= 10:  # the first ones warm it up, or use the attempts up
                spans[kind].append((time.perf_counter() - begun) * 1e3)
                if status != expected:
                    raise SystemExit(f"a sign-in was answered with {status}")
    caller.close()
    return spans["known"], spans["unknown"]


def main():
    options = arguments()
    settings = {"PASSWORD_ATTEMPTS": "2/24h"} if options.limited else {"ATTEMPT_LIMITS": "off"}
    with drill.server(options.binary, **settings) as server:
        drill.sign_up(server.http, "owner@drill.example", "correct horse battery", "127.0.0.3")
        known, unknown = asyncio.run(run(options, server))
    medians = statistics.median(known), statistics.median(unknown)
    apart, best = abs(medians[0] - medians[1]), separated(known, unknown)
    print(f"{options.each} each: known {medians[0]:.2f} ms, unknown {medians[1]:.2f} ms in the "
          f"middle, {apart:.2f} ms apart; the best threshold is right for {best:.1f} %")
    faults = []
    if apart > max(options.or_ms, options.percent / 100 * max(medians)):
        faults.append("the medians differ")
    if best > options.separated:
        faults.append("a threshold tells them apart")
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
