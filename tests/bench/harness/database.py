"""Fresh databases: a folder for SQLite, a database of its own on PostgreSQL."""

import os
import shutil
import subprocess
from pathlib import Path

from . import process
from .tools import note

DEFAULT_SERVER = "postgres://postgres@127.0.0.1:5432/postgres"

# The server's own workers write and flush what the connections commit.
PIDS = """SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (datname = '{name}'
          OR backend_type IN ('walwriter', 'checkpointer', 'background writer'))"""


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.url = f"sqlite://{folder}/bench.db"

    def settle(self):
        pass

    def cpu(self):
        """Part of the server's own."""
        return None

    def drop(self):
        pass


class Postgres:
    name = "PostgreSQL"

    def __init__(self, server, purpose):
        self.server = server
        self.database = f"bench_{purpose}_{os.getpid()}"
        psql(server, f"CREATE DATABASE {self.database}")
        self.url = f"{server.rpartition('/')[0]}/{self.database}"

    @classmethod
    def fresh(cls, purpose):
        """`None`, with a note, where no server answers."""
        server = os.environ.get("TEST_DATABASE_URL", DEFAULT_SERVER)
        if shutil.which("psql") is None:
            note("PostgreSQL is left out: psql not found (package postgresql-client)")
            return None
        try:
            return cls(server, purpose)
        except subprocess.SubprocessError:
            note("PostgreSQL is left out: no server answers at TEST_DATABASE_URL")
            return None

    def settle(self):
        """The statistics that any database in use has."""
        psql(self.url, "ANALYZE")

    def cpu(self):
        """CPU seconds by process; `None` where the server is on another machine."""
        rows = psql(self.server, PIDS.format(name=self.database)).split()
        seconds = {pid: process.cpu_seconds(pid) for pid in rows if _is_postgres(pid)}
        return seconds or None

    def drop(self):
        psql(self.server, f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")


def spent(before, after):
    """CPU seconds between two readings, connections that opened in between included."""
    if before is None or after is None:
        return None
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def psql(url, statement):
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "5"}
    return subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, url], env=environment,
        check=True, capture_output=True, text=True, timeout=300).stdout


def _is_postgres(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
    except OSError:
        return False
