"""A vfio-user client that greets properly and then does one thing that no client may do.

Run as `client.py SOCKET DEED`; the deeds are the functions below.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time

VERSION, DMA_MAP, DMA_UNMAP, REGION_INFO, SET_IRQS, READ, WRITE = 1, 2, 3, 5, 8, 9, 10
CONFIG = 7
FILE = 0x10000


class Client:
    """The client's end of the connection."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.memory = os.memfd_create("guest")
        os.ftruncate(self.memory, FILE)

    def send(self, command: int, body: bytes, *fds: int, size: int | None = None) -> None:
        header = struct.pack("<HHIII", 7, command, 16 + len(body) if size is None else size, 0, 0)
        socket.send_fds(self.socket, [header + body], list(fds))

    def call(self, command: int, body: bytes, *fds: int) -> bytes:
        self.send(command, body, *fds)
        return self.socket.recv(1 << 16)

    def greet(self) -> None:
        assert self.call(VERSION, struct.pack("<HH", 0, 0) + b"{}\0")

    def map(self, address: int, size: int, offset: int = 0) -> bytes:
        return self.call(DMA_MAP, struct.pack("<IIQQQ", 32, 3, offset, address, size), self.memory)


def says_nothing(client: Client) -> None:
    time.sleep(60)


def stops_inside_a_message(client: Client) -> None:
    client.send(READ, b"", size=32)
    time.sleep(60)


def leaves_inside_a_message(client: Client) -> None:
    client.send(READ, b"", size=32)


def tells_a_huge_size(client: Client) -> None:
    client.send(WRITE, b"", size=0xFFFF_FFFF)


def tells_a_size_below_the_header(client: Client) -> None:
    client.send(WRITE, b"", size=3)


def sends_an_unknown_command(client: Client) -> None:
    client.call(99, b"")


def sends_a_reply(client: Client) -> None:
    client.socket.sendall(struct.pack("<HHIII", 7, READ, 16, 1, 0))


def sends_a_short_body(client: Client) -> None:
    client.call(DMA_MAP, b"1234")


def maps_over_another_mapping(client: Client) -> None:
    client.map(0x1000, 0x2000)
    client.map(0x2000, 0x1000)


def maps_more_than_the_file(client: Client) -> None:
    client.map(0, 2 * FILE)


def maps_past_the_end_of_the_address_space(client: Client) -> None:
    client.map((1 << 64) - 0x1000, 0x2000)


def unmaps_half_a_mapping(client: Client) -> None:
    client.map(0, 0x2000)
    client.call(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 0, 0x1000))


def reads_behind_a_region(client: Client) -> None:
    client.call(READ, struct.pack("<QII", 1 << 40, 0, 4))


def reads_a_region_that_is_absent(client: Client) -> None:
    client.call(READ, struct.pack("<QII", 0, 5, 4))


def asks_for_a_huge_read(client: Client) -> None:
    client.call(READ, struct.pack("<QII", 0, CONFIG, 0x7FFF_FFFF))


def writes_fewer_bytes_than_told(client: Client) -> None:
    client.call(WRITE, struct.pack("<QII", 4, CONFIG, 4) + b"\0")


def asks_about_region_1000(client: Client) -> None:
    client.call(REGION_INFO, struct.pack("<IIIIQQ", 32, 0, 1000, 0, 0, 0))


def wires_a_vector_that_is_absent(client: Client) -> None:
    client.call(SET_IRQS, struct.pack("<IIIII", 20, 4 | 32, 2, 5000, 1), client.memory)


def sends_too_many_descriptors(client: Client) -> None:
    client.send(DMA_MAP, bytes(32), *([client.memory] * 40))


if __name__ == "__main__":
    made = Client(sys.argv[1])
    made.greet()
    globals()[sys.argv[2]](made)
