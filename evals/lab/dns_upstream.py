"""Upstream of the cluster's DNS for names a fault breaks: port 5300 answers SERVFAIL, port 5301 never answers. Loopback only."""

import socket
import threading


def answer(port, rcode):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", port))
    while True:
        query, peer = listener.recvfrom(4096)
        if rcode is not None and len(query) > 12:
            listener.sendto(query[:2] + bytes([0x80 | (query[2] & 1), 0x80 | rcode]) + query[4:6] + bytes(6) + query[12:], peer)


threading.Thread(target=answer, args=(5300, 2), daemon=True).start()
answer(5301, None)
