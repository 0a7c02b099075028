"""pytest plugin: writes each test's outcome to $CONSUMER_OUTCOMES as soon as it is known, so that
a crash or a hang shows in which test it happened."""
import os

_state = {}


def _write(state, nodeid, flaky):
    test = nodeid.split("::", 1)[-1]
    with open(os.environ["CONSUMER_OUTCOMES"], "a") as record:
        record.write(f"{state}\t{test}\t{'flaky' if flaky else ''}\n")


def pytest_runtest_logstart(nodeid, location):
    _state[nodeid] = ("passed", False)
    _write("unfinished", nodeid, False)


def pytest_runtest_logreport(report):
    state, flaky = _state[report.nodeid]
    if report.failed:
        state = "failed"
    elif report.skipped and state == "passed":
        state = "skipped"
    _state[report.nodeid] = (state, flaky or "flaky" in report.keywords)


def pytest_runtest_logfinish(nodeid, location):
    _write(_state[nodeid][0], nodeid, _state[nodeid][1])


def pytest_collectreport(report):
    if report.failed:
        _write("failed", "::collection of " + os.path.basename(report.nodeid or "all"), False)
