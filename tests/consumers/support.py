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
import time
from concurrent.futures import ThreadPoolExecutor

SKIP = 77
REFERENCE = "/usr/lib/x86_64-linux-gnu"
UNSTABLE_ALLOWED = 2
SUITE_SECONDS = 600  # after that, no further file is begun and none goes on
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
                     PYTHONFAULTHANDLER="1", HOME=folder, TMPDIR=folder)
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
            process.send_signal(signal.SIGABRT)  # Python's fault handler prints where it hangs
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        finally:  # also what it left behind
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            end_strays(folder)
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


def end_strays(folder):
    """Ends what left the process group, like a Jupyter kernel: every process wrote a loader trace
    into the folder, and names the folder in its environment."""
    for name in os.listdir(folder):
        if not re.fullmatch(r"loader\.\d+", name):
            continue
        pid = int(name.split(".")[1])
        try:
            with open(f"/proc/{pid}/environ") as environment:
                if f"LD_DEBUG_OUTPUT={folder}/loader\0" in environment.read():
                    os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


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
        self.run = self.records = None

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


def run_file(library, path, timeout, tests=(), left_out=(), memory=None):
    """Runs the tests of one file, or only the named ones; under memcheck if `memory` is given."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="consumer-") as folder:
        record = os.path.join(folder, "outcomes")
        open(record, "w").close()
        targets = [f"{path}::{test}" for test in tests] or [path]
        for test in left_out:
            targets += ["--deselect", f"{os.path.basename(path)}::{test}"]
        begin = time.monotonic()
        outcome.run = run(
            library,
            [*(memory.command(folder) if memory else ()),
             sys.executable, "-m", "pytest", "-p", "no:flaky", "-p", "no:cacheprovider",
             "-p", "outcomes", *(memory.plugins if memory else ()), "-q", "-rf",
             "--rootdir", os.path.dirname(path), *targets],
            folder, timeout, {"PYTHONPATH": HERE, "CONSUMER_OUTCOMES": record,
                              "ZMQ_TEST_TIMEOUT": "30", **(memory.environment if memory else {})})
        outcome.seconds = time.monotonic() - begin
        if memory:
            outcome.records = memory.records(folder, library)
        with open(record) as lines:
            for line in lines:
                state, test, mark = line.rstrip("\n").split("\t")
                outcome.tests[test] = state
                if mark:
                    outcome.flaky.add(test)
    # What its authors marked as flaky may be tried three times more, as they do.
    if not tests and not memory:
        for test in sorted(outcome.flaky):
            for _ in range(3):
                if outcome.good(test) or outcome.trouble():
                    break
                again = run_file(library, path, timeout, [test])
                outcome.tests[test] = again.tests.get(test, "failed")
    return outcome


def differences(name, ours, theirs):
    """What fails on Tern though it does not on the reference."""
    found = []
    for test in sorted(set(ours.tests) | set(theirs.tests)):
        if not ours.good(test) and theirs.good(test):
            found.append(f"{name}::{test} {ours.tests.get(test, 'not run')}")
        elif ours.tests.get(test) == "skipped" and theirs.tests.get(test) == "passed":
            found.append(f"{name}::{test} skipped, passed on the reference")
    if ours.trouble() and (ours.run.problem or ours.trouble() != theirs.trouble()):
        found.append(f"{name}: {ours.trouble()}")
    if theirs.run.problem:
        found.append(f"{name}: the reference run {theirs.run.problem}")
    return found


def compare(title, files, tern, reference, timeout, jobs=2, slow_first=()):
    """Runs every file on both libraries, prints a table, returns the number of failures.

    Some tests sleep for 100 ms and then expect a connection to be there; with two cores they can
    fail on any library. So a file that failed is run once more, alone. If it is clean then it is
    named as unstable; more than UNSTABLE_ALLOWED of those are failures too."""

    end = time.monotonic() + SUITE_SECONDS

    def both(path):  # one after the other: some tests use fixed ports
        return [run_file(library, path, max(1, min(timeout, end - time.monotonic())))
                for library in (tern, reference)]

    def row(path, ours, theirs, mark):
        cells = "   ".join(
            f"{o.count('passed'):7}{o.count('failed', 'unfinished'):7}{o.count('skipped'):7}"
            f"{o.seconds:7.1f}" for o in (ours, theirs))
        print(f"{os.path.basename(path):28} {cells}{mark}", flush=True)

    print(f"{title}: tern {tern.file}, reference {reference.file}")
    print(f"{'':28} {'tern':>28}   {'reference':>28}")
    heads = "".join(f"{head:>7}" for head in ("pass", "fail", "skip", "s"))
    print(f"{'file':28} {heads}   {heads}")
    results, suspects = {}, []
    with ThreadPoolExecutor(jobs) as pool:
        order = sorted(files, key=lambda path: os.path.basename(path) not in slow_first)
        futures = {path: pool.submit(both, path) for path in order}
        for path in files:
            results[path] = futures[path].result()
            found = differences(os.path.basename(path), *results[path])
            row(path, *results[path], "   FAIL" if found else "")
            if found:
                suspects.append(path)
                print("\n".join(f"    {line}" for line in found))
                print(results[path][0].run.tail(), flush=True)
    failures, unstable = [], []
    for path in suspects:
        if len(suspects) > 2 * UNSTABLE_ALLOWED or time.monotonic() > end:
            failures += differences(os.path.basename(path), *results[path])
            continue
        print("again, alone:")
        results[path] = both(path)
        found = differences(os.path.basename(path), *results[path])
        row(path, *results[path], "   FAIL" if found else "   unstable")
        failures += found
        if not found:
            unstable.append(os.path.basename(path))
    if len(unstable) > UNSTABLE_ALLOWED:
        failures.append(f"unstable: {', '.join(unstable)}")

    ours = [result[0] for result in results.values()]
    processes = sum(sum(outcome.run.mapped.values()) for outcome in ours)
    if not any(outcome.run.problem for outcome in ours):
        print(f"{processes} processes, each mapped {tern.file} (the dynamic loader's trace)")
    for path, result in results.items():
        for test in sorted(result[1].tests):
            if not result[0].good(test) and not result[1].good(test):
                print(f"fails on both: {os.path.basename(path)}::{test}")
    for name in unstable:
        print(f"unstable: {name}")
    for failure in failures:
        print(f"FAIL {failure}")
    passed = sum(outcome.count("passed") for outcome in ours)
    skipped = sum(outcome.count("skipped") for outcome in ours)
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return len(failures) or (0 if passed else 1)
