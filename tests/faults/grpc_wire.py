"""gRPC by hand: messages of strings, gRPC-Web, and calls by curl over HTTP/2."""

import asyncio
import re

CONTENT = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


def varint(number):
    encoded = b""
    while number > 127:
        encoded, number = encoded + bytes([number & 127 | 128]), number >> 7
    return encoded + bytes([number])


def frame(*fields):
    """A message of these numbered strings, as gRPC sends it."""
    message = b"".join(varint(number << 3 | 2) + varint(len(text.encode())) + text.encode()
                       for number, text in fields)
    return b"\0" + len(message).to_bytes(4, "big") + message


def strings(message):
    """Its fields with a length, by number."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = message[at], at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value
    while at < len(message):
        key = number()
        if key & 7 == 2:
            length = number()
            found[key >> 3], at = message[at:at + length], at + length
        elif key & 7 == 0:
            number()
        else:
            raise ValueError("a field of another kind")
    return found


def web_status(answer):
    """The status of a gRPC-Web answer; None without one."""
    _, heads, body = answer
    trailer = re.search(rb"grpc-status: ?(\d+)", body)
    code = heads.get("grpc-status") or (trailer and trailer[1])
    return None if code is None else int(code)


def _curl(url, chain, headers):
    named = [part for header in headers for part in ("-H", header)]
    return asyncio.create_subprocess_exec(
        "curl", "-sSN", "--http2", "--cacert", chain, *CONTENT, *named, "--data-binary", "@-",
        "-D", "/dev/stderr", url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)


async def unary(url, chain, message, *headers):
    """True if the status is OK, else what was answered."""
    child = await _curl(url, chain, headers)
    _, heads = await child.communicate(message)
    is_ok = heads.startswith(b"HTTP/2 200") and b"grpc-status: 0" in heads
    return is_ok or heads.decode(errors="replace")


async def watch(url, chain, bearer, user, heard):
    """The titles of changed tasks, from the last message on where a stream ends."""
    token = ""
    while True:
        child = await _curl(url, chain, [bearer])
        try:
            child.stdin.write(frame((1, user), (2, token)) if token else frame((1, user)))
            child.stdin.close()
            try:
                while True:
                    head = await child.stdout.readexactly(5)
                    message = await child.stdout.readexactly(int.from_bytes(head[1:], "big"))
                    fields = strings(message)
                    token = fields[5].decode()
                    if title := re.search(rb"(first|task \d+)\.", fields.get(1, b"")):
                        heard.add(title[0].decode())
            except EOFError:
                await child.wait()
            await asyncio.sleep(0.3)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
