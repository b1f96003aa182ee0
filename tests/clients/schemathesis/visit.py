"""A run of schemathesis against one HTTP API in one role, and its verdict."""

import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TASKS, AUTH = r"^/api/\{user_id\}/", "^/api/auth/"
ENDINGS = "sign-out|delete-user|revoke-|change-password"
# An answer without an end, and a body that is no document but one a line, are for other tests.
STREAMS = "/(watch|import)$"
# Room for loading the document and for the case that is under way when time is up.
SLACK = 120


@dataclass
class Visit:
    """`succeeds`: whether each operation must be seen to work, or `None` where it may not
    work for such a caller at all; then an answer 2xx is the fault."""
    name: str
    settings: str
    include: str
    succeeds: bool
    exclude: str = ""
    token: str = ""
    account: bool = False
    variables: dict = field(default_factory=dict)
    # Operations that need not succeed (or, where none may, that may).
    except_for: frozenset = frozenset()

    def run(self, program, base, options):
        """Tells what is wrong, one line each."""
        operations = self._operations(options.document)
        failed, answers = self._call(program, base, options, self.include)
        missing = [name for name in operations if name not in answers]
        if missing:
            # Chance left them out: they are called by themselves.
            paths = "|".join(sorted({re.escape(name.split(" ", 1)[1]) for name in missing}))
            failed_again, more = self._call(program, base, options, f"^({paths})$")
            failed = failed or failed_again
            answers = {name: Counter(answers.get(name)) + Counter(more.get(name))
                       for name in answers | more}
        faults = ["schemathesis found the failures above"] if failed else []
        faults += [f"{name} was never called" for name in operations if name not in answers]
        print(f"\n{'operation':45} {'2xx':>6}  answers")
        for name in sorted(answers):
            worked = sum(n for status, n in answers[name].items() if status.startswith("2"))
            seen = ", ".join(f"{status}: {n}" for status, n in sorted(answers[name].items()))
            print(f"{name:45} {worked:6}  {seen}")
            if name not in self.except_for and bool(worked) != self.succeeds:
                faults.append(f"{name} {'never' if self.succeeds else 'once'} answered 2xx")
        return faults

    def _call(self, program, base, options, include):
        """Whether schemathesis found failures, and how often each status was answered."""
        # A folder of its own: what was found in one run must not steer the next.
        with tempfile.TemporaryDirectory(prefix="visit-") as folder:
            counted = Path(folder) / "answers.json"
            done = subprocess.run(
                [program, f"--config-file={HERE / 'settings' / self.settings}", "run",
                 f"{base}/openapi.json", *self._arguments(options, include)],
                cwd=folder, timeout=options.seconds + SLACK, stdin=subprocess.DEVNULL,
                env=self._environment(base, counted))
            answers = json.loads(counted.read_text()) if counted.exists() else {}
        return done.returncode != 0, answers

    def _operations(self, document):
        return [f"{method.upper()} {path}" for path, item in document["paths"].items()
                if re.search(self.include, path)
                and not (self.exclude and re.search(self.exclude, path))
                for method in item if method in ("get", "post", "put", "patch", "delete")]

    def _arguments(self, options, include):
        arguments = [f"--include-path-regex={include}", "--no-color",
                     "--continue-on-failure", "--workers=1", f"--max-time={options.seconds}",
                     "--generation-database=none", "--warnings=off", "--request-timeout=10"]
        if self.exclude:
            arguments.append(f"--exclude-path-regex={self.exclude}")
        if self.token:
            arguments += ["--header", f"Authorization: Bearer {self.token}"]
        if options.seed is not None:
            arguments.append(f"--seed={options.seed}")
        return arguments

    def _environment(self, base, counted):
        return {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
                "SCHEMATHESIS_HOOKS": "hooks", "DRILL_BASE": base, "DRILL_ANSWERS": str(counted),
                **({"DRILL_ACCOUNT": "1"} if self.account else {}), **self.variables}
