#!/usr/bin/env python3
"""Runs two task-services with a database each behind nginx with deploy/proxy/nginx-by-user.conf,
which sends each user to one of them, and one auth-service that calls them through it.

Fails unless the tasks of a user that came over HTTP and over gRPC are in one database and in no
other, both have users, exports and deletions of accounts reach the right one, and a call that
names no user is refused."""

import argparse
import asyncio
import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import drill
import grpc_wire
from cluster import free_ports
from proxies import certificate

FILE = drill.ROOT / "deploy/proxy/nginx-by-user.conf"
SERVICE = "/task.v1.TaskService"
PASSWORD = "correct horse battery"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True, metavar="FOLDER",
                        help="where auth-service and task-service are")
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--within", type=float, default=20, metavar="S",
                        help="the longest until a deleted account has no task left")
    return parser.parse_args()


def nginx(folder, port, addresses, stack):
    """nginx at `port`, for these services by what the file has for them."""
    text = FILE.read_text()
    for written, real in {**addresses, "listen 443": f"listen 127.0.0.1:{port}",
                          "/run/nginx.pid": f"{folder}/nginx.pid",
                          "/etc/ssl/tasks": str(folder)}.items():
        text = text.replace(written, real)
    (folder / "nginx.conf").write_text(text)
    path = os.environ["PATH"] + ":/usr/sbin"
    program = shutil.which("nginx", path=path) or sys.exit("nginx is missing")
    with open(folder / "nginx.log", "wb") as out:
        child = subprocess.Popen([program, "-g", "daemon off;", "-c", folder / "nginx.conf"],
                                 stdout=out, stderr=out)
    stack.callback(drill.stop, child)


def wait_for(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
    raise SystemExit("nginx does not answer")


class Client:
    """A user, who calls through the router unless another address is given."""

    def __init__(self, router, chain, number):
        self.router, self.chain, self.email = router, chain, f"user{number}@drill.example"
        body = {"name": "Drill", "email": self.email, "password": PASSWORD}
        answer = self.ask("POST", "/api/auth/sign-up/email", body, headers={})
        self.session, self.token = answer["token"], None
        self.token = self.ask("GET", "/api/auth/token", token=self.session)["token"]
        self.id = drill.subject(self.token)

    def ask(self, method, path, body=None, headers=None, address=None, token=None):
        if address:
            connection = http.client.HTTPConnection(address, timeout=20)
        else:
            tls = ssl.create_default_context(cafile=self.chain)
            connection = http.client.HTTPSConnection(self.router, timeout=20, context=tls)
        if headers is None:
            headers = {"authorization": f"Bearer {token or self.token}"}
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {**headers, "content-type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        if response.status not in (200, 201):
            raise SystemExit(f"{method} {path} answered {response.status}: {text}")
        return json.loads(text)

    def titles(self, address=None):
        page = self.ask("GET", f"/api/{self.id}/tasks", address=address)
        return {task["title"] for task in page}

    def grpc(self, *headers):
        """Creates a task over gRPC; True, or the head of the answer."""
        url = f"https://{self.router}{SERVICE}/CreateTask"
        message = grpc_wire.frame((1, self.id), (2, "over gRPC"))
        bearer = f"authorization: Bearer {self.token}"
        return asyncio.run(grpc_wire.unary(url, self.chain, message, bearer, *headers))


async def gone(client, address, within):
    """Whether the service at `address` has no task of the client's in time."""
    for _ in range(int(within * 5)):
        if not client.titles(address):
            return True
        await asyncio.sleep(0.2)
    return False


def look(options, clients, tasks):
    """What is wrong with the tasks of these clients, made through the router."""
    faults, homes = [], []
    both = {"over HTTP", "over gRPC"}
    for client in clients:
        client.ask("POST", f"/api/{client.id}/tasks", {"title": "over HTTP"})
        if (answer := client.grpc(f"x-user-id: {client.id}")) is not True:
            faults.append(f"gRPC: {answer}")
        if client.titles() != both:
            faults.append(f"{client.email} has {client.titles()}")
        found = [client.titles(address) for address in tasks]
        homes.append([bool(titles) for titles in found])
        if sorted(map(len, found)) != [0, 2]:
            faults.append(f"{client.email} has tasks in both databases, or in none: {found}")
    shares = [sum(column) for column in zip(*homes)]
    print(f"{len(clients)} users: {shares[0]} in one database, {shares[1]} in the other")
    if not all(shares):
        faults.append("one of the databases has no user")
    refused = clients[0].grpc()
    if refused is True or "grpc-status: 3" not in refused:
        faults.append(f"a call without a user was not refused: {refused}")
    exported = json.dumps(clients[0].ask("GET", "/api/auth/export-user-data", token=clients[0].session))
    if not all(title in exported for title in both):
        faults.append(f"an export lacks tasks: {exported[:300]}")
    leaving = [client for pair in (0, 1) for client in
               [one for one, home in zip(clients, homes) if home[pair]][:2]]
    for client in leaving:
        client.ask("POST", "/api/auth/delete-user", {"password": PASSWORD}, token=client.session)
        for address in tasks:
            if not asyncio.run(gone(client, address, options.within)):
                faults.append(f"{client.email} is deleted and has tasks at {address}")
    print(f"{len(leaving)} accounts deleted, with their tasks")
    return faults


def main():
    options = arguments()
    options.binaries = options.binaries.resolve()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drill-")))
        os.chmod(folder, 0o755)  # nginx's workers have another user
        certificate(folder)
        port = free_ports(1)[0]
        router = f"127.0.0.1:{port}"
        common = {"BETTER_AUTH_SECRET": secrets.token_hex(24), "TRUSTED_PROXIES": "127.0.0.1",
                  "BETTER_AUTH_URL": f"https://{router}", "ATTEMPT_LIMITS": "off",
                  "TRUSTED_ORIGINS": f"https://{router}", "LAME_DUCK": "0",
                  "GRPC_ADDR": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0"}

        def start(service, name, **settings):
            log = folder / f"{name}.log"
            child = drill.spawn(options.binaries / service, folder, log, {
                **common, "DATABASE_URL": f"sqlite://{folder}/{name}.db", **settings})
            stack.callback(drill.stop, child)
            return drill.listening(child, log)

        first, second = (start("task-service", name) for name in ("pair1", "pair2"))
        auth = start("auth-service", "auth", TASK_SERVICE_URL=f"https://{router}",
                     TASK_SERVICE_CA_FILE=str(folder / "chain.pem"))
        nginx(folder, port, {"10.0.0.11:50051": auth[0], "10.0.0.11:8001": auth[1],
                             "10.0.0.21:50052": first[0], "10.0.0.21:8002": first[1],
                             "10.0.0.22:50052": second[0], "10.0.0.22:8002": second[1]}, stack)
        wait_for(port)
        clients = [Client(router, folder / "chain.pem", number)
                   for number in range(options.users)]
        faults = look(options, clients, [first[1], second[1]])
    print("\n".join(faults) or "passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
