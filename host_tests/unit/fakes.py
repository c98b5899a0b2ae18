"""What stands in for the store in unit tests: settings in a dict, a counter in RAM.

Beside them: a compiled model made by hand, and what calls leave on the heap.
"""

import gc

from osgp.kernels import copy
from support import MICROPYTHON


class Settings:
    """`firmware/settings.py` in a dict. `fails`: the next replace raises, and nothing is kept."""

    def __init__(self, kept=None):
        self.kept = {} if kept is None else kept
        self.fails = False
        self.on_replace = None  # function(name), called before anything is kept
        self.replaced = 0
        self._window = None

    def load(self, name, buf):
        value = self.kept.get(name)
        if value is None:
            return -1
        n = min(len(value), len(buf))
        buf[0:n] = value[:n]
        return n

    def window(self, name):
        self._window = self.kept.get(name)
        return -1 if self._window is None else len(self._window)

    def copy(self, offset, buf, o, n):
        assert offset + n <= len(self._window)
        copy(buf, o, self._window, offset, offset + n)

    def remove(self, name):
        self.kept.pop(name, None)

    def replace(self, name, buf, n):
        if self.on_replace:
            self.on_replace(name)
        if self.fails:
            raise OSError(28)
        self.kept[name] = bytes(memoryview(buf)[:n])
        self.replaced += 1


class Counter:
    """`tables.store.Counter` without a store."""

    def __init__(self, hi=0, lo=0):
        self.hi = hi
        self.lo = lo
        self.ready = True
        self.generation = 0
        self.steps = 0

    def start(self, generation, hi, lo):
        self.generation = generation
        self.hi = hi
        self.lo = lo
        self.ready = True

    def step(self, hi, lo):
        assert hi > self.hi or (hi == self.hi and lo > self.lo)
        self.hi = hi
        self.lo = lo
        self.steps += 1


def set_number(counter, number):
    counter.hi = number >> 16
    counter.lo = number & 0xFFFF


def entry(number, kind, read, write, size, ram=0, data=0, runs=0, flags=0):
    """A line of the compiled model's directory."""
    two = (
        number,
        kind | read << 8,
        write | flags << 8,
        size & 0xFFFF,
        size >> 16,
        ram,
        data,
        runs,
    )
    return b"".join(bytes((value & 0xFF, value >> 8)) for value in two)


class Blob:
    """Makes a small compiled model by hand: add the tables in order of number, then `build`."""

    def __init__(self):
        self._tables = []
        self.arena = 0

    def add(
        self, number, kind, size, read=0, write=255, body=b"", runs=(), pending=False, version=1
    ):
        """kind: 0 fixed, 1 kept, 2 live, 3 of a reader, 4 stored. runs: (offset, length), the
        host's. version: of its layout."""
        ram = 0
        if kind in (1, 2):
            ram = self.arena
            self.arena += size
        flags = pending | version - 1 << 1
        self._tables.append((number, kind, read, write, size, ram, body, runs, flags))

    def build(self):
        start = 2 + 16 * len(self._tables)
        entries = b""
        data = b""
        for number, kind, read, write, size, ram, body, runs, flags in self._tables:
            place = start + len(data) if body else 0
            data += body
            at = start + len(data)
            data += bytes((len(runs),))
            for offset, length in runs:
                data += bytes((offset & 0xFF, offset >> 8, length & 0xFF, length >> 8))
            entries += entry(number, kind, read, write, size, ram, place, at, flags)
        return bytes((len(self._tables), 0)) + entries + data


def retained(fn, n=100):
    """Heap octets that n calls of fn() leave behind while nothing is collected; None on CPython.

    MicroPython takes a function's frame from the heap when it is large and gives it back at the
    return: that is not counted here (`support.allocated` does).
    """
    if not MICROPYTHON:
        return None
    fn()
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(n):
        fn()
    after = gc.mem_alloc()
    gc.enable()
    return after - before


class Flash:
    """Raw flash in RAM that loses power: `cut` more operations, then every one raises."""

    unit = 16

    def __init__(self, sectors=2):
        self._data = bytearray(b"\xff" * (4096 * sectors))
        self.cut = -1

    def read(self, address, buf):
        buf[:] = self._data[address : address + len(buf)]

    def program(self, address, buf):
        self._spend()
        self._data[address : address + len(buf)] = buf

    def erase(self, address):
        self._spend()
        self._data[address : address + 4096] = b"\xff" * 4096

    def _spend(self):
        if self.cut == 0:
            raise OSError(5)
        self.cut -= 1
