"""One gRPC call over one new HTTP/2 connection, without waiting for another program to
start: fast enough to time the first answer of a server."""

import socket
import subprocess
import tempfile

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1

CONTENT = [("content-type", "application/grpc"), ("te", "trailers")]


def headers(token):
    """What every call carries beside its path."""
    return CONTENT + ([("authorization", f"Bearer {token}")] if token else [])


def call(address, path, token, body, patience=5.0):
    """The answer's message. An answer without one raises `OSError`: it is a refusal."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), patience) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pseudo = [(":method", "POST"), (":scheme", "http"), (":path", path),
                  (":authority", address)]
        block = b"".join(_literal(name, value) for name, value in pseudo + headers(token))
        connection.sendall(PREFACE + _frame(SETTINGS, 0, 0, b"")
                           + _frame(HEADERS, END_HEADERS, 1, block)
                           + _frame(DATA, END_STREAM, 1, body))
        stream = connection.makefile("rb")
        answer = bytearray()
        while True:
            head = stream.read(9)
            if len(head) < 9:
                raise ConnectionError("the server closed the connection")
            kind, flags = head[3], head[4]
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(_frame(SETTINGS, ACK, 0, b""))
            elif kind in (RST_STREAM, GOAWAY):
                raise ConnectionError("the server reset the call")
            elif kind == DATA:
                answer += payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                break
    if len(answer) < 5:
        raise ConnectionError("refused: an answer without a message")
    return bytes(answer[5:])


def status(address, path, token, body):
    """`grpc-status` of the call: it rides in compressed trailers, which nghttp unpacks."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        fields = [f"-H{name}: {value}" for name, value in headers(token)]
        shown = subprocess.run(
            ["nghttp", "-nv", "-t10", f"-d{file.name}", *fields, f"http://{address}{path}"],
            check=True, capture_output=True, text=True, timeout=20).stdout
    for line in shown.splitlines():
        _, found, value = line.partition("grpc-status: ")
        if found:
            return int(value.split("\x1b")[0])
    raise ValueError(f"{path}: the answer has no grpc-status\n{shown}")


def _frame(kind, flags, stream, payload):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags])
            + stream.to_bytes(4, "big") + payload)


def _literal(name, value):
    """A header field that no table remembers (RFC 7541 section 6.2.2)."""
    return b"\0" + _string(name.encode()) + _string(value.encode())


def _string(data):
    """Length with a 7-bit prefix (RFC 7541 section 5.1), then the bytes as they are."""
    length = len(data)
    if length < 127:
        return bytes([length]) + data
    out = bytearray([127])
    length -= 127
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    return bytes(out) + bytes([length]) + data
