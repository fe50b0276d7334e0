"""Addresses for servers of tests."""

from __future__ import annotations

import random
import socket

# Below what systems give to outgoing connections (Linux from 32768, others from 49152): between the choice and the
# server's start, no browser or mail client beside it can be given the same.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
