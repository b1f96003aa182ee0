"""A server under measurement, and what the operating system knows about it."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
GRPC = re.compile(r"grpc[^\n ]*?(127\.0\.0\.1:\d+)")
HTTP = re.compile(r"http[^\n ]*?(127\.0\.0\.1:\d+)")
COMPLAINT = re.compile(r" (code|status)=")
START_PATIENCE = 20.0
STOP_PATIENCE = 20.0


def cpu_seconds(pid):
    """User and system time of a process and all its threads; 0 when it has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # The name in parentheses may hold anything: count the fields from its end.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Process:
    """A running server. As a context it is stopped in the end, by its pid."""

    def __init__(self, command, settings, log):
        self.log = Path(log)
        environment = {"PATH": os.environ["PATH"], **settings}
        with open(self.log, "wb") as out:
            self.started = time.perf_counter()
            self.child = subprocess.Popen(
                [str(part) for part in command], env=environment, stderr=out,
                stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.log.parent)
        try:
            self.address, self.http = self._addresses()
        except BaseException:
            self.stop()
            raise

    def _addresses(self):
        """As the server logs them: port 0 cannot collide with anything. Not every server
        has an HTTP port."""
        while time.perf_counter() - self.started < START_PATIENCE:
            for line in self.log.read_text().splitlines(keepends=True):
                grpc, http = GRPC.search(line), HTTP.search(line)
                if "listening" in line and grpc and line.endswith("\n"):
                    return grpc[1], http and http[1]
            if self.child.poll() is not None:
                break
            time.sleep(0.0005)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def cpu(self):
        return cpu_seconds(self.child.pid)

    def memory(self):
        """Resident memory in MiB."""
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024

    def complaints(self):
        """The lines it has logged about answers that were not OK."""
        return [line for line in self.log.read_text().splitlines() if COMPLAINT.search(line)]

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
