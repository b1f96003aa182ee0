#!/usr/bin/env python3
"""Runs the drills of this folder, one after the other, and reports which of them passed.

The whole takes about twenty minutes, `--short` about four: fewer calls and seconds, and the
same demands. Needs PostgreSQL (`TEST_DATABASE_URL`, by default 127.0.0.1:5432), psql, for
`full_disk` the right to mount a tmpfs, and for `patroni` Debian's patroni, etcd-server and
python3-etcd."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Subject of each drill, its option for the path of the binaries, options of the short form.
DRILLS = {
    "cut_off_calls": ("clients that hang up at any moment", "--binary",
                      ["--calls", "300"]),
    "full_disk": ("a disk that fills under load", "--binaries",
                  ["--rounds", "1", "--under", "standalone"]),
    "imports": ("large imports beside creates, and slow uploads", "--binary",
                ["--tasks", "5000", "--small", "3", "--times", "3"]),
    "erasure": ("accounts deleted while both services are killed", "--binaries",
                ["--on", "sqlite", "--rounds", "2"]),
    "patroni": ("the primary of a Patroni cluster fails under load", "--binaries",
                ["--kills", "1", "--freezes", "0", "--users", "2"]),
    "rotation": ("the secret changed under load on four replicas", "--binaries",
                 ["--rate", "30", "--users", "5"]),
    "poolers": ("both services behind PgBouncer in both modes", "--binaries",
                ["--calls", "200"]),
    "hash_shares": ("password work of one address beside a stranger's", "--binary",
                    ["--times", "8"]),
    "guesses": ("guesses at passwords, in five ways", "--binary",
                ["--guesses", "60", "--seconds", "10"]),
    "sign_in_flood": ("many sign-ins at once beside lists", "--binary",
                      ["--seconds", "8"]),
    "sign_in_timing": ("how long wrong passwords and unknown accounts take", "--binary",
                       ["--each", "200"]),
    "idle_connections": ("connections that are kept for later", "--binary",
                         ["--addresses", "3", "--seconds", "8"]),
    "proxied_watchers": ("many clients behind one proxy", "--binary",
                         ["--watchers", "150"]),
    "proxies": ("nginx, HAProxy and Caddy before replicas that restart", "--binaries",
                ["--rounds", "1"]),
    "user_router": ("two task-services behind nginx, each with its users", "--binaries",
                    []),
    "slow_headers": ("requests that come byte by byte", "--binary",
                     ["--seconds", "15"]),
    "slow_bodies": ("bodies that come byte by byte", "--binary",
                    ["--seconds", "15"]),
}

# Drills of servers that have to be there.
BY_HAND = {"citus"}

# One script for two of them.
SCRIPTS = {"slow_bodies": ["slow_headers", "--slow-body"]}


def forgotten():
    """Drills of this folder that are missing from the table, or the reverse."""
    known = {SCRIPTS.get(name, [name])[0] for name in DRILLS}
    modules = {"run", "drill", "cluster", "citus_database", "failover_load", "grpc_wire",
               "proxied_load"}
    here = {file.stem for file in HERE.glob("*.py")} - modules - BY_HAND
    return sorted(here ^ known)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drills", nargs="*", metavar="DRILL", help="these alone")
    parser.add_argument("--list", action="store_true", help="list the drills and run none")
    parser.add_argument("--short", action="store_true", help="a few minutes in all")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/release",
                        metavar="FOLDER", help="where the three binaries are")
    options = parser.parse_args()
    if wrong := forgotten():
        parser.error(f"{', '.join(wrong)}: in the table and not in the folder, or the reverse")
    unknown = [name for name in options.drills if name not in DRILLS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; see --list")
    missing = [name for name in ("standalone", "auth-service", "task-service")
               if not (options.binaries / name).exists()]
    if missing and not options.list:
        parser.error(f"{options.binaries} has no {', '.join(missing)}: cargo build --release")
    return options


def run(options, name):
    """Whether the drill passed; its output goes to the terminal."""
    _, option, short = DRILLS[name]
    binaries = options.binaries.resolve()
    where = binaries if option == "--binaries" else binaries / "standalone"
    script, *fixed = SCRIPTS.get(name, [name])
    command = [HERE / f"{script}.py", *fixed, option, where, *(short if options.short else [])]
    print(f"\n=== {name}: {DRILLS[name][0]}", flush=True)
    begun = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT).returncode == 0
    print(f"=== {name} {'passed' if passed else 'FAILED'} in {time.monotonic() - begun:.0f} s",
          flush=True)
    return passed


def main():
    options = arguments()
    if options.list:
        for name, (about, *_) in DRILLS.items():
            print(f"{name:18}{about}")
        return 0
    names = options.drills or list(DRILLS)
    failed = [name for name in names if not run(options, name)]
    print(f"\n{len(names) - len(failed)} of {len(names)} drills passed"
          + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
