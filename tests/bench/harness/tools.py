"""What the harness needs from the machine, and the binaries it measures."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def require(*programs):
    """Ends with a hint where a program is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        sys.exit(f"{', '.join(missing)} not found: install the package nghttp2-client "
                 "(Debian, Ubuntu: apt-get install nghttp2-client; macOS has no /proc)")


def build():
    """Builds the release binaries; returns the folder they are in."""
    packages = [f"--package={name}" for name in ("task-service", "auth-service", "bench")]
    subprocess.run(["cargo", "build", "--release", *packages], cwd=ROOT, check=True)
    # Asked, not guessed: CARGO_TARGET_DIR and cargo's own settings both move it.
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps"],
        cwd=ROOT, check=True, capture_output=True).stdout
    return Path(json.loads(metadata)["target_directory"]) / "release"


def note(text):
    """Tells on standard error how far it is; standard output is the report."""
    print(text, file=sys.stderr, flush=True)
