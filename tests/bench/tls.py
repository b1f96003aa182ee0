#!/usr/bin/env python3
"""Measures what TLS costs task-service in CPU: a request on a kept connection, and a new
connection with its handshake, in clear and over TLS, in turns; prints markdown. The
certificate has a P-256 key, as those of public authorities do. Needs Linux and openssl."""

import argparse
import http.client
import secrets
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import tools  # noqa: E402
from harness.process import Process  # noqa: E402

CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
REQUEST = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--binaries", type=Path, metavar="FOLDER",
                        help="release binaries that are there already")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000, help="in one round")
    parser.add_argument("--connections", type=int, default=800, help="in one round")
    return parser.parse_args()


def context(folder, version=None):
    """The TLS of a client."""
    made = ssl.create_default_context(cafile=folder / "cert.pem")
    if version:
        made.minimum_version = made.maximum_version = version
    return made


def requests(process, tls, count):
    """Requests over one connection; the CPU time of one, in microseconds."""
    host = process.http
    connection = (http.client.HTTPSConnection(host, context=tls) if tls
                  else http.client.HTTPConnection(host))
    connection.connect()
    before = process.cpu()
    for _ in range(count):
        connection.request("GET", "/api/nobody/tasks", headers={"authorization": "Bearer a.b.c"})
        response = connection.getresponse()
        response.read()
        if response.status != 401:
            raise SystemExit(f"answered {response.status}")
    spent = process.cpu() - before
    connection.close()
    return spent / count * 1e6


def connections(process, tls, count):
    """Connections with one request each; the CPU time of one, in microseconds."""
    host, port = process.http.rsplit(":", 1)
    before = process.cpu()
    for _ in range(count):
        with socket.create_connection((host, int(port))) as plain:
            with tls.wrap_socket(plain, server_hostname=host) if tls else plain as stream:
                stream.sendall(REQUEST)
                answer = b""
                while part := stream.recv(4096):
                    answer += part
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"answered {answer[:80]}")
    return (process.cpu() - before) / count * 1e6


def start(binaries, folder, name, settings, stack):
    place = folder / name
    place.mkdir()
    settings = {**settings, "DATABASE_URL": f"sqlite://{place}/tasks.db"}
    return stack.enter_context(Process([binaries / "task-service"], settings, place / "log"))


def main():
    options = arguments()
    binaries = (options.binaries or tools.build()).resolve()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        subprocess.run(CERTIFICATE, cwd=folder, check=True, capture_output=True)
        settings = {"BETTER_AUTH_SECRET": secrets.token_hex(32),
                    "BETTER_AUTH_URL": "http://localhost:8000", "GRPC_ADDR": "127.0.0.1:0",
                    "HTTP_ADDR": "127.0.0.1:0", "LAME_DUCK": "0", "RUST_LOG": "info"}
        files = {"TLS_CERT_FILE": f"{folder}/cert.pem", "TLS_KEY_FILE": f"{folder}/key.pem"}
        clear = start(binaries, folder, "clear", settings, stack)
        secured = start(binaries, folder, "tls", {**settings, **files}, stack)
        rows = [("in clear", clear, None),
                ("TLS 1.3", secured, context(folder)),
                ("TLS 1.2", secured, context(folder, ssl.TLSVersion.TLSv1_2))]
        figures = {name: ([], []) for name, *_ in rows}
        for _ in range(options.rounds):
            for name, process, tls in rows:
                figures[name][0].append(requests(process, tls, options.requests))
                figures[name][1].append(connections(process, tls, options.connections))
    print("| | a request, CPU µs | a connection with one request, CPU µs |\n|---|---:|---:|")
    for name, samples in figures.items():
        cells = [f"{statistics.median(part):.0f} ({min(part):.0f}-{max(part):.0f})"
                 for part in samples]
        print(f"| {name} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
