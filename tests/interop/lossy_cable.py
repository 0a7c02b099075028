#!/usr/bin/python3
"""A cable that loses packets: carries frames between two network interfaces, and drops some of them.

  lossy_cable.py LEFT RIGHT PERCENT

Of IPv4 packets of UDP and PGM the given share is dropped, either way, by a generator with a fixed seed; everything else
passes, such as ARP and IGMP. Ends with its standard input, and prints what it counted then, as JSON: for each destination
address and side that packets came from, how many passed and how many were dropped. Many kernels have no netem, and this
takes no more than the right to open packet sockets.
"""
import collections
import json
import random
import select
import socket
import sys

SOL_PACKET, PACKET_VNET_HDR, ETH_P_ALL, PACKET_OUTGOING = 263, 15, 3, 4
VIRTIO_HEADER, ETHERNET_HEADER = 10, 14
UDP, PGM = 17, 113


def open_end(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    # A packet whose checksum its sender has left to the device is handed on as such.
    end.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    end.bind((interface, ETH_P_ALL))
    return end


def target_of(packet):
    """Where a packet that may be lost goes, else None."""
    frame = packet[VIRTIO_HEADER:]
    if frame[12:14] != b"\x08\x00" or frame[ETHERNET_HEADER + 9] not in (UDP, PGM):
        return None
    return socket.inet_ntoa(frame[ETHERNET_HEADER + 16:ETHERNET_HEADER + 20])


def main():
    left, right = (open_end(name) for name in sys.argv[1:3])
    share, chance = int(sys.argv[3]) / 100, random.Random(7)
    sides = {left: ("left", right), right: ("right", left)}
    counts = collections.defaultdict(lambda: {"passed": 0, "dropped": 0})
    print("carries", flush=True)
    while True:
        for end in select.select([left, right, sys.stdin], [], [])[0]:
            if end is sys.stdin:
                print(json.dumps(counts))
                return
            packet, address = end.recvfrom(1 << 17)
            if address[2] == PACKET_OUTGOING:
                continue
            side, other = sides[end]
            target = target_of(packet)
            is_dropped = target is not None and chance.random() < share
            if target is not None:
                counts[f"{target} from {side}"]["dropped" if is_dropped else "passed"] += 1
            if not is_dropped:
                other.send(packet)


if __name__ == "__main__":
    main()
