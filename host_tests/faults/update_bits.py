"""A flipped bit in what a start believes: selector, banks, and what tells of a download.

usage: micropython update_bits.py FOLDER STATE FIRST LAST    (update_faults.py does that)

STATE is a moment of the life of update_life.py, a word of STATES below. Every bit of the
selector's newest records, of both banks' headers, signatures and signs of a cable is flipped, one
at a time, and some of the rest; of those, FIRST to LAST. Of STATE `download`: every bit of what
tells how far a download is. Then the device starts, and

- runs a bank whose modules are as they were built, and is not in safe mode,
- runs the same one as without the flip, unless that was in the bank itself,
- has the same floor of the security counter, and the same trial unless its bank was hit,
- runs the same one at the next start.
"""

import sys

from nor import SECTOR, show
from update_course import VERSIONS, Images, look, selector
from update_life import Life
from update_machine import BANKS, SELECTOR, Machine, quiet
from update_script import (
    EP09,
    EP10,
    HEADER,
    NONE,
    NOT_YET,
    RECEIVING,
    UNDER_WAY,
    Status,
    call,
    erased,
    identity,
    packet,
    packets,
    sleep,
    updated,
)

SIGNATURE = 2352  # octets, behind the header
CABLE = 32  # octets at the end of the first sector
SLOT = 32
LAST_SECTOR = 0x2F000  # of a bank
HEAD = 16
PACKETS = 100  # of the download in STATE `download`
SAMPLE = 2000  # bits of each image, and of what is blank in the selector

# The last section that was lived, and the versions in bank A and B.
STATES = {
    "bare": ("confirm", 1, 2),  # and the selector is gone
    "trial": ("trial", 1, 2),
    "confirmed": ("used_up", 3, 2),
    "cable": ("cable", 5, 2),
}


class Flips:
    """A flash, and the bits that are flipped in it."""

    whole = 701  # one in so many flips is followed by a start of all, and an update

    def __init__(self, images, state):
        section, *versions = STATES[state]
        life = Life(images)
        life.live(section)
        nor = life.nor
        if state == "bare":
            for sector in SELECTOR:
                nor.erase(sector * SECTOR)
        self.images = [images[VERSIONS[version]] for version in versions]
        self.versions = versions
        self.all_images = images
        self.base = bytes(nor.data)
        self._state = 1
        self.machine = Machine(nor, images.key)
        self.usual = self.machine.choose()
        self.selected = selector(nor)
        self.floors = (0, 1, 2) if state == "bare" else (self.selected.floor,)
        nor.data[:] = self.base
        self.places = list(self._exactly()) + list(self._some())

    def draw(self, n):
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 8) % n

    def _exactly(self):
        """(address of an octet, its bit), every one."""
        ranges = []
        for sector in SELECTOR:
            first = sector * SECTOR
            written = len(self.base[first : first + SECTOR].rstrip(b"\xff"))
            end = (written + SLOT - 1) // SLOT * SLOT
            ranges.append((first + max(end - 3 * SLOT, 0), first + end + SLOT))
        for sector in BANKS:
            first = sector * SECTOR
            ranges.append((first, first + HEADER + SIGNATURE))
            ranges.append((first + SECTOR - CABLE, first + SECTOR))
        for first, end in ranges:
            for address in range(first, end):
                for bit in range(8):
                    yield address, bit

    def _some(self):
        for k, image in enumerate(self.images):
            for _ in range(SAMPLE):
                at = SECTOR + self.draw(len(image) - SECTOR)
                yield BANKS[k] * SECTOR + at, self.draw(8)
        for _ in range(SAMPLE):
            yield SELECTOR[0] * SECTOR + self.draw(2 * SECTOR), self.draw(8)

    def bank_of(self, address):
        """In which bank's header or image an octet is; -1: in none."""
        for k, image in enumerate(self.images):
            at = address - BANKS[k] * SECTOR
            if 0 <= at < HEADER or SECTOR <= at < len(image):
                return k
        return -1

    def flip(self, address, bit):
        nor = self.machine.nor
        nor.data[:] = self.base
        nor.operations = []
        nor.data[address] ^= 1 << bit

    def is_intact(self, k):
        """Whether the modules in a bank are as they were built."""
        image = self.images[k]
        return bytes(self.machine.board.bank(k)[SECTOR : len(image)]) == image[SECTOR:]

    def check(self, address):
        """A start after a flip."""
        machine = self.machine
        chosen = machine.choose()
        assert chosen >= 0, "safe mode"
        assert self.is_intact(chosen), "a damaged bank"
        hit = self.bank_of(address)
        found = selector(machine.nor)
        assert found.floor in self.floors, "floor"
        if hit < 0:
            self._is_as_usual(address, chosen, found)
        elif hit == self.usual and address >= (BANKS[hit] + 1) * SECTOR:
            assert chosen != hit
        again = len(machine.nor.operations)
        assert machine.choose() == chosen, "another one at the next start"
        assert len(machine.nor.operations) == again, "the next start writes, too"

    def _is_as_usual(self, address, chosen, found):
        in_bank = address >= BANKS[0] * SECTOR
        if self.selected.number == 1 and in_bank and found.number == 1:
            return  # without a selector signatures and marks are what counts
        assert chosen == self.usual, "another bank"
        assert (found.trial, found.tries) == (self.selected.trial, self.selected.tries)

    def go_on(self):
        """A whole start, and an update."""
        seen = []
        machine = self.machine
        machine.run(look(machine, seen))
        assert seen[0][0] in self.versions
        machine.run(updated(machine, self.all_images[VERSIONS[4]]))
        assert machine.versions[-1] == 4 and not selector(machine.nor).trial


class OfDownload(Flips):
    """What tells how far a download into bank B is: its head, and an octet a packet."""

    whole = 11

    def __init__(self, images):
        life = Life(images)
        life.machine.run(self._begin(life.machine, images["good2"]))
        self.versions = [1]
        self.all_images = images
        self.machine = life.machine
        self.base = bytes(life.nor.data)
        first = BANKS[1] * SECTOR + LAST_SECTOR
        end = first + HEAD + packets(images["good2"])
        self.places = [(address, bit) for address in range(first, end) for bit in range(8)]

    def _begin(self, m, image):
        yield from erased(m, image)
        for k in range(PACKETS):
            assert call(m, EP09, packet(image, k)) == 0
            yield None

    def check(self, address):
        """There is a download, or none; what is there cannot be run before it is complete."""
        self.machine.run(self._look())

    def _look(self):
        m = self.machine
        assert m.versions[-1] == 1
        image = self.all_images["good2"]
        status = Status(m)
        assert status.state in (NONE, RECEIVING)
        if status.state == RECEIVING:
            assert PACKETS - 1 <= status.packets <= PACKETS + 1
            assert status.length == len(image)
        assert call(m, EP10, b"\1" + identity(image)) in (NOT_YET, UNDER_WAY)
        yield from sleep(m, 70)
        assert not selector(m.nor).trial


def main(folder, state, first, last):
    images = Images(folder)
    flips = OfDownload(images) if state == "download" else Flips(images, state)
    chosen = flips.places[int(first) : int(last)]
    for k, (address, bit) in enumerate(chosen):
        flips.flip(address, bit)
        try:
            flips.check(address)
            if k % flips.whole == 0:
                flips.flip(address, bit)
                flips.go_on()
        except Exception:
            show("bit", bit, "at", address // SECTOR, address % SECTOR)
            raise
    show(len(flips.places), "bits", len(chosen), "flips")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
