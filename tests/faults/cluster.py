"""A highly available PostgreSQL on this machine: three members under Patroni with synchronous
replication, and etcd, which holds the lease of the primary."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import drill

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
# PostgreSQL refuses to run as root.
ACCOUNT = "postgres" if os.geteuid() == 0 else None
PATIENCE = 240
# Bytes by which a standby that follows a busy primary is behind at any moment.
MOST_LAG = 2**20
# The roles of those who take part in a hand-over.
SWITCH = {"leader", "sync_standby"}
CHECK_TIMEOUT = 5


def free_ports(count):
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def wait(what, is_so, patience=PATIENCE, pause=0.2):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(pause)
    raise SystemExit(f"not in time: {what}")


def spawn(command, log):
    """A process in a group of its own, which logs to a file."""
    with open(log, "ab") as out:
        return subprocess.Popen(command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=out, user=ACCOUNT, start_new_session=True)


def follows(lag):
    """Whether a standby that is behind by `lag`, which may be unknown, is about to be level."""
    return isinstance(lag, int) and lag < MOST_LAG


class Member:
    """One PostgreSQL and the Patroni beside it."""

    def __init__(self, name, folder, etcd, timing):
        self.name, self.folder, self.child = name, folder, None
        self.port, self.api = free_ports(2)
        self.data, self.config = folder / name, folder / f"{name}.json"
        api = f"127.0.0.1:{self.api}"
        postgres = {
            "listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}",
            "data_dir": str(self.data), "bin_dir": str(PROGRAMS),
            "pgpass": str(folder / f"{name}.pgpass"),
            "authentication": {"superuser": {"username": "postgres"},
                               "replication": {"username": "postgres"}},
            "parameters": {"unix_socket_directories": str(folder)},
            "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust",
                       "host replication all 127.0.0.1/32 trust"]}
        shared = {
            **timing, "synchronous_mode": True,
            "postgresql": {"use_pg_rewind": True, "parameters": {
                "max_connections": 60, "shared_buffers": "32MB", "fsync": "off"}}}
        # JSON is YAML.
        self.config.write_text(json.dumps({
            "scope": "drill", "name": name, "postgresql": postgres,
            "restapi": {"listen": api, "connect_address": api}, "etcd3": {"hosts": etcd},
            "bootstrap": {"dcs": shared, "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}]}}))

    def start(self):
        self.child = spawn(["patroni", self.config], self.folder / f"{self.name}.log")

    def processes(self):
        """Patroni first, so that it heals nothing while the others are ended."""
        try:
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        except (OSError, ValueError, IndexError):
            return [self.child.pid]
        return [self.child.pid, postmaster, *map(int, children.split())]

    def signal(self, number):
        """To all processes of the member at once, as when its machine fails."""
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def kill(self):
        if self.child:
            self.signal(signal.SIGKILL)
            self.child.wait()
            self.child = None

    def ask(self, path):
        """What its Patroni says; `None` while there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=CHECK_TIMEOUT)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def execute(self, statement, timeout=CHECK_TIMEOUT, database="postgres"):
        """Its output on this member; `None` if it fails."""
        address = f"postgres://postgres@127.0.0.1:{self.port}/{database}?connect_timeout=2"
        try:
            done = subprocess.run([*drill.PSQL, address, "-c", statement], capture_output=True,
                                  text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None
        return done.stdout if done.returncode == 0 else None


class Cluster:
    """All of it, in a folder that its account owns."""

    def __init__(self, folder, timing):
        if ACCOUNT:
            subprocess.run(["chown", ACCOUNT, folder], check=True)
        client, peer = free_ports(2)
        self.etcd = spawn(
            ["etcd", "--data-dir", folder / "etcd",
             "--listen-client-urls", f"http://127.0.0.1:{client}",
             "--advertise-client-urls", f"http://127.0.0.1:{client}",
             "--listen-peer-urls", f"http://127.0.0.1:{peer}",
             "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
             "--initial-cluster", f"default=http://127.0.0.1:{peer}"], folder / "etcd.log")
        self.members = [Member(name, folder, f"127.0.0.1:{client}", timing) for name in "abc"]

    def start(self):
        for member in self.members:
            member.start()
        self.wait_until_whole()
        self.primary().execute("CREATE TABLE probe (at timestamptz)")

    def stop(self):
        for member in self.members:
            member.kill()
        self.etcd.kill()
        self.etcd.wait()

    def address(self, database):
        """All members, as the services get them."""
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        return f"postgres://postgres@{hosts}/{database}?target_session_attrs=read-write"

    def roles(self):
        """The role of each member that is well."""
        for member in self.members:
            if member.child and (found := member.ask("/cluster")):
                return {one["role"]: one["name"] for one in found.get("members", [])
                        if one.get("state") in ("running", "streaming")
                        and (one["role"] == "leader" or follows(one.get("lag")))}
        return {}

    def primary(self):
        name = wait("a primary", lambda: self.roles().get("leader"))
        return next(member for member in self.members if member.name == name)

    def wait_until_whole(self):
        """A primary, a synchronous standby, and another one."""
        wait("three members that replicate",
             lambda: set(self.roles()) == {"leader", "sync_standby", "replica"})

    def switch_over(self):
        """Has Patroni hand over to the synchronous standby."""
        roles = wait("a primary and its synchronous standby",
                     lambda: SWITCH <= set(found := self.roles()) and found)
        spawned = subprocess.run(
            ["patronictl", "-c", self.members[0].config, "switchover", "drill", "--force",
             "--master", roles["leader"], "--candidate", roles["sync_standby"]],
            capture_output=True, text=True, timeout=PATIENCE)
        if spawned.returncode:
            raise SystemExit(f"patronictl: {spawned.stdout}{spawned.stderr}")

    def measure(self, old):
        """Measures, without the services, when `old` took its last write and another member its
        first: both moments, once there is the second, or `None`."""
        last, first, over = [time.monotonic()], [], threading.Event()

        def probe(member):
            while not over.is_set():
                if member.execute("INSERT INTO probe VALUES (now())") is None:
                    time.sleep(0.02)
                elif member is old:
                    last.append(time.monotonic())
                else:
                    first.append(time.monotonic())
                    over.set()

        for member in self.members:
            threading.Thread(target=probe, args=[member], daemon=True).start()
        return lambda: (last[-1], first[0]) if over.wait(PATIENCE) else None
