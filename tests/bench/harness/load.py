"""One measured burst: h2load from several users at once."""

import re
import subprocess
import tempfile
from dataclasses import dataclass

from . import database
from .wire import Grpc, NotReal

# h2load sends one token and one body, so each process plays one user. Several users, since
# the changes of one user queue for each other by design.
LANES = 8

# A burst ends with answers half read; beyond that, sizes tell refusals from answers.
TOLERANCE = 0.02


@dataclass(frozen=True)
class Shape:
    """How the load comes in."""
    connections: int
    streams: int

    @classmethod
    def parse(cls, text):
        connections, _, streams = text.partition("x")
        shape = cls(int(connections), int(streams or 1))
        if not (1 <= shape.connections <= 256 and 1 <= shape.streams <= 100):
            raise ValueError(text)
        return shape

    def __str__(self):
        return f"{self.connections} × {self.streams}"

    def split(self):
        """Connections of each lane."""
        lanes = min(LANES, self.connections)
        return [self.connections // lanes + (lane < self.connections % lanes)
                for lane in range(lanes)]


@dataclass
class Lane:
    """One user's call, ready to be repeated."""
    path: str
    token: str
    body: bytes | None
    wire: type = Grpc

    def arguments(self, body):
        """Options of h2load beside the address; `body` is an open file."""
        fields = [f"-H{name}: {value}" for name, value in self.wire.headers(self)]
        return [*self.wire.flags, *([] if self.body is None else [f"-d{body.name}"]), *fields]

    def url(self, process):
        return f"http://{self.wire.address(process)}{self.path}"


@dataclass
class Burst:
    """What came out."""
    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float | None


def burst(process, store, lanes, shape, seconds, folder):
    """Loads `process` for `seconds` and accounts for it."""
    expected = lanes[0].wire.sample(process, lanes[0])
    complaints = len(process.complaints())
    store_before, cpu_before = store and store.cpu(), process.cpu()
    children = [
        _start(process, lane, connections, shape.streams, seconds, folder / f"lane{i}")
        for i, (lane, connections) in enumerate(zip(lanes, shape.split()))]
    texts = [_finish(child, seconds) for child in children]
    cpu, store_after = process.cpu() - cpu_before, store and store.cpu()

    done, size, took = 0, 0, 0.0
    for text in texts:
        done += _number(r"(\d+) succeeded", text)
        size += _number(r"\((\d+)\) data", text)
        took = max(took, _span(text))
        if _number(r"(\d+) failed", text) or _number(r"(\d+) [45]xx", text):
            raise NotReal(f"{lanes[0].path}: failed requests\n{text}")
    if done == 0:
        raise NotReal(f"{lanes[0].path}: nothing was answered")
    # h2load counts every HTTP 200, and gRPC refuses with HTTP 200 and no message.
    if abs(size / done / expected - 1) > TOLERANCE:
        raise NotReal(f"{lanes[0].path}: {size / done:.0f} bytes an answer, not {expected}")
    new = process.complaints()[complaints:]
    # The generator hangs up with calls in flight; those may be logged as failed.
    if len(new) > shape.connections * shape.streams:
        raise NotReal(f"{lanes[0].path}: the server logged {len(new)} failed calls; "
                      f"the first:\n{new[0]}")
    times = _times(folder, len(children))
    spent = store and database.spent(store_before, store_after)
    return Burst(rate=done / took, p50=_percentile(times, 50) / 1e3,
                 p99=_percentile(times, 99) / 1e3, cpu=cpu / done * 1e6,
                 database_cpu=None if spent is None else spent / done * 1e6)


def repeat(process, lane, times, patience=60):
    """Makes the same call so many times over one connection; for seeding."""
    with open_body(lane) as body:
        text = subprocess.run(
            ["h2load", f"-n{times}", "-c1", *lane.arguments(body), lane.url(process)],
            check=True, capture_output=True, text=True, timeout=patience).stdout
    if _number(r"(\d+) succeeded", text) != times or _number(r"\((\d+)\) data", text) == 0:
        raise NotReal(f"{lane.path}: seeding failed\n{text}")


def open_body(lane):
    file = tempfile.NamedTemporaryFile()
    file.write(lane.body or b"")
    file.flush()
    return file


def _start(process, lane, connections, streams, seconds, log):
    log.unlink(missing_ok=True)  # h2load appends
    body = open_body(lane)
    child = subprocess.Popen(
        ["h2load", f"-D{seconds}", f"-c{connections}", f"-m{streams}", f"--log-file={log}",
         *lane.arguments(body), lane.url(process)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    child.body = body  # lives as long as who reads it
    return child


def _finish(child, seconds):
    try:
        text, _ = child.communicate(timeout=seconds + 30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise
    finally:
        child.body.close()
    if child.returncode != 0:
        raise NotReal(f"h2load ended with {child.returncode}\n{text}")
    return text


def _times(folder, lanes):
    """Microseconds of every request: the third column of h2load's log."""
    times = []
    for lane in range(lanes):
        with open(folder / f"lane{lane}") as log:
            times.extend(int(line.rsplit("\t", 1)[1]) for line in log)
    return sorted(times)


def _percentile(ordered, percent):
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _number(pattern, text):
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def _span(text):
    found = re.search(r"finished in ([\d.]+)(us|ms|s),", text)
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]]
