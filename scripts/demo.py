#!/usr/bin/python3
"""An ordinary program on Debian's python3-zmq: nothing in it knows which libzmq it runs on.

  LD_LIBRARY_PATH=DIRECTORY /usr/bin/python3 scripts/demo.py DIRECTORY

REQ/REP and PUB/SUB over tcp, in threads and in asyncio. Then it prints the version and the file of
the libzmq it mapped, and exits with 1 if that file is not below DIRECTORY.
"""
import asyncio
import faulthandler
import os
import sys
import threading

import zmq
import zmq.asyncio

QUESTIONS = 1000
READINGS = 100
PATIENCE = 10_000  # ms, for any one call


def configured(socket):
    socket.linger = 0
    socket.rcvtimeo = socket.sndtimeo = PATIENCE
    return socket


# ---- threads --------------------------------------------------------------------------------------

def answer(server):
    """Squares what it is asked, in a thread of its own."""
    for _ in range(QUESTIONS):
        server.send_json(server.recv_json() ** 2)
    server.close()


def request_reply(context):
    server = configured(context.socket(zmq.REP))
    port = server.bind_to_random_port("tcp://127.0.0.1")
    thread = threading.Thread(target=answer, args=(server,))
    thread.start()
    client = configured(context.socket(zmq.REQ))
    client.connect(f"tcp://127.0.0.1:{port}")
    total = 0
    for number in range(QUESTIONS):
        client.send_json(number)
        total += client.recv_json()
    thread.join()
    client.close()
    return total


def publish(publisher, listening):
    """A publisher does not know who listens, so it says hello until the subscriber has heard it."""
    while not listening.wait(0.001):
        publisher.send_multipart([b"weather", b"hello"])
    for reading in range(READINGS):
        publisher.send_multipart([b"weather", b"%d degrees" % reading])
        publisher.send_multipart([b"sports", b"not for us"])
    publisher.close(linger=PATIENCE)


def readings_of(messages):
    assert all(topic == b"weather" for topic, _ in messages)
    return [int(text.split()[0]) for _, text in messages]


def publish_subscribe(context):
    publisher = configured(context.socket(zmq.PUB))
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    listening = threading.Event()
    thread = threading.Thread(target=publish, args=(publisher, listening))
    thread.start()
    subscriber = configured(context.socket(zmq.SUB))
    subscriber.subscribe("weather")
    subscriber.connect(f"tcp://127.0.0.1:{port}")
    subscriber.recv_multipart()  # the first hello
    listening.set()
    heard = []
    while len(heard) < READINGS:
        message = subscriber.recv_multipart()
        if message[1] != b"hello":
            heard.append(message)
    thread.join()
    subscriber.close()
    return readings_of(heard)


# ---- asyncio --------------------------------------------------------------------------------------

async def async_answer(server):
    for _ in range(QUESTIONS):
        await server.send_json(await server.recv_json() ** 2)


async def async_ask(client):
    total = 0
    for number in range(QUESTIONS):
        await client.send_json(number)
        total += await client.recv_json()
    return total


async def async_publish(publisher, listening):
    while not listening.is_set():
        await publisher.send_multipart([b"weather", b"hello"])
        await asyncio.sleep(0.001)
    for reading in range(READINGS):
        await publisher.send_multipart([b"weather", b"%d degrees" % reading])
        await publisher.send_multipart([b"sports", b"not for us"])


async def async_hear(subscriber, listening):
    await subscriber.recv_multipart()
    listening.set()
    heard = []
    while len(heard) < READINGS:
        message = await subscriber.recv_multipart()
        if message[1] != b"hello":
            heard.append(message)
    return readings_of(heard)


async def all_at_once():
    """Both patterns in one event loop, their four parties side by side."""
    with zmq.asyncio.Context() as context:
        server, client, publisher, subscriber = sockets = [
            configured(context.socket(kind)) for kind in (zmq.REP, zmq.REQ, zmq.PUB, zmq.SUB)]
        subscriber.subscribe("weather")
        client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
        subscriber.connect(f"tcp://127.0.0.1:{publisher.bind_to_random_port('tcp://127.0.0.1')}")
        listening = asyncio.Event()
        results = await asyncio.wait_for(
            asyncio.gather(async_ask(client), async_hear(subscriber, listening),
                           async_answer(server), async_publish(publisher, listening)),
            PATIENCE / 1000)
        for socket in sockets:
            socket.close()
        return results[:2]


# ---- which library was that? ----------------------------------------------------------------------

def mapped_libzmq():
    with open("/proc/self/maps") as maps:
        return sorted({line.split(maxsplit=5)[5].strip() for line in maps if "/libzmq" in line})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faulthandler.dump_traceback_later(60, exit=True)  # whatever happens, this ends
    expected = sum(number ** 2 for number in range(QUESTIONS))
    with zmq.Context() as context:
        total = request_reply(context)
        print(f"REQ/REP in threads:  {QUESTIONS} answers, sum {total}")
        heard = publish_subscribe(context)
        print(f"PUB/SUB in threads:  {len(heard)} readings, {heard[0]} to {heard[-1]} degrees")
    async_total, async_heard = asyncio.run(all_at_once())
    print(f"REQ/REP in asyncio:  {QUESTIONS} answers, sum {async_total}")
    print(f"PUB/SUB in asyncio:  {len(async_heard)} readings, {async_heard[0]} to "
          f"{async_heard[-1]} degrees")
    if total != expected or async_total != expected:
        sys.exit(f"the sum should be {expected}")
    if heard != list(range(READINGS)) or async_heard != heard:
        sys.exit("readings are missing or out of order")

    print(f"pyzmq {zmq.pyzmq_version()} on libzmq {zmq.zmq_version()}")
    libraries = mapped_libzmq()
    print(f"mapped: {', '.join(libraries)}")
    home = os.path.realpath(sys.argv[1])
    if not libraries or any(os.path.commonpath([home, path]) != home for path in libraries):
        sys.exit(f"that is not below {home}")


if __name__ == "__main__":
    main()
