#!/usr/bin/env python3
"""Runs each proxy with its file in deploy/proxy, addresses and certificate replaced, before two
replicas (or more) of both services on one PostgreSQL, and calls through it over TLS: JSON, gRPC, gRPC-Web,
server-sent events, health. Restarts the replicas in turn under load, with watches open.

Fails unless every call succeeds, every watch hears of every change, events come at once, and the
services see the client's own address, also where it forges another."""

import argparse
import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import drill
from proxied_load import Load, until

FOLDER = drill.ROOT / "deploy/proxy"
PROXIES = {
    "nginx": ("nginx.conf", ["nginx", "-g", "daemon off;", "-c"]),
    "haproxy": ("haproxy.cfg", ["haproxy", "-db", "-f"]),
    "caddy": ("Caddyfile", ["caddy", "run", "--adapter", "caddyfile", "--config"]),
}
# The replicas of the files: numbers and last parts of addresses. The drill adds some behind them.
FIRST, LAST = 1, 2
THERE, HERE = "10.0.0.1{}", "127.0.0.1{}"
# The longest until a watch finds a change whose notification is lost.
HEARTBEAT = 20
PORTS = ["8001", "8002", "50051", "50052"]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True, metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--postgres", metavar="URL",
                        default=os.environ.get("TEST_DATABASE_URL")
                        or "postgres://postgres@127.0.0.1:5432/postgres",
                        help="a server on which databases may be made; needs psql")
    parser.add_argument("--proxies", nargs="+", choices=PROXIES, default=list(PROXIES))
    parser.add_argument("--rate", type=float, default=100, help="calls per second")
    parser.add_argument("--replicas", type=int, choices=range(2, 10), default=2)
    parser.add_argument("--every", type=float, metavar="S",
                        help="begin a restart so often, also if the one before has not ended; "
                        "without, one after another, with a second in between")
    parser.add_argument("--rounds", type=int, default=2, help="restarts of each replica")
    parser.add_argument("--watches", type=int, default=6, help="server-sent events")
    parser.add_argument("--patience", type=float, default=30, help="seconds for anything")
    return parser.parse_args()


def hosts(count):
    """The addresses of replicas."""
    return [HERE.format(number) for number in range(FIRST, FIRST + count)]


def with_replicas(text, count):
    """The text of a file for so many replicas: the last one of the file has successors."""
    last, lines = THERE.format(LAST), []
    more = [(THERE.format(number), f"replica{number}") for number in range(LAST + 1, count + 1)]
    for line in text.splitlines():
        if last in line and THERE.format(FIRST) in line:  # all of them in one line
            one = re.search(rf"\S*{last}:\d+", line)[0]
            beside = [one.replace(last, address) for address, _ in more]
            lines.append(line.replace(one, " ".join([one, *beside])))
            continue
        lines.append(line)
        if last in line:
            lines += [line.replace(last, address).replace(f"replica{LAST}", name)
                      for address, name in more]
    return "\n".join(lines) + "\n"


def free_ports(count, replicas):
    """Ports that are free at every address used here."""
    addresses, found = ["127.0.0.1", *hosts(replicas)], []
    while len(found) < count:
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            port = held.enter_context(socket.create_server((addresses[0], 0))).getsockname()[1]
            for address in addresses[1:]:
                held.enter_context(socket.create_server((address, port)))
            found.append(str(port))
    return found


