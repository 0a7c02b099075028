"""The rows of the comparison: which programs run, which figures they print, and what is demanded.

A row is one benchmark, with one or more figures; each figure becomes a line of the table.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str                # in the last line of the reporting program
    unit: str               # a rate ends in "/s"; of everything else less is better
    suffix: str = ""        # what is added to the row's label
    at_least: float = None  # times better than the reference
    of_bare: float = None   # times as good as bare sockets
    below: float = None     # in the unit
    # CPU time: "all" is user and system time of all processes, program start included, divided by
    # the row's count; anything else is a key, in us.
    cpu: str = None

    @property
    def smaller_is_better(self):
        return not self.unit.endswith("/s")


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    label: str
    transport: str     # of {endpoint}
    commands: tuple    # in the order they are started; {endpoint}, {count} and {many} are filled in
    figures: tuple
    count: int
    quick_count: int
    reporter: int = 0  # the index of the command that prints the figures
    many: tuple = (0, 0)      # sockets, clients, ...; the second is for --quick
    others: tuple = ()        # what else does the same: bare, nng, nanomsg
    other_command: tuple = ()  # of them; {other} is the name
    slow_count: int = 0       # for nng and nanomsg, if not the row's
    needs: str = ""           # of zmq_has

    def count_for(self, contestant, is_quick):
        if is_quick:
            return self.quick_count
        is_slow = self.slow_count and contestant in ("nng", "nanomsg")
        return self.slow_count if is_slow else self.count

    def command_lines(self, contestant, endpoint, count, is_quick=False):
        commands = (self.other_command,) if contestant in self.others else self.commands
        filled = {"endpoint": endpoint, "count": count, "many": self.many[is_quick],
                  "other": contestant}
        return [[part.format(**filled) for part in command] for command in commands]


def rate(at_least, of_bare=None, cpu="all"):
    return (Figure("messages_per_second", "messages/s", at_least=at_least, of_bare=of_bare,
                   cpu=cpu),)


def throughput(transport, size, size_label, count, at_least, of_bare=None):
    commands = (("local_thr", "{endpoint}", str(size), "{count}"),
                ("remote_thr", "{endpoint}", str(size), "{count}"))
    if transport == "ipc":  # the reference loses messages when its sender ends early: README.md
        commands = (commands[0], (*commands[1], "wait"))
    if transport == "inproc":
        commands = (("inproc_thr", str(size), "{count}"),)
    return Row(f"thr-{transport}-{size}", f"PUSH/PULL {transport} {size_label}", transport,
               commands, rate(at_least, of_bare), count, max(10, min(2000, 2000000 // size)),
               others=("nng", "nanomsg") if transport == "inproc" else ("bare", "nng", "nanomsg"),
               other_command=("{other}_thr", "{endpoint}", str(size), "{count}"),
               slow_count=min(count // 10, 50000))


def looped(kind, label, count):
    return Row(f"thr-{kind}-tcp-10", f"PUSH/PULL tcp 10 B, receiver in {label}", "tcp",
               (("poll_thr", "{endpoint}", "10", "{count}", kind),
                ("remote_thr", "{endpoint}", "10", "{count}")), rate(1), count, 2000)


def websocket(count):
    row = throughput("tcp", 10, "10 B", count, 4)
    return dataclasses.replace(row, name="thr-ws-10", label="PUSH/PULL ws 10 B", transport="ws",
                               others=(), needs="WS")


def curve(count):
    return Row("thr-curve-tcp-256", "PUSH/PULL tcp 256 B, CURVE", "tcp",
               (("local_thr", "{endpoint}", "256", "{count}", "curve"),
                ("remote_thr", "{endpoint}", "256", "{count}", "curve")), rate(2), count, 1000,
               needs="curve")


def curve_handshakes(count):
    return Row("handshakes-curve-tcp", "CURVE handshakes of a server tcp", "tcp",
               (("curve_handshakes", "{endpoint}", "{count}"),),
               (Figure("cpu_us", "us", ", its CPU for each", 1, below=200, cpu="cpu_us"),
                Figure("rtt_median_us", "us", ", another peer's round trip meanwhile", 1),
                Figure("rtt_p99_us", "us", ", 99th percentile", 1)), count, 20, needs="curve")


def round_trips(at_least, of_bare):
    return (Figure("rtt_median_us", "us", ", median round trip", at_least, of_bare, cpu="all"),
            Figure("rtt_p99_us", "us", ", 99th percentile", 1))


def request_latency(transport, count):
    commands = (("local_lat", "{endpoint}", "1", "{count}"),
                ("remote_lat", "{endpoint}", "1", "{count}"))
    if transport == "inproc":
        commands = (("inproc_lat", "1", "{count}"),)
    is_inproc = transport == "inproc"
    return Row(f"lat-{transport}-1", f"REQ/REP {transport} 1 B", transport, commands,
               round_trips(4, None if is_inproc else 1), count, 100, reporter=len(commands) - 1,
               others=("nng", "nanomsg") if is_inproc else ("bare", "nng", "nanomsg"),
               other_command=("{other}_lat", "{endpoint}", "1", "{count}"),
               slow_count=min(count, 10000))


def router_latency(transport, count):
    return Row(f"lat-router-{transport}-1", f"DEALER/ROUTER and zmq_poll {transport} 1 B",
               transport, (("router_lat", "{endpoint}", "1", "{count}"),), round_trips(4, 1),
               count, 100,
               others=("bare",), other_command=("{other}_lat", "{endpoint}", "1", "{count}"))


def proxy(transport, count):
    return Row(f"proxy-{transport}-100", f"zmq_proxy PULL-PUSH {transport} 100 B", transport,
               (("proxy_thr", "100", "{count}", transport),), rate(1), count, 1000)


def proxy_requests(transport, count):
    return Row(f"proxy-router-{transport}-100",
               f"zmq_proxy ROUTER-DEALER {transport} 100 B, there and back", transport,
               (("proxy_requests", "100", "{count}", transport),), rate(3), count, 1000)


def fan_out(subscribers, count):
    return Row(f"pubsub-tcp-{subscribers}",
               f"PUB/SUB tcp 100 B, {subscribers} subscribers, 100 prefixes", "tcp",
               (("pubsub_thr", "{endpoint}", str(subscribers), "100", "100", "{count}"),),
               rate(4), count, 200)


def clients(count):
    return Row("clients-tcp-1000", "1,000 REQ clients on one ROUTER tcp", "tcp",
               (("clients_thr", "{endpoint}", "{many}", "{count}"),),
               rate(2, cpu="cpu_us"), count, 200, many=(1000, 20))


def senders(sockets, threads, label, count):
    return Row(f"senders-tcp-{sockets}x{threads}",
               f"{sockets} PUSH sockets {label} to one PULL, tcp 20 B", "tcp",
               (("many_senders", "{endpoint}", str(sockets), str(threads), "20", "{count}"),),
               rate(1), count, 1000)


def receivers(sockets, count):
    return Row(f"receivers-tcp-{sockets}",
               f"{sockets} PULL sockets in one thread with zmq_poll, tcp 20 B", "tcp",
               (("many_receivers", "tcp", str(sockets), "20", "{count}"),), rate(1), count, 1000)


def threads(transport, number, io_threads, count):
    who = {1: "one thread", 2: "two threads"}[number]
    return Row(f"threads-{transport}-{number}-io{io_threads}",
               f"{who}, a socket each, {transport} 100 B, I/O threads: {io_threads}", transport,
               (("threads_thr", transport, str(number), str(io_threads), "100", "{count}"),),
               rate(1), count, 1000)


def busy_receiver(transport, count):
    return Row(f"busy-{transport}-100",
               f"receiver busy elsewhere, PUSH/PULL {transport} 100 B", transport,
               (("busy_receiver", "{endpoint}", "100", "{count}"),), rate(1, cpu="cpu_us"), count,
               1000)


def poll_many(transport, count):
    return Row(f"poll-many-{transport}",
               f"zmq_poll over 2,000 sockets, one active, {transport}", transport,
               (("poll_many", "{many}", "{count}", transport),),
               (Figure("poll_median_us", "us", ", median call", 1, below=5, cpu="cpu_us"),
                Figure("poll_p99_us", "us", ", 99th percentile", 1)), count, 20, many=(2000, 20))


IDLE = Row("idle-tcp", "idle tcp connection", "tcp", (("idle_memory", "{endpoint}", "{count}"),),
           (Figure("server_bytes", "bytes", ", server memory (ROUTER)", 4),
            Figure("client_bytes", "bytes", ", client memory (DEALER)", 4)), 2000, 20)

INPROC_PAIRS = Row("pairs-inproc", "inproc socket pair", "inproc", (("inproc_pairs", "{count}"),),
                   (Figure("pair_us", "us", ", create, connect, first message", 5, cpu="cpu_us"),
                    Figure("pair_bytes", "bytes", ", memory", 4),
                    Figure("close_us", "us", ", close", 1, cpu="close_cpu_us")), 1000, 20)

SUBSCRIPTIONS = Row("subscriptions-tcp", "1,000,000 subscriptions of 32 B, tcp", "tcp",
                    (("subscriptions", "{endpoint}", "{many}", "{count}"),),
                    (Figure("subscribe_us", "us", ", time of each", 1, cpu="cpu_us"),
                     Figure("publisher_bytes", "bytes", ", memory of each, XPUB", 1, below=100),
                     Figure("subscriber_bytes", "bytes", ", memory of each, SUB", 1, below=100),
                     Figure("drop_one_us", "us", ", unwanted message, with one of them", 1),
                     Figure("drop_all_us", "us", ", unwanted message, with all", 1)),
                    300000, 1000, many=(1000000, 1000))

ROWS = (
    throughput("tcp", 10, "10 B", 10000000, 10),
    throughput("tcp", 256, "256 B", 2000000, 4),
    throughput("tcp", 1024, "1 KiB", 1000000, 3),
    throughput("tcp", 65536, "64 KiB", 30000, 1.5, 0.8),
    throughput("tcp", 1048576, "1 MiB", 5000, 1.5, 0.8),
    throughput("ipc", 10, "10 B", 10000000, 10),
    throughput("ipc", 65536, "64 KiB", 30000, 1.5),
    throughput("inproc", 10, "10 B", 10000000, 5),
    throughput("inproc", 1024, "1 KiB", 3000000, 3),
    looped("poll", "zmq_poll", 1500000),
    looped("fd", "epoll on ZMQ_FD", 1500000),
    websocket(5000000),
    curve(300000),
    curve_handshakes(5000),
    request_latency("tcp", 20000),
    request_latency("ipc", 20000),
    request_latency("inproc", 60000),
    router_latency("tcp", 20000),
    router_latency("ipc", 20000),
    proxy("inproc", 2000000),
    proxy("tcp", 300000),
    proxy_requests("inproc", 300000),
    proxy_requests("tcp", 100000),
    fan_out(2, 2000000),
    fan_out(8, 500000),
    clients(100000),
    senders(16, 4, "in four threads", 300000),
    senders(16, 16, "with a thread each", 300000),
    senders(64, 1, "in one thread", 300000),
    receivers(64, 300000),
    threads("tcp", 1, 1, 1000000),
    threads("tcp", 2, 1, 1000000),
    threads("tcp", 2, 2, 1000000),
    threads("tcp", 2, 4, 1000000),
    threads("ipc", 2, 1, 1000000),
    busy_receiver("tcp", 500000),
    busy_receiver("ipc", 500000),
    poll_many("inproc", 500),
    poll_many("tcp", 500),
    IDLE,
    INPROC_PAIRS,
    SUBSCRIPTIONS,
)
