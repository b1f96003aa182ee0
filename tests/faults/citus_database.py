#!/usr/bin/env python3
"""A database of a drill's own on the nodes of a Citus that is there.

As a program, it makes a database of tests one with distributed tables: TEST_DATABASE_SETUP names this
file, TEST_DATABASE_URL the coordinator, and CITUS_WORKERS the workers, such as
`127.0.0.1:5433 127.0.0.1:5434`. None of the servers has TLS then."""

import os
import secrets
import subprocess
import sys
from urllib.parse import urlsplit

import drill


def sql(url, *statements):
    """The rows, each with its columns between bars."""
    done = subprocess.run([*drill.PSQL, "-d", url, *(part for one in statements
                          for part in ("-c", one))], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{statements}: {done.stderr}")
    return [line.split("|") for line in done.stdout.splitlines() if line]


class Database:
    """A database on all nodes; its workers are added to it."""

    def __init__(self, url, workers, name=None):
        self.server, self.name = urlsplit(url), name or f"drill_{os.getpid()}"
        self.workers, user = workers, self.server.username
        self.hosts = [self.server.netloc, *(f"{user}@{one}" for one in self.workers)]
        self.url = self.at(self.hosts[0], self.name)

    def at(self, host, name):
        return self.server._replace(netloc=host, path=f"/{name}").geturl()

    def __enter__(self):
        self.make(self.hosts)
        return self

    def make(self, hosts):
        """Creates it on these, and joins all of them."""
        for host in hosts:
            sql(self.at(host, "postgres"), "SET citus.enable_create_database_propagation = off",
                f"CREATE DATABASE {self.name}")
        for host in self.hosts:
            sql(self.at(host, self.name), "CREATE EXTENSION citus")
        host, port = self.server.hostname, self.server.port or 5432
        sql(self.url, f"SELECT citus_set_coordinator_host('{host}', {port})")
        for host, port in (worker.rsplit(":", 1) for worker in self.workers):
            sql(self.url, f"SELECT citus_add_node('{host}', {port})")
        sql(self.url, f"ALTER DATABASE {self.name} SET citus.enable_stat_counters = on")

    def distribute(self):
        """By the script of this repository."""
        script = drill.ROOT / "deploy/citus/distribute.sql"
        subprocess.run([*drill.PSQL, "-d", self.url, "-f", script], check=True, timeout=300,
                       stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        for host in self.hosts:
            sql(self.at(host, "postgres"), "SET citus.enable_create_database_propagation = off",
                f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def move_a_shard(self):
        """One with rows, with those that are with it, to the other worker."""
        shard, host, port = sql(
            self.url, "SELECT shardid, nodename, nodeport FROM citus_shards WHERE table_name = "
            "'task'::regclass ORDER BY shard_size DESC LIMIT 1")[0]
        other = next(one for one in self.workers if one != f"{host}:{port}").rsplit(":", 1)
        sql(self.url, f"SELECT citus_move_shard_placement({shard}, '{host}', {port}, "
            f"'{other[0]}', {other[1]}, 'force_logical')")

    def sweep(self):
        """Drops what tests left on the workers: they know of the coordinator alone."""
        names = "SELECT datname FROM pg_database WHERE datname LIKE 'fresh%'"
        for worker in self.hosts[1:]:
            there = sql(self.at(worker, "postgres"), names)
            here = sql(self.at(self.hosts[0], "postgres"), names)
            for name, in there:
                if [name] not in here:
                    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
                    # Another test may do so at the same time.
                    subprocess.run([*drill.PSQL, "-d", self.at(worker, "postgres"), "-c", drop],
                                   capture_output=True, timeout=300)


def main():
    url = sys.argv[1]
    database = Database(url, os.environ["CITUS_WORKERS"].split(), urlsplit(url).path[1:])
    database.sweep()
    database.make(database.hosts[1:])
    with drill.server(drill.ROOT / "target/debug/task-service", DATABASE_URL=url,
                      BETTER_AUTH_SECRET=secrets.token_hex(24),
                      BETTER_AUTH_URL="http://localhost:3000"):
        pass
    database.distribute()


if __name__ == "__main__":
    main()