def certificate(folder):
    """A certificate of this machine's."""
    key, chain, both = (folder / name for name in ("key.pem", "chain.pem", "site.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=drill",
                    "-addext", "subjectAltName=IP:127.0.0.1",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", chain],
                   check=True, capture_output=True)
    both.write_text(chain.read_text() + key.read_text())


class Front:
    """A proxy at work, and where it takes calls."""

    def __init__(self, name, folder, ports, replicas):
        file, command = PROXIES[name]
        own = free_ports(1, replicas)[0]
        text = with_replicas((FOLDER / file).read_text(), replicas)
        for written, real in {
                **{f"{THERE.format(number)}:{port}": f"{host}:{ports[port]}"
                   for number, host in enumerate(hosts(replicas), FIRST) for port in PORTS},
                **{f"port {port}": f"port {ports[port]}" for port in PORTS},
                "health_port 8001": f"health_port {ports['8001']}",
                "listen 443": f"listen 127.0.0.1:{own}",
                "bind :443": f"bind 127.0.0.1:{own}",
                "\n:443 {": f"\n:{own} {{\n\tbind 127.0.0.1",
                "/run/nginx.pid": f"{folder}/nginx.pid",
                "/etc/ssl/tasks": str(folder)}.items():
            text = text.replace(written, real)
        self.address = f"127.0.0.1:{own}"
        config, self.log = folder / f"{name}.config", folder / f"{name}.log"
        config.write_text(text)
        path = os.environ["PATH"] + ":/usr/sbin"
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen([shutil.which(command[0], path=path), *command[1:],
                                           config], cwd=folder, stdout=out, stderr=out,
                                          env={"PATH": path, "HOME": str(folder)})


class Replica:
    """Both services at one address."""

    def __init__(self, options, folder, host, settings, ports):
        self.options, self.folder, self.host = options, folder, host
        self.settings, self.ports, self.children, self.starts = settings, ports, [], 0

    async def start(self):
        self.starts += 1
        for service, grpc, http in (("auth-service", "50051", "8001"),
                                    ("task-service", "50052", "8002")):
            log = self.folder / f"{service}-{self.host}-{self.starts}"
            listening = {"GRPC_ADDR": f"{self.host}:{self.ports[grpc]}",
                         "HTTP_ADDR": f"{self.host}:{self.ports[http]}"}
            child = drill.spawn(self.options.binaries / service, self.folder, log,
                                {**self.settings[service], **listening})
            self.children.append(child)
            began = time.monotonic()
            while not re.search(r"listening.* grpc=", log.read_text()):
                if child.poll() is not None or time.monotonic() > began + self.options.patience:
                    raise SystemExit(f"{service} did not start:\n{log.read_text()}")
                await asyncio.sleep(0.02)

    async def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            if code := await asyncio.to_thread(child.wait, self.options.patience):
                raise SystemExit(f"{child.args[0]} ended with {code}")
        self.children = []

    async def restart(self, delay):
        await asyncio.sleep(delay)
        await self.stop()
        await self.start()

    def kill(self):
        for child in self.children:
            child.kill()
            child.wait()


async def run(options, name, folder, replicas, front):
    load = Load(options, front, folder)
    for replica in replicas:
        await replica.start()
    await asyncio.sleep(1.5)  # the proxy's own checks
    await load.begin()
    heard = [set() for _ in range(options.watches + 1)]
    watches = [asyncio.create_task(load.watch(one)) for one in heard[1:]]
    watches.append(asyncio.create_task(load.watch_grpc(heard[0])))
    await asyncio.sleep(1)
    await load.call("create", "first.")
    began = time.monotonic()
    if not await until(lambda: all("first." in one for one in heard), 2):
        load.faults.append("the first event did not come within 2 s")
    first = time.monotonic() - began
    loading = asyncio.create_task(load.run())
    restarted = time.monotonic()
    for _ in range(options.rounds):
        if options.every:
            await asyncio.gather(*(replica.restart(number * options.every)
                                   for number, replica in enumerate(replicas)))
        else:
            for replica in replicas:
                await replica.restart(1)
    restarted = time.monotonic() - restarted
    await asyncio.sleep(1)
    load.stopping = True
    await loading
    # A notification can be lost as a replica starts; the heartbeat of a watch finds its change.
    await until(lambda: all(load.created <= one for one in heard), HEARTBEAT)
    missed = sum(len(load.created - one) for one in heard)
    for task in watches:
        task.cancel()
    ends = await asyncio.gather(*watches, return_exceptions=True)
    load.faults += [f"watch: {end!r}" for end in ends if type(end) is not asyncio.CancelledError]
    calls = ", ".join(f"{kind} {count}" for kind, count in load.counts.items())
    print(f"{name}: {sum(load.counts.values())} calls ({calls}), {len(load.faults)} failed; "
          f"{len(replicas) * options.rounds} restarts in {restarted:.1f} s; {len(heard)} watches missed {missed} of "
          f"{len(load.created)} changes; the first event came in {first * 1e3:.0f} ms", flush=True)
    faults = [f"{name}: {fault}" for fault in load.faults[:10]]
    return faults + ([f"{name}: {missed} changes were missed"] if missed else [])


def with_proxy(options, name, folder):
    databases = {service: f"drill_{secrets.token_hex(4)}" for service in ("auth", "task")}
    server, ports = options.postgres.rsplit("/", 1)[0], dict(zip(PORTS, free_ports(4, options.replicas)))
    certificate(folder)
    common = {"BETTER_AUTH_SECRET": secrets.token_hex(24), "TRUSTED_PROXIES": "127.0.0.1",
              "BETTER_AUTH_URL": "http://localhost:3000", "ATTEMPT_LIMITS": "off",
              "ACCESS_TOKEN_TTL": "1h", "DATABASE_MAX_CONNECTIONS": "4", "TASK_SERVICE_URL": "off"}
    settings = {f"{service}-service": {**common, "DATABASE_URL": f"{server}/{database}"}
                for service, database in databases.items()}
    for database in databases.values():
        drill.psql(options.postgres, f"CREATE DATABASE {database}")
    replicas = [Replica(options, folder, host, settings, ports) for host in hosts(options.replicas)]
    front = Front(name, folder, ports, options.replicas)
    try:
        return asyncio.run(run(options, name, folder, replicas, front))
    except AssertionError as fault:
        return [f"{name}: {fault}", front.log.read_text()[-2000:]]
    finally:
        front.child.terminate()
        front.child.wait()
        for replica in replicas:
            replica.kill()
        for database in databases.values():
            drill.psql(options.postgres, f"DROP DATABASE {database} WITH (FORCE)")


def main():
    options, faults = arguments(), []
    options.binaries = options.binaries.resolve()
    for name in options.proxies:
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            os.chmod(folder, 0o755)  # workers of proxies have other users
            faults += with_proxy(options, name, Path(folder))
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
