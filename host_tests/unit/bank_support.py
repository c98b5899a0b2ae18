"""The raw region on a NOR flash whose power goes, for tests of the selector and of the choice."""

SECTOR = 4096
WAYS = ("none", "front", "back", "bits")  # how much of an operation happens when power goes


class PowerCut(Exception):  # noqa: N818  not an error of the program
    pass


class Nor:
    """A program clears bits, an erase sets those of a sector."""

    unit = 16

    def __init__(self, data=None):
        self.data = bytearray(data or b"\xff" * (30 * SECTOR))
        self.operations = 0
        self.cut_at = -1
        self.way = "none"
        self.dead = ()  # sectors that keep nothing
        self.failing = ()  # sectors that say so

    def read(self, address, buf):
        buf[:] = self.data[address : address + len(buf)]

    def program(self, address, buf):
        assert address % self.unit == 0 and len(buf) % self.unit == 0
        if not self._is_worn_out(address):
            there = self.data[address : address + len(buf)]
            assert there == b"\xff" * len(buf), "programmed twice"
            self._do(address, bytes(buf))

    def erase(self, address):
        assert address % SECTOR == 0
        if not self._is_worn_out(address):
            self._do(address, b"\xff" * SECTOR)

    def _is_worn_out(self, address):
        if address // SECTOR in self.failing:
            raise OSError(5)
        return address // SECTOR in self.dead

    def _do(self, address, new):
        if self.operations == self.cut_at:
            self._half(address, new)
            raise PowerCut
        self.data[address : address + len(new)] = new
        self.operations += 1

    def _half(self, address, new):
        half = len(new) // 2
        if self.way == "front":
            self.data[address : address + half] = new[:half]
        elif self.way == "back":
            self.data[address + half : address + len(new)] = new[half:]
        elif self.way == "bits":
            for i, octet in enumerate(new):
                old = self.data[address + i]
                self.data[address + i] = (old | octet & 0x5A) & (octet | 0xA5)


def cut(flash, operation, way, change):
    """Does a change, and takes the power away in an operation. Returns whether it got so far."""
    flash.operations = 0
    flash.cut_at, flash.way = operation, way
    try:
        change()
    except PowerCut:
        return True
    finally:
        flash.cut_at = -1
    return False
