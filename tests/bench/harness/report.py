"""The measured figures beside their budgets, as markdown."""

import os
import statistics

# Server CPU per request, as a ratio to the floor in the same run: absolute figures are those of a
# machine. These calls also have a budget for p99.
FLOOR = {
    ("PostgreSQL", "JSON", "list"): 1.15, ("PostgreSQL", "gRPC", "list"): 1.10,
    ("PostgreSQL", "JSON", "get"): 1.15, ("PostgreSQL", "gRPC", "get"): 1.10,
    ("PostgreSQL", "JSON", "create"): 1.30, ("PostgreSQL", "gRPC", "create"): 1.20,
    ("SQLite", "JSON", "list"): 1.0, ("SQLite", "gRPC", "list"): 1.0,
    ("SQLite", "JSON", "get"): 1.0, ("SQLite", "gRPC", "get"): 1.0,
}
GATE = 6
P99_MS = 15
IDLE_MIB = 15
LOADED_MIB = 32
START_MS = 150


class Report:
    def __init__(self):
        self.missed = 0

    def met(self, value, budget):
        if budget is None:
            return "–", "–"
        good = value <= budget
        self.missed += not good
        return f"≤ {budget}", "yes" if good else "**no**"

    def bursts(self, bursts):
        """`bursts`: lists of `load.Burst` by (subject, wire, workload, shape)."""
        lines = ["| server | wire | call | connections × streams | requests/s | p50 ms | p99 ms | budget "
                 "| met | server CPU µs/request | database CPU µs/request |",
                 "|---|---|---|---|---:|---:|---:|---:|---|---:|---:|"]
        for (subject, wire, workload, shape), rounds in bursts.items():
            middle = {name: _median(rounds, name) for name in ("rate", "p50", "p99", "cpu")}
            stored = [burst.database_cpu for burst in rounds if burst.database_cpu is not None]
            stored = f"{statistics.median(stored):.0f}" if stored else "–"
            budget = FLOOR.get((subject, wire, workload))
            p99 = self.met(middle["p99"], P99_MS if budget and shape.connections == 32 else None)
            lines.append(
                f"| {subject} | {wire} | {workload} | {shape} | {middle['rate']:.0f} "
                f"| {middle['p50']:.2f} | {middle['p99']:.2f} | {p99[0]} | {p99[1]} "
                f"| {middle['cpu']:.1f} ({_spread(rounds)}) | {stored} |")
        return lines

    def floor(self, bursts, prefix):
        """The CPU of a call as a ratio to the floor's: rounds lie side by side, so they are
        paired."""
        lines = []
        for (subject, wire, workload, shape), ours in bursts.items():
            floor = bursts.get((prefix + subject, wire, workload, shape))
            if floor:
                ratios = [a.cpu / b.cpu for a, b in zip(ours, floor)]
                ratio = statistics.median(ratios)
                budget = FLOOR.get((subject, wire, workload))
                lines.append(f"| {subject}: {workload}, {wire}, CPU over the floor's ({shape}) "
                             f"| {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
                             f"| {' | '.join(self.met(ratio, budget))} |")
        return lines

    def gate(self, bursts, on, off):
        """The gate's own cost, by shape: rounds lie side by side, so they are paired."""
        lines = []
        for (subject, wire, workload, shape), with_gate in bursts.items():
            if subject == on:
                text, cost = _dearer(with_gate, bursts[off, wire, workload, shape])
                lines.append(f"| gate, CPU µs/request ({shape}) | {text} "
                             f"| {' | '.join(self.met(cost, GATE))} |")
        return lines

    def protocols(self, bursts):
        """What the same call costs more, or less, as JSON than over gRPC."""
        lines = []
        for (subject, wire, workload, shape), as_json in bursts.items():
            over_grpc = bursts.get((subject, "gRPC", workload, shape))
            if wire == "JSON" and over_grpc:
                text, _ = _dearer(as_json, over_grpc)
                lines.append(f"| {subject}: {workload}, JSON over gRPC, CPU µs/request ({shape}) "
                             f"| {text} | – | – |")
        return lines

    def processes(self, subjects, loaded):
        lines = []
        for subject in subjects:
            rows = [("start to first answer, ms", subject.start_ms, START_MS),
                    ("resident memory idle, MiB", subject.idle, IDLE_MIB)]
            if loaded:
                rows.append(("resident memory after the load, MiB", loaded.get(subject.name),
                             LOADED_MIB))
            lines += [f"| {subject.name}: {what} | {value:.1f} | {' | '.join(self.met(value, budget))} |"
                      for what, value, budget in rows if value is not None]
        return lines


def conditions(options, load_before):
    return (f"{os.cpu_count()} cores; {options.rounds} rounds of {options.seconds} s each, "
            f"interleaved, medians (least to most); load average before {load_before:.2f}, "
            f"after {os.getloadavg()[0]:.2f} (the generator included). "
            "The generator runs on the same cores.")


def _dearer(rounds, than):
    """What a request costs more, as text and as a number: the rounds lie side by side, so
    they are paired."""
    differences = [a.cpu - b.cpu for a, b in zip(rounds, than)]
    cost = statistics.median(differences)
    return f"{cost:+.1f} ({min(differences):+.1f} to {max(differences):+.1f})", cost


def _median(rounds, name):
    return statistics.median(getattr(burst, name) for burst in rounds)


def _spread(rounds):
    return f"{min(b.cpu for b in rounds):.0f}–{max(b.cpu for b in rounds):.0f}"
