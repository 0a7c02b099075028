"""What the consumer tests share: running other people's programs on a given libzmq.

A program is started with LD_LIBRARY_PATH pointing at one library directory, under a hard timeout
for its whole process group, with the dynamic loader's trace switched on. The trace proves which
libzmq each process mapped.
"""
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile

SKIP = 77
REFERENCE = "/usr/lib/x86_64-linux-gnu"
HERE = os.path.dirname(os.path.abspath(__file__))


def need(*modules):
    """Ends the test as skipped when Debian's Python lacks one of the modules."""
    for module, package in modules:
        if importlib.util.find_spec(module) is None:
            print(f"skipped: {package} is not installed")
            sys.exit(SKIP)


class Library:
    def __init__(self, name, path):
        self.name = name
        self.directory = os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path))
        self.file = os.path.realpath(os.path.join(self.directory, "libzmq.so.5"))
        if not os.path.isfile(self.file):
            sys.exit(f"{name}: no libzmq.so.5 in {self.directory}")


class Run:
    """The result of one program run."""

    def __init__(self, code, timed_out, output, mapped, problem):
        self.code, self.timed_out, self.output = code, timed_out, output
        self.mapped, self.problem = mapped, problem

    def tail(self, lines=60):
        return "\n".join("    | " + line for line in self.output.splitlines()[-lines:])


def run(library, command, folder, timeout, environment=None):
    """Runs `command` in `folder` on `library`. Never raises for what the program does."""
    trace = os.path.join(folder, "loader")
    variables = dict(os.environ, LD_LIBRARY_PATH=library.directory, LD_DEBUG="libs",
                     LD_DEBUG_OUTPUT=trace, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1",
                     HOME=folder, TMPDIR=folder)
    for name in ("LD_PRELOAD", "PYTHONPATH", "PYTHONHOME"):
        variables.pop(name, None)
    variables.update(environment or {})
    log = os.path.join(folder, "output")
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        timed_out = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:  # also what it left behind
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    with open(log, errors="replace") as output:
        text = output.read()
    mapped = mapped_libraries(folder)
    wrong = sorted(path for path in mapped if os.path.realpath(path) != library.file)
    problem = None
    if wrong:
        problem = f"mapped {', '.join(wrong)}, not {library.file}"
    elif not mapped:
        problem = "mapped no libzmq at all"
    return Run(process.returncode, timed_out, text, mapped, problem)


def mapped_libraries(folder):
    """{path of libzmq: number of processes that initialised it}, from the loader's traces."""
    found = {}
    for name in os.listdir(folder):
        if not name.startswith("loader."):
            continue
        with open(os.path.join(folder, name), errors="replace") as trace:
            for path in set(re.findall(r"calling init: (\S*libzmq\.so\S*)", trace.read())):
                found[path] = found.get(path, 0) + 1
    return found


# ---- suites of tests: the same files on both libraries -------------------------------------------

class Outcome:
    """Of one test file on one library: {test: passed|failed|skipped|unfinished}."""

    def __init__(self):
        self.tests, self.flaky, self.seconds = {}, set(), 0.0
        self.run = None

    def count(self, *states):
        return sum(state in states for state in self.tests.values())

    def good(self, test):
        return self.tests.get(test) in ("passed", "skipped")

    def trouble(self):
        """What is wrong with the run itself, whatever the single tests say."""
        if self.run.timed_out:
            return "out of time"
        if self.run.code < 0:
            return f"died of {signal.Signals(-self.run.code).name}"
        return self.run.problem


def run_file(library, path, timeout, tests=()):
    """Runs the tests of one file, or only the named ones."""
    import time
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="consumer-") as folder:
        record = os.path.join(folder, "outcomes")
        open(record, "w").close()
        targets = [f"{path}::{test}" for test in tests] or [path]
        begin = time.monotonic()
        outcome.run = run(
            library,
            [sys.executable, "-m", "pytest", "-p", "no:flaky", "-p", "no:cacheprovider",
             "-p", "outcomes", "-q", "-rf", "--rootdir", os.path.dirname(path), *targets],
            folder, timeout, {"PYTHONPATH": HERE, "CONSUMER_OUTCOMES": record})
        outcome.seconds = time.monotonic() - begin
        with open(record) as lines:
            for line in lines:
                state, test, mark = line.rstrip("\n").split("\t")
                outcome.tests[test] = state
                if mark:
                    outcome.flaky.add(test)
    # What its authors marked as flaky may be tried three times more, as they do.
    if not tests:
        for test in sorted(outcome.flaky):
            for _ in range(3):
                if outcome.good(test) or outcome.trouble():
                    break
                again = run_file(library, path, timeout, [test])
                outcome.tests[test] = again.tests.get(test, "failed")
    return outcome


def compare(title, files, tern, reference, timeout, jobs=2, slow_first=()):
    """Runs every file on both libraries, prints a table, returns the number of failures."""
    from concurrent.futures import ThreadPoolExecutor

    def both(path):  # one after the other: some tests use fixed ports
        return run_file(tern, path, timeout), run_file(reference, path, timeout)

    def is_slow(path):
        return os.path.basename(path) in slow_first

    print(f"{title}: tern {tern.file}, reference {reference.file}")
    print(f"{'':28} {'tern':>28}   {'reference':>28}")
    heads = "".join(f"{head:>7}" for head in ("pass", "fail", "skip", "s"))
    print(f"{'file':28} {heads}   {heads}")
    order = sorted(files, key=lambda path: not is_slow(path))
    failures, passed, skipped, processes = [], 0, 0, 0
    known = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = {path: pool.submit(both, path) for path in order}
        for path in files:
            ours, theirs = futures[path].result()
            name = os.path.basename(path)
            found = []
            for test in sorted(set(ours.tests) | set(theirs.tests)):
                state = ours.tests.get(test, "not run")
                if ours.good(test):
                    if ours.tests[test] == "skipped" and theirs.tests.get(test) == "passed":
                        found.append(f"{name}::{test} skipped, passed on the reference")
                elif theirs.good(test):
                    found.append(f"{name}::{test} {state}")
                else:
                    known.append(f"{name}::{test}")
            if ours.trouble() and (ours.trouble() != theirs.trouble() or ours.run.problem):
                found.append(f"{name}: {ours.trouble()}")
            if theirs.run.problem:
                found.append(f"{name}: the reference run {theirs.run.problem}")
            cells = "   ".join(
                f"{o.count('passed'):7}{o.count('failed', 'unfinished'):7}{o.count('skipped'):7}"
                f"{o.seconds:7.1f}" for o in (ours, theirs))
            print(f"{name:28} {cells}{'   FAIL' if found else ''}", flush=True)
            if found:
                print(ours.run.tail(), flush=True)
            failures += found
            passed += ours.count("passed")
            skipped += ours.count("skipped")
            processes += sum(ours.run.mapped.values())
    print(f"{processes} processes, each mapped {tern.file} (dynamic loader's trace)"
          if processes else "no process mapped Tern")
    for test in known:
        print(f"fails on both: {test}")
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return len(failures) or (0 if passed else 1)
