# SPDX-License-Identifier: MIT
"""Step a guest's CPU through one call of a kernel function, by QEMU's gdb stub: what it executes.

Gives exact instruction counts by function, so it also shows where icount.py's come from.
Interrupts are masked by QEMU while it steps.
"""

import bisect
import dataclasses
import socket

LR, PC = 30, 32
STEPS_LIMIT = 200000


class StepError(Exception):
    """The stub said something unexpected, or a call did not end."""


class Stub:
    """The few packets of the gdb remote protocol that stepping needs."""

    def __init__(self, path, timeout_s):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def _send(self, text):
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def _receive(self):
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                packet = self.buffer[start + 1:end]
                self.buffer = self.buffer[end + 3:]
                self.socket.sendall(b"+")
                return packet.decode()
            try:
                data = self.socket.recv(4096)
            except socket.timeout as e:
                raise StepError("the gdb stub is silent") from e
            if not data:
                raise StepError("the gdb stub has gone")
            self.buffer += data

    def ask(self, text):
        self._send(text)
        return self._receive()

    def must(self, text):
        reply = self.ask(text)
        if reply != "OK":
            raise StepError(f"the gdb stub says '{reply}' to '{text}', expected OK")

    def stop(self):
        """Have the machine stand still, which it does when somebody connects."""
        self._check_stopped(self.ask("?"))
        # QEMU reads single registers only to those who know how they are numbered.
        reply = self.ask("qXfer:features:read:target.xml:0,ffb")
        # That the machine stopped when we connected may be told late, and twice.
        while not reply.startswith(("l", "m")):
            reply = self._receive()

    @staticmethod
    def _check_stopped(reply):
        if not reply.startswith(("T05", "S05", "T02", "S02")):
            raise StepError(f"the gdb stub says '{reply}', expected that the machine stopped")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def run_to(self, address):
        self.must(f"Z1,{address:x},4")
        self._check_stopped(self.ask("c"))
        self.must(f"z1,{address:x},4")
        found = self.register(PC)
        if found != address:
            raise StepError(f"the machine stopped at {found:#x}, expected {address:#x}")

    def step(self):
        self._check_stopped(self.ask("s"))
        return self.register(PC)


class Symbols:
    """Names for addresses, from the text of /proc/kallsyms."""

    def __init__(self, text):
        found = {}
        for line in text.splitlines():
            address, kind, name = line.split()[:3]
            # Mapping symbols and the like name no function.
            if kind in "tTwW" and not name.startswith(("$", ".L")):
                found.setdefault(int(address, 16), name)
        self.addresses = sorted(found)
        self.names = [found[a] for a in self.addresses]

    def address(self, name):
        if name not in self.names:
            raise StepError(f"/proc/kallsyms has no {name}")
        return self.addresses[self.names.index(name)]

    def at(self, address):
        """(name, its address) of the function that an address is in."""
        index = bisect.bisect_right(self.addresses, address) - 1
        if index < 0:
            return hex(address), address
        return self.names[index], self.addresses[index]


@dataclasses.dataclass
class Node:
    """A function as called from one place of the tree."""
    name: str
    calls: int = 0
    own: int = 0
    children: dict = dataclasses.field(default_factory=dict)

    def total(self):
        return self.own + sum(c.total() for c in self.children.values())

    def child(self, name):
        return self.children.setdefault(name, Node(name))

    def lines(self, depth=0):
        yield f"{self.total():6} {self.own:6} {self.calls:4}  {'  ' * depth}{self.name}"
        for node in sorted(self.children.values(), key=Node.total, reverse=True):
            yield from node.lines(depth + 1)


def trace(stub, symbols, name, warm):
    """The tree of one call of a function, after it was called `warm` times."""
    start = symbols.address(name)
    for _ in range(warm + 1):
        stub.run_to(start)
    root = Node(name, calls=1)
    stack = [(root, stub.register(LR))]
    pc = start
    for _ in range(STEPS_LIMIT):
        stack[-1][0].own += 1
        pc = stub.step()
        while stack and pc == stack[-1][1]:
            stack.pop()
        if not stack:
            return root
        function, entry = symbols.at(pc)
        if pc == entry:
            node = stack[-1][0].child(function)
            node.calls += 1
            stack.append((node, stub.register(LR)))
    raise StepError(f"{name} did not return after {STEPS_LIMIT} instructions; it is at {pc:#x}")
