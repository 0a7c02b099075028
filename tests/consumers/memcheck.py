"""Runs under valgrind memcheck: what it records of libzmq, apart from what it records of the rest."""
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import memcheck_records
import support


def need_valgrind():
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        sys.exit(support.SKIP)


class Records:
    """Of all processes of one run."""

    def __init__(self, library, with_leaks):
        self.library, self.with_leaks = library, with_leaks
        self.inside, self.elsewhere, self.other_leaks = [], 0, 0
        self.crash, self.is_complete = None, False

    def add(self, process):
        self.crash = process.crash() or self.crash
        for record in process.records:
            if record.is_leak() and not (self.with_leaks and process.leaks_count):
                self.other_leaks += 1
            elif self.library.file in record.objects:
                self.inside.append(record)
            else:
                self.elsewhere += 1
        if process.parent == os.getpid() and process.is_complete:
            self.is_complete = True


class Memcheck:
    """What run_file needs to run a program under memcheck, and to read what it recorded."""
    environment = {"PYTHONMALLOC": "malloc"}
    plugins = ("-p", "warm_up")

    def __init__(self, with_leaks=True):
        self.with_leaks = with_leaks

    def command(self, folder):
        return memcheck_records.command(folder, "definite,possible")

    def records(self, folder, library):
        found = Records(library, self.with_leaks)
        for process in memcheck_records.process_files(folder):
            found.add(process)
        return found


# ---- suites of tests under memcheck --------------------------------------------------------------

def troubles(outcome):
    """What is wrong with one run. That single tests failed is not: under valgrind they run late."""
    found = []
    if outcome.trouble():
        found.append(outcome.trouble())
    if outcome.records.crash:
        found.append(outcome.records.crash)
    if outcome.run.code > 1:
        found.append(f"pytest ended with {outcome.run.code}")
    if not outcome.records.is_complete:
        found.append("memcheck did not finish")
    if not any(map(outcome.good, outcome.tests)):
        found.append("not one test passed")
    if outcome.records.inside:
        found.append(f"{len(outcome.records.inside)} records in libzmq")
    return found


def check(title, files, library, timeout, jobs, losing):
    """Runs every file under memcheck, prints a line for each, returns the number of failures.

    `losing` names tests that make the program itself lose memory of libzmq's: {file: (test, ...)}. They run apart, and
    only their errors count, not their leaks."""
    parts = []
    for path in files:
        apart = losing.get(os.path.splitext(os.path.basename(path))[0], ())
        parts.append((path, dict(memory=Memcheck(), left_out=apart)))
        if apart:
            parts.append((path, dict(memory=Memcheck(with_leaks=False), tests=apart)))

    def perform(part):
        path, how = part
        outcome = support.run_file(library, path, timeout, **how)
        # A test that failed may have left a socket open, and what belongs to it.
        if outcome.records.inside and outcome.count("failed", "unfinished"):
            print(f"{os.path.basename(path)}: {len(outcome.records.inside)} records in libzmq, but tests failed: again",
                  flush=True)
            outcome = support.run_file(library, path, timeout, **how)
        return outcome

    print(f"{title} under memcheck: {library.file}")
    print(f"{'file':28} {'libzmq':>7}{'others':>7}   {'pass':>7}{'fail':>7}{'skip':>7}{'s':>7}")
    outcomes, failures = [], []
    with ThreadPoolExecutor(jobs) as pool:
        for (path, how), outcome in zip(parts, pool.map(perform, parts)):
            outcomes.append(outcome)
            name = os.path.basename(path)
            found = troubles(outcome)
            print(f"{name:28} {len(outcome.records.inside):7}{outcome.records.elsewhere:7}   "
                  f"{outcome.count('passed'):7}{outcome.count('failed', 'unfinished'):7}{outcome.count('skipped'):7}"
                  f"{outcome.seconds:7.1f}{'   errors only' if how.get('tests') else ''}{'   FAIL' if found else ''}",
                  flush=True)
            for test, state in outcome.tests.items():
                if not outcome.good(test):
                    print(f"    {state}{', not judged' if state == 'failed' else ''}: {test}")
            for record in outcome.records.inside:
                print(record.text())
            if found:
                print(outcome.run.tail(), flush=True)
            failures += [f"{name}: {trouble}" for trouble in found]
    processes = sum(sum(outcome.run.mapped.values()) for outcome in outcomes)
    if not any(outcome.run.problem for outcome in outcomes):
        print(f"{processes} processes, each mapped {library.file} (the dynamic loader's trace)")
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"{sum(len(outcome.records.inside) for outcome in outcomes)} records in libzmq; not judged: "
          f"{sum(outcome.records.elsewhere for outcome in outcomes)} elsewhere, "
          f"{sum(outcome.records.other_leaks for outcome in outcomes)} leaks where nothing is freed")
    print(f"{sum(outcome.count('passed') for outcome in outcomes)} passed, {len(failures)} failures")
    return len(failures) or (0 if outcomes else 1)
