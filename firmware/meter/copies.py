"""Copies of the registers, in the order in which they were taken: BT26, ET41, and BT25 as a part.

    table   flags 1 | valid 1 | index of the newest 1 | its sequence number 2 | unread 1 | entries

An entry is as large as a flash block nearly, so it lies in a file of its own, a setting, and is
read through the settings' window. Entry n of all stands at index n modulo how many there are; its
setting is one of one more than that, so that what a new one overwrites is out of the table
already: the setting that holds the counts makes it valid, and with that nothing is by half.
"""

from micropython import const

import rare
from osgp.kernels import copy, fill

NEVER = const(0xFFFF)

_HEADER = const(6)


class Copies:
    """One such list.

    count: entries since ever. day: the local day of the last scheduled one, NEVER at first.
    """

    def __init__(self, settings, name: str, entries: int, size: int):
        """name: of the setting with the counts; the entries' have a number after it."""
        self.count = 0
        self.unread = 0
        self.overflow = False
        self.day = NEVER
        self.entries = entries
        self.size = size
        self.settings = settings
        self.name = name
        self.header = bytearray(_HEADER)
        self._slot = -1
        self._slot_name = ""
        rare.run("meter.copies_change", self, "restore")

    def read_entries(self, n: int):
        """So many of the oldest unread entries were read (BP05)."""
        rare.run("meter.copies_change", self, "read", n)

    def reset_list(self):
        """All entries were read (BP04). They stay."""
        self.read_entries(self.unread)

    def read(self, offset: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with the table from `offset`."""
        n += o
        while o < n:
            if offset < _HEADER:
                part = min(_HEADER - offset, n - o)
                copy(buf, o, self.header, offset, offset + part)
            else:
                index = (offset - _HEADER) // self.size
                a = (offset - _HEADER) % self.size
                part = min(self.size - a, n - o)
                newest = self.count - 1
                self.read_copy(newest - (newest - index) % self.entries, a, part, buf, o)
            offset += part
            o += part

    def read_copy(self, number: int, a: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with entry `number` of all from octet a on; zeros if there is none."""
        slot = number % (self.entries + 1)
        if slot != self._slot:
            self._slot_name = self.name + str(slot)
            self._slot = slot
        there = self.settings.window(self._slot_name) if number >= 0 else 0
        there = max(0, min(n, there - a))
        if there:
            self.settings.copy(a, buf, o, there)
        fill(buf, o + there, o + n, 0)
