#!/usr/bin/env python3
"""Compares the speed of Tern with that of the reference library, side by side on this machine.

    compare.py --build DIR --tern PATH [--reference PATH] [--runs N] [--rows PATTERN ...] [--out FILE] [--quick]

Every row is one benchmark. Tern and the reference take strict turns (A B A B ...), so that a busy machine hurts both;
each pair of neighbours gives one ratio, and the table shows the median of those. CPU time is user plus system time of
all processes of a run, from wait4. Writes FILE (default RESULTS.md beside this script) and results.svg next to it.
--quick: tiny counts, one run, nothing written unless --out is given; it proves that everything works, not how fast.
"""
import argparse
import dataclasses
import datetime
import fnmatch
import html
import math
import os
import pathlib
import platform
import random
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
TIME_LIMIT_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    label: str
    commands: tuple  # in the order they are started
    reporter: int    # the index of the command that prints the figures
    count: int
    quick_count: int
    is_latency: bool = False

    @property
    def transport(self):
        return self.name.split("-")[1]

    def command_lines(self, endpoint, count):
        return [[part.format(endpoint=endpoint, count=count) for part in command] for command in self.commands]


def throughput(transport, size, count, size_label):
    commands = (("local_thr", "{endpoint}", str(size), "{count}"), ("remote_thr", "{endpoint}", str(size), "{count}"))
    if transport == "ipc":  # the reference loses messages when its sender ends early: see README.md
        commands = (commands[0], (*commands[1], "wait"))
    if transport == "inproc":
        commands = (("inproc_thr", str(size), "{count}"),)
    return Row(f"thr-{transport}-{size}", f"PUSH/PULL {transport} {size_label}", commands, 0, count,
               max(10, min(2000, 2000000 // max(size, 1))))


def latency(transport, count):
    commands = (("local_lat", "{endpoint}", "1", "{count}"), ("remote_lat", "{endpoint}", "1", "{count}"))
    if transport == "inproc":
        commands = (("inproc_lat", "1", "{count}"),)
    return Row(f"lat-{transport}-1", f"REQ/REP {transport} 1 B", commands, len(commands) - 1, count, 100,
               is_latency=True)


def proxy(transport, count):
    return Row(f"proxy-{transport}-100", f"zmq_proxy {transport} 100 B",
               (("proxy_thr", "100", "{count}", transport),), 0, count, 1000)


def fan_out(subscribers, count):
    return Row(f"pubsub-tcp-{subscribers}", f"PUB/SUB tcp 100 B, {subscribers} subscribers, 100 prefixes",
               (("pubsub_thr", "{endpoint}", str(subscribers), "100", "100", "{count}"),), 0, count, 200)


ROWS = [
    throughput("tcp", 10, 3000000, "10 B"), throughput("tcp", 256, 2000000, "256 B"),
    throughput("tcp", 1024, 1000000, "1 KiB"), throughput("tcp", 65536, 30000, "64 KiB"),
    throughput("tcp", 1048576, 2000, "1 MiB"), throughput("ipc", 10, 3000000, "10 B"),
    throughput("ipc", 65536, 30000, "64 KiB"), throughput("inproc", 10, 5000000, "10 B"),
    throughput("inproc", 1024, 3000000, "1 KiB"), latency("tcp", 20000), latency("ipc", 20000),
    latency("inproc", 60000), proxy("inproc", 2000000), proxy("tcp", 300000), fan_out(2, 500000),
    fan_out(8, 150000),
]


class Library:
    """One of the two contestants: a directory with nothing but its libzmq.so.5, for LD_LIBRARY_PATH."""

    def __init__(self, name, path, directory):
        self.name, self.path = name, path.resolve(strict=True)
        (directory / name).mkdir()
        (directory / name / "libzmq.so.5").symlink_to(self.path)
        self.environment = dict(os.environ, LD_LIBRARY_PATH=str(directory / name))
        self.environment.pop("LD_PRELOAD", None)

    def require_mapped(self, program):
        """A program may carry a path of its own: asks the dynamic loader what it really takes."""
        probe = subprocess.run([program], env=dict(self.environment, LD_DEBUG="libs"), capture_output=True,
                               stdin=subprocess.DEVNULL, timeout=TIME_LIMIT_SECONDS)
        mapped = {os.path.realpath(path) for path in
                  re.findall(r"calling init: (\S*libzmq\S*)", probe.stderr.decode(errors="replace"))}
        if mapped != {str(self.path)}:
            sys.exit(f"{program} maps {sorted(mapped)} instead of {self.path}")

    def version(self):
        """Asked in a process of its own: two libzmq in one would be no fair witness."""
        code = ("import ctypes, sys; numbers = [ctypes.c_int() for _ in range(3)];"
                "ctypes.CDLL(sys.argv[1]).zmq_version(*map(ctypes.byref, numbers));"
                "print(*(number.value for number in numbers), sep='.')")
        return subprocess.run([sys.executable, "-c", code, str(self.path)], capture_output=True, text=True,
                              check=True).stdout.strip()


@dataclasses.dataclass(frozen=True)
class Run:
    figures: dict
    cpu_us: float  # per message or round trip, all processes


def fresh_endpoint(transport, directory):
    if transport == "ipc":
        return f"ipc://{directory}/{random.randrange(10**9)}.ipc"
    while True:
        port = random.randrange(10000, 30000)  # below the range the system hands out by itself
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return f"tcp://127.0.0.1:{port}"
            except OSError:
                continue


def perform(row, library, build, directory, count):
    """One run of one row. Returns the figures it printed, and the CPU time of all."""
    endpoint = fresh_endpoint(row.transport, directory)
    processes = []
    with tempfile.TemporaryFile("w+") as output:
        try:
            for index, (program, *arguments) in enumerate(row.command_lines(endpoint, count)):
                processes.append(subprocess.Popen(
                    [str(build / program), *arguments], env=library.environment, stdin=subprocess.DEVNULL,
                    stdout=output if index == row.reporter else subprocess.DEVNULL))
            cpu_seconds = sum(wait_for_all(processes, row, library))
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    process.wait()
        output.seek(0)
        line = output.read().splitlines()[-1]
    figures = {key: float(value) for key, value in (pair.split("=", 1) for pair in line.split())}
    return Run(figures, cpu_seconds / count * 1e6)


def wait_for_all(processes, row, library):
    """Yields the CPU seconds of each process; ends everything when one fails or the time is over."""
    alarm = threading.Timer(TIME_LIMIT_SECONDS, lambda: [os.kill(each.pid, signal.SIGKILL) for each in processes
                                                        if each.returncode is None])
    alarm.start()
    try:
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                sys.exit(f"{row.name} on {library.name}: {shlex.join(process.args)} ended with {process.returncode}")
            yield usage.ru_utime + usage.ru_stime
    finally:
        alarm.cancel()


# From runs to lines of the table

@dataclasses.dataclass(frozen=True)
class Line:
    label: str
    unit: str
    values: tuple   # medians, one per library
    ratios: tuple   # per pair: how many times Tern is better; empty without a reference
    cpu_us: tuple
    cpu_ratios: tuple


def lines_of(row, runs):
    """runs: for each library its list of runs, in the order of time."""
    def line(label, unit, key, smaller_is_better, with_cpu):
        series = [[run.figures[key] for run in each] for each in runs]
        cpu = [[run.cpu_us for run in each] for each in runs]
        return Line(label, unit, tuple(map(statistics.median, series)), pair_ratios(series, smaller_is_better),
                    tuple(map(statistics.median, cpu)) if with_cpu else (),
                    pair_ratios(cpu, True) if with_cpu else ())

    if not row.is_latency:
        return [line(row.label, "messages/s", "messages_per_second", False, True)]
    return [line(f"{row.label}, median round trip", "us", "rtt_median_us", True, True),
            line(f"{row.label}, 99th percentile", "us", "rtt_p99_us", True, False)]


def pair_ratios(series, smaller_is_better):
    if len(series) < 2:
        return ()
    pairs = zip(*(reversed(series) if smaller_is_better else series))
    return tuple(above / below if below else math.nan for above, below in pairs)


def ratio_text(ratios):
    if not ratios:
        return ""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def number_text(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table_of(lines, names):
    header = ["row", "unit", *names, "Tern is better by", *[f"CPU us {name}" for name in names], "Tern needs less by"]
    body = []
    for line in lines:
        cpu = [number_text(value) for value in line.cpu_us] or [""] * len(names)
        body.append([line.label, line.unit, *map(number_text, line.values), ratio_text(line.ratios), *cpu,
                     ratio_text(line.cpu_ratios)])
    if len(names) == 1:  # without a reference there are no ratios
        header, *body = [[cells[0], cells[1], cells[2], cells[4]] for cells in (header, *body)]
    return header, body


def markdown_table(header, body):
    align = ["---", "---"] + ["---:"] * (len(header) - 2)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, align, *body))


def plain_table(header, body):
    widths = [max(len(row[column]) for row in (header, *body)) for column in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in (header, *body))


# The report

def machine():
    model = "unknown processor"
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        model = re.search(r"model name\s*:\s*(.*)", text).group(1)
    except (OSError, AttributeError):
        pass
    return f"{model}, {os.cpu_count()} logical processors, {platform.machine()}"


def write_report(path, options, libraries, rows, lines, header, body):
    commands = "\n".join(
        f"{row.name}: " + " & ".join(map(shlex.join, row.command_lines("ENDPOINT", row.count))) for row in rows)
    versions = "\n".join(f"- {each.name}: `{each.path.name}`, zmq_version {each.version()}" for each in libraries)
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    path.write_text(f"""# Benchmark results

Written by `perf/compare.py`; the method is in [README.md](README.md).

- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC
- machine: {machine()}
- kernel: {platform.system()} {platform.release()}
- load average at the end: {load}
{versions}
- runs per row and library: {options.runs}{' (--quick: the figures mean nothing)' if options.quick else ''}

{markdown_table(header, body)}

Ratios: median over the pairs of neighbouring runs, with the smallest and the largest pair. Above 1, Tern is better:
more messages per second, a shorter round trip, less CPU time. CPU: user and system time of all processes of a run per
message or round trip, program start included.

{f'![ratios](results.svg)' if len(libraries) > 1 else ''}

The commands of each row (ENDPOINT: a fresh one of the row's transport):

```
{commands}
```
""")
    if len(libraries) > 1:
        path.with_name("results.svg").write_text(bar_plot(lines))


def bar_plot(lines):
    """Horizontal bars on a logarithmic scale; the line at 1 is the reference."""
    label_width, plot_width, row_height, top = 400, 480, 34, 60
    every_ratio = [statistics.median(ratios) for line in lines for ratios in (line.ratios, line.cpu_ratios)
                   if ratios and statistics.median(ratios) > 0]
    low = min(-1, math.floor(math.log2(min(every_ratio))))
    high = max(1, math.ceil(math.log2(max(every_ratio))))

    def x(ratio):
        return label_width + (math.log2(ratio) - low) / (high - low) * plot_width

    bottom = top + row_height * len(lines)
    parts = []

    def text(left, height, content, anchor="start"):
        parts.append(f'<text x="{left:.1f}" y="{height:.1f}" text-anchor="{anchor}">{html.escape(content)}</text>')

    def bar(ratio, height, color):
        left, right = sorted((x(1), x(ratio)))
        parts.append(f'<rect x="{left:.1f}" y="{height}" width="{right - left:.1f}" height="11" fill="{color}"/>')
        text(right + 4, height + 10, f"{ratio:.2f}")

    text(label_width, 20, "How many times Tern is better than the reference (logarithmic)")
    parts.append(f'<rect x="{label_width}" y="30" width="11" height="11" fill="#1f6f8b"/>')
    text(label_width + 16, 40, "rate or time")
    parts.append(f'<rect x="{label_width + 130}" y="30" width="11" height="11" fill="#99a8b2"/>')
    text(label_width + 146, 40, "CPU time")
    for power in range(low, high + 1):
        color = "#333" if power == 0 else "#ddd"
        parts.append(f'<line x1="{x(2.0 ** power):.1f}" y1="{top - 6}" x2="{x(2.0 ** power):.1f}" y2="{bottom}" '
                     f'stroke="{color}"/>')
        text(x(2.0 ** power), bottom + 16, f"{2.0 ** power:g}", "middle")
    for index, line in enumerate(lines):
        height = top + row_height * index
        text(label_width - 10, height + 17, line.label, "end")
        for ratios, offset, color in ((line.ratios, 2, "#1f6f8b"), (line.cpu_ratios, 15, "#99a8b2")):
            if ratios and statistics.median(ratios) > 0:
                bar(statistics.median(ratios), height + offset, color)
    width = label_width + plot_width + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 28}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the directory of the built programs")
    parser.add_argument("--tern", type=pathlib.Path, required=True, help="Tern's libzmq.so.5")
    parser.add_argument("--reference", type=pathlib.Path, help="the other libzmq.so.5")
    parser.add_argument("--runs", type=int, help="runs per row and library (default 7)")
    parser.add_argument("--rows", nargs="+", metavar="PATTERN", default=["*"], help="such as 'thr-tcp-*'")
    parser.add_argument("--out", type=pathlib.Path, help="default: RESULTS.md beside this script")
    parser.add_argument("--quick", action="store_true", help="tiny counts, to see that everything works")
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 7)
    rows = [row for row in ROWS if any(fnmatch.fnmatch(row.name, pattern) for pattern in options.rows)]
    if not rows:
        parser.error("no such row; there are " + " ".join(row.name for row in ROWS))
    build = options.build.resolve()

    with tempfile.TemporaryDirectory(prefix="perf-") as name:
        directory = pathlib.Path(name)
        libraries = [Library("Tern", options.tern, directory)]
        if options.reference:
            libraries.append(Library("reference", options.reference, directory))
        for program in sorted({command[0] for row in rows for command in row.commands}):
            for library in libraries:
                library.require_mapped(build / program)

        lines = []
        for row in rows:
            runs = [[] for _ in libraries]
            for number in range(options.runs):
                print(f"\r{row.name} {number + 1}/{options.runs}    ", end="", file=sys.stderr, flush=True)
                for library, collected in zip(libraries, runs):
                    collected.append(perform(row, library, build, directory,
                                             row.quick_count if options.quick else row.count))
            lines += lines_of(row, runs)
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)

    header, body = table_of(lines, [library.name for library in libraries])
    print(plain_table(header, body))
    path = options.out or (None if options.quick else HERE / "RESULTS.md")
    if path:
        write_report(path, options, libraries, rows, lines, header, body)
        print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
