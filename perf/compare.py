#!/usr/bin/env python3
"""Compares the speed of Tern with that of the reference library, side by side on this machine.

    compare.py --build DIR --tern PATH [--reference PATH] [--runs N] [--rows PATTERN ...]
               [--out FILE] [--quick]

Every row (rows.py) is one benchmark. Tern, the reference, and what else does the same (bare
sockets, nng, nanomsg) take strict turns, so that a busy machine hurts all of them; each round gives
one ratio, and the table shows the median of those. Writes FILE (default RESULTS.md beside this
script) and results.svg next to it. --quick: tiny counts, one run, nothing written unless --out is
given; it proves that everything works, not how fast.
"""
import argparse
import fnmatch
import json
import os
import pathlib
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import report
from rows import ROWS

HERE = pathlib.Path(__file__).resolve().parent
OTHERS = ("bare", "nng", "nanomsg")
TIME_LIMIT_SECONDS = 120


class RunFailed(Exception):
    contestant = ""


class Contestant:
    """Something that other programs are compared with; its programs are NAME_thr and NAME_lat."""

    def __init__(self, name):
        self.name = name
        self.environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}

    def takes_part(self, row, build):
        return self.name in row.others and all(
            (build / command[0]).exists() for command in row.command_lines(self.name, "", 0))


class Library(Contestant):
    """A libzmq.so.5: a directory with nothing else in it, for LD_LIBRARY_PATH."""

    def __init__(self, name, path, directory):
        super().__init__(name)
        self.path = path.resolve(strict=True)
        (directory / name).mkdir()
        (directory / name / "libzmq.so.5").symlink_to(self.path)
        self.environment["LD_LIBRARY_PATH"] = str(directory / name)

    def takes_part(self, row, build):
        return True

    def require_mapped(self, program):
        """A program may carry a path of its own: asks the dynamic loader what it really takes."""
        probe = subprocess.run([program], env=dict(self.environment, LD_DEBUG="libs"),
                               capture_output=True, stdin=subprocess.DEVNULL,
                               timeout=TIME_LIMIT_SECONDS)
        text = probe.stderr.decode(errors="replace")
        mapped = {os.path.realpath(path)
                  for path in re.findall(r"calling init: (\S*libzmq\S*)", text)}
        if mapped != {str(self.path)}:
            sys.exit(f"{program} maps {sorted(mapped)} instead of {self.path}")

    def version(self):
        return self.ask("numbers = [ctypes.c_int() for _ in range(3)];"
                        "library.zmq_version(*map(ctypes.byref, numbers));"
                        "print(*(number.value for number in numbers), sep='.')")

    def has(self, capability):
        return self.ask(f"print(library.zmq_has({capability.encode()!r}))") == "1"

    def ask(self, code):
        """In a process of its own: two libzmq in one would be no fair witness."""
        code = "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]);" + code
        return subprocess.run([sys.executable, "-c", code, str(self.path)], capture_output=True,
                              text=True, check=True).stdout.strip()


def fresh_endpoint(transport, directory):
    if transport == "inproc":
        return "inproc://perf"
    if transport == "ipc":
        return f"ipc://{directory}/{random.randrange(10**9)}.ipc"
    while True:
        port = random.randrange(10000, 30000)  # below the range the system hands out by itself
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return f"{transport}://127.0.0.1:{port}"
            except OSError:
                continue


def perform(row, contestant, build, directory, is_quick):
    """One run of one row. Returns the figures it printed, with the CPU time of all as cpu_all."""
    endpoint = fresh_endpoint(row.transport, directory)
    count = row.count_for(contestant.name, is_quick)
    commands = row.command_lines(contestant.name, endpoint, count, is_quick)
    processes = []
    with tempfile.TemporaryFile("w+") as output:
        try:
            for index, (program, *arguments) in enumerate(commands):
                is_reporter = index == row.reporter or len(commands) == 1
                processes.append(subprocess.Popen(
                    [str(build / program), *arguments], env=contestant.environment,
                    stdin=subprocess.DEVNULL, stdout=output if is_reporter else subprocess.DEVNULL,
                    start_new_session=True))
            cpu_seconds = sum(wait_for_all(processes, f"{row.name} on {contestant.name}"))
        except BaseException:
            end_all(processes)
            raise
        output.seek(0)
        lines = output.read().splitlines()
    if not lines:
        raise RunFailed(f"{row.name} on {contestant.name} printed nothing")
    pairs = (pair.split("=", 1) for pair in lines[-1].split())
    figures = {key: float(value) for key, value in pairs}
    return dict(figures, cpu_all=cpu_seconds / count * 1e6)


