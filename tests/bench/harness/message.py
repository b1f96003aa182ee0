"""The few protobuf messages of the measured calls, framed for gRPC by hand: the standard
library has no protobuf, and these are strings and one small number."""

import json

TITLE = "Water the plants on the balcony"
DESCRIPTION = "Twice a week in summer, once in winter; " * 2
PAGE = 20


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def text(field, value):
    data = value.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def framed(message):
    """Not compressed, and its length (gRPC over HTTP/2, Length-Prefixed-Message)."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def create(user):
    return framed(text(1, user) + text(2, TITLE) + text(3, DESCRIPTION))


def get(user, task):
    return framed(text(1, user) + text(2, task))


def list_page(user):
    return framed(text(1, user) + varint(2 << 3) + varint(PAGE))


def create_json():
    return json.dumps({"title": TITLE, "description": DESCRIPTION}).encode()


def empty():
    return framed(b"")


def first_text(message, *fields):
    """The text found by following the length-delimited `fields` inwards."""
    for field in fields:
        message = dict(reversed(list(_parts(message))))[field]
    return message.decode()


def _parts(message):
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            number()
        elif key & 7 == 2:
            length = number()
            yield key >> 3, message[at:at + length]
            at += length
        else:
            raise ValueError(f"wire type {key & 7} is not expected here")
