"""pytest plugin for runs under valgrind, where code is slow when it first runs: some tests expect a
tcp connection and a subscription to be there after 100 ms. Makes one of each before the tests."""
import time


def pytest_sessionstart(session):
    import zmq
    with zmq.Context() as context, context.socket(zmq.PUB) as sender, context.socket(zmq.SUB) as receiver:
        sender.linger = 0
        receiver.subscribe(b"")
        receiver.connect(f"tcp://127.0.0.1:{sender.bind_to_random_port('tcp://127.0.0.1')}")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            sender.send(b"")
            if receiver.poll(20):
                break