def end_all(processes):
    """Ends what still runs of the processes, and of those that they have forked."""
    for process in processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing is left of this group
        if process.returncode is None:
            process.wait()


def wait_for_all(processes, what):
    """Yields the CPU seconds of each process; kills them when the time is over."""
    def kill():
        for process in processes:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)

    alarm = threading.Timer(TIME_LIMIT_SECONDS, kill)
    alarm.start()
    try:
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                command = shlex.join(process.args)
                raise RunFailed(f"{what}: {command} ended with {process.returncode}")
            yield usage.ru_utime + usage.ru_stime
    finally:
        alarm.cancel()


def perform_all(row, contestants, build, directory, options):
    """For each contestant that takes part, by name: the figures of its runs, in order of time."""
    taking_part = [each for each in contestants if each.takes_part(row, build)]
    runs = {each.name: [] for each in taking_part}
    for number in range(options.runs):
        print(f"\r{row.name} {number + 1}/{options.runs}".ljust(50), end="", file=sys.stderr,
              flush=True)
        for contestant in taking_part:
            try:
                figures = perform(row, contestant, build, directory, options.quick)
            except RunFailed as failure:
                failure.contestant = contestant.name
                raise
            runs[contestant.name].append(figures)
    return runs


def micro_benchmarks(build):
    """Name, ns of CPU, items per second of each, as built; nothing where they are not built."""
    program = build / "micro_bench"
    if not program.exists():
        return []
    output = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.1"],
                            capture_output=True, text=True, check=True).stdout
    return [(each["name"], each["cpu_time"], each.get("items_per_second"))
            for each in json.loads(output)["benchmarks"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help="the directory of the built programs")
    parser.add_argument("--tern", type=pathlib.Path, required=True, help="Tern's libzmq.so.5")
    parser.add_argument("--reference", type=pathlib.Path, help="the other libzmq.so.5")
    parser.add_argument("--runs", type=int, help="runs per row and contestant (default 7)")
    parser.add_argument("--rows", nargs="+", metavar="PATTERN", default=["*"],
                        help="such as 'thr-tcp-*'; 'micro' are the micro-benchmarks")
    parser.add_argument("--out", type=pathlib.Path, help="default: RESULTS.md beside this script")
    parser.add_argument("--quick", action="store_true", help="tiny counts, to see that it works")
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 7)

    def is_wanted(name):
        return any(fnmatch.fnmatch(name, pattern) for pattern in options.rows)

    rows = [row for row in ROWS if is_wanted(row.name)]
    with_micro = is_wanted("micro") and not options.quick
    if not rows and not with_micro:
        parser.error("no such row; there are micro " + " ".join(row.name for row in ROWS))
    build = options.build.resolve()

    lines, failures = [], []
    with tempfile.TemporaryDirectory(prefix="perf-") as name:
        directory = pathlib.Path(name)
        libraries = [Library("Tern", options.tern, directory)]
        if options.reference:
            libraries.append(Library("reference", options.reference, directory))
        for program in sorted({command[0] for row in rows for command in row.commands}):
            for library in libraries:
                library.require_mapped(build / program)

        rows = [row for row in rows
                if not row.needs or all(library.has(row.needs) for library in libraries)]
        contestants = libraries + [Contestant(other) for other in OTHERS]
        for row in rows:
            try:
                runs = perform_all(row, contestants, build, directory, options)
                lines += report.lines_of(row, runs)
            except RunFailed as failure:
                failures.append(failure)
                print(f"\r{failure}".ljust(50), file=sys.stderr)
        micro = micro_benchmarks(build) if with_micro else []
        print("\r" + " " * 50 + "\r", end="", file=sys.stderr)

        print(report.plain(lines, micro, len(libraries) > 1, with_demands=not options.quick))
        path = options.out or (None if options.quick else HERE / "RESULTS.md")
        if path:
            versions = [(each.name, each.path.name, each.version()) for each in libraries]
            report.write(path, options, versions, rows, lines, micro,
                         [str(failure) for failure in failures])
            print(f"written: {path}")
    # The reference's proxy stands still now and then on a loaded machine: said, but no fault of ours.
    if options.quick:
        failures = [each for each in failures if each.contestant != "reference"]
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
