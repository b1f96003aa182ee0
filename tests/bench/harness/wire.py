"""What a call looks like as gRPC and as JSON: to whom it goes, what h2load needs to be
told, and what a real answer is."""

import http.client
from urllib.parse import urlsplit

from . import call

SAMPLE_PATIENCE = 10.0


class NotReal(Exception):
    """The answers were not what was asked for, so their speed means nothing."""


class Grpc:
    name = "gRPC"
    flags = []

    @staticmethod
    def address(process):
        return process.address

    @staticmethod
    def headers(lane):
        return call.headers(lane.token)

    @staticmethod
    def takes(shape):
        return True

    @staticmethod
    def sample(process, lane):
        """Calls once, demands OK, and tells how many bytes such an answer has."""
        status = call.status(process.address, lane.path, lane.token, lane.body)
        if status != 0:
            raise NotReal(f"{lane.path}: a sample call answered grpc-status {status}")
        return len(call.call(process.address, lane.path, lane.token, lane.body)) + 5


class Json:
    name = "JSON"
    flags = ["--h1"]

    @staticmethod
    def address(process):
        return process.http

    @staticmethod
    def headers(lane):
        fields = [("authorization", f"Bearer {lane.token}")]
        return fields if lane.body is None else fields + [("content-type", "application/json")]

    @staticmethod
    def takes(shape):
        """To h2load, several streams over HTTP/1.1 are pipelining, which no client does."""
        return shape.streams == 1

    @classmethod
    def sample(cls, process, lane):
        """The same, with 200 or 201 for OK."""
        parts = urlsplit(f"http://{process.http}{lane.path}")
        connection = http.client.HTTPConnection(parts.netloc, timeout=SAMPLE_PATIENCE)
        try:
            method = "GET" if lane.body is None else "POST"
            connection.request(method, lane.path, lane.body, dict(cls.headers(lane)))
            answer = connection.getresponse()
            size = len(answer.read())
        finally:
            connection.close()
        if answer.status not in (200, 201) or size == 0:
            raise NotReal(f"{lane.path}: a sample request answered {answer.status}")
        return size


WIRES = {"grpc": Grpc, "json": Json}
