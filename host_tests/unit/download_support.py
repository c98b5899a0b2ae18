"""A device with two code banks on NOR flash, and images that somebody has signed.

It is `broadcast_support`'s member, with a scheduler, a selector and what `device.py` adds. The key
has one leaf that anybody knows and 31 that nobody has: enough for one signature an image.
"""

import hashlib
import struct
import sys

import banks
import ticks
from broadcast_support import House
from flash_time import FlashTime
from osgp import bank_start, download_status
from scheduler import Scheduler
from support import noise
from tables.model import MASTER, OK
from tables.store import Gate

SECTOR = 4096
PACKET = 56
EP08, EP09, EP10 = 2056, 2057, 2058
BT07, BT08, ET17 = 7, 8, 2065
DONE, ACCEPTED, BAD_PARAMETER, CONFLICT, TIMING = range(5)
FAMILY = "unit"
TREE = 5  # levels

# ----------------------------------------------------------------------------------------- images

_SEED = bytes(range(32))
_I = bytes(range(100, 116))
_PATH = bytes(noise(32 * TREE, 3))


def _sha(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def _chain(k, value, first, last):
    for step in range(first, last):
        value = _sha(_I, bytes(4), struct.pack(">HB", k, step), value)
    return value


def _secret(k):
    return _sha(_SEED, bytes((k,)))


def _root(ends):
    """T[1] from the ends of all chains (RFC 8554 algorithm 6a)."""
    node = 1 << TREE
    value = _sha(_I, bytes(4), b"\x80\x80", *ends)
    value = _sha(_I, node.to_bytes(4, "big"), b"\x82\x82", value)
    for level in range(TREE):
        node >>= 1
        other = _PATH[32 * level : 32 * level + 32]
        value = _sha(_I, node.to_bytes(4, "big"), b"\x83\x83", value, other)
    return value


def public_key():
    """60 octets."""
    root = _root([_chain(k, _secret(k), 0, 15) for k in range(67)])
    return struct.pack(">III", 1, 5, 3) + _I + root


def signature(message):
    """HSS of one level, LMS_SHA256_M32_H5, LMOTS_SHA256_N32_W4, leaf 0."""
    c = bytes(range(32))
    digest = _sha(_I, bytes(4), b"\x81\x81", c, message)
    digits = [octet >> shift & 15 for octet in digest for shift in (4, 0)]
    total = sum([15 - digit for digit in digits])
    digits += [total >> 8 & 15, total >> 4 & 15, total & 15]
    y = [_chain(k, _secret(k), 0, digits[k]) for k in range(67)]
    return struct.pack(">III", 0, 0, 3) + c + b"".join(y) + struct.pack(">I", 5) + _PATH


def header(romfs, version=2, security=1, family=FAMILY, mpy=None, digest=None, length=None):
    return struct.pack(
        "<8sHHIII16sBBxx32s",
        b"OSGPBANK",
        1,
        76,
        len(romfs) if length is None else length,
        version,
        security,
        family.encode(),
        getattr(sys.implementation, "_mpy", 6) & 0xFF if mpy is None else mpy,
        31,
        digest or _sha(romfs),
    )


def image(romfs, signed=True, **fields):
    """Sector 0 and ROMFS."""
    head = header(romfs, **fields)
    first = head + (signature(head) if signed else b"")
    return first + b"\xff" * (SECTOR - len(first)) + romfs


def identity(bank):
    return _sha(bank[:76])[:8]


OLD = image(bytes(noise(3000, 5)), version=1)
NEW = image(bytes(noise(9001, 6)))
KEY = public_key()


def packet(bank, k):
    """The parameters of EP09."""
    data = bank[PACKET * k : PACKET * (k + 1)]
    return struct.pack("<H", k) + data + b"\xff" * (PACKET - len(data))


def packets(bank):
    return (len(bank) + PACKET - 1) // PACKET


# ------------------------------------------------------------------------------------------ flash


class PowerCut(Exception):  # noqa: N818  not an error of the code under test
    pass


class Nor:
    """Flash of which octets may be programmed where that clears bits only."""

    unit = 16

    def __init__(self, sectors):
        self.data = bytearray(b"\xff" * (SECTOR * sectors))
        self.operations = 0
        self.cut_at = -1  # power goes in this operation, after half of it
        self.fails = False
        self.erased = []

    def read(self, address, buf):
        buf[:] = self.data[address : address + len(buf)]

    def program(self, address, buf):
        assert address % self.unit == 0 and len(buf) % self.unit == 0
        half = self._begin(len(buf))
        for k in range(half):
            old = self.data[address + k]
            assert buf[k] & old == buf[k], "set bits at %d" % (address + k)
            self.data[address + k] = buf[k]
        self._end(half < len(buf))

    def erase(self, address):
        assert address % SECTOR == 0
        half = self._begin(SECTOR)
        self.erased.append(address // SECTOR)
        self.data[address : address + half] = b"\xff" * half
        self._end(half < SECTOR)

    def _begin(self, n):
        if self.fails:
            raise OSError(5)
        return n // 2 if self.operations == self.cut_at else n

    def _end(self, cut):
        self.operations += 1
        if cut:
            raise PowerCut


class Board:
    NAME = FAMILY

    def __init__(self):
        self.contents = [Nor(50), Nor(50)]
        self.key = KEY

    def bank_flash(self, k):
        return self.contents[k]

    def update_key(self):
        return self.key


# ----------------------------------------------------------------------------------------- device


class Line:
    """In the place of select.poll: nothing comes in, time passes."""

    def __init__(self, target):
        self.target = target

    def ipoll(self, ms):
        self.target.now = ticks.add(self.target.now, max(ms, 1))
        return ()


class Target(House):
    """Bank A runs OLD, which is confirmed; B is empty. `start` is a start of `active`."""

    def __init__(self, active=0, **more):
        self.board = Board()
        self.flash = Nor(30)
        self.active = active
        self.restarts = 0
        self.us = 0
        self.psn = 9
        self.put(0, OLD)
        state = banks.load(self.flash)
        state.ids[0] = identity(OLD)
        state.why = banks.BY_CABLE
        state.keep()
        super().__init__(**more)

    def put(self, bank, octets):
        self.board.contents[bank].data[: len(octets)] = octets

    def start(self, clock=True):
        sys.path[:] = [path for path in sys.path if not path.startswith("/bank")]
        sys.path.insert(0, ("/bankA", "/bankB")[self.active])
        self.download = self.trial = None
        self.last_error = 0
        self.dogs = 0
        self.gate = Gate(self.now)
        self.flash_time = FlashTime(lambda: self.us)
        self.scheduler = Scheduler(
            lambda: self.now, lambda: self.us, self, self.gate, self.flash_time
        )
        self.scheduler._poll = Line(self)
        self.scheduler._collect = lambda now: None  # it takes long under pytest
        self.begin = self._begin
        super().start(clock)

    def _begin(self):
        self.model.reader(ET17, self._read)
        self.begun = bank_start.run(self)

    def _read(self, offset, n, buf, o):
        download_status.run(self, offset, n, buf, o)

    def feed(self):
        self.dogs += 1

    def restart(self):
        self.restarts += 1

    def turns(self, n):
        """The scheduler goes on."""
        for _ in range(n):
            self.scheduler.turn()

    def work_through(self):
        """Until nothing is left to erase, sum or verify."""
        while self.download and self.download._work:
            self.scheduler.turn()

    def pass_ms(self, ms):
        """So much time passes, the scheduler goes on."""
        end = ticks.add(self.now, ms)
        while ticks.diff(end, self.now) > 0:
            self.scheduler.turn()

    # what a host does

    def ask(self, procedure, parameters=b""):
        """BT08's result; of a write that is refused the code, negative."""
        self.psn = self.psn + 1 if self.psn < 254 else 10
        octets = struct.pack("<HB", procedure, self.psn) + parameters
        code = self.model.write(BT07, 0, octets, 0, len(octets), MASTER, self.now)
        if code != OK:
            return -code
        assert self.read(BT08, 0, 3) == octets[:3]
        return self.result

    @property
    def result(self):
        return self.read(BT08, 3, 1)[0]

    def erase(self, bank=NEW):
        """EP08, and until it is done."""
        assert self.ask(EP08, struct.pack("<I", len(bank))) == ACCEPTED
        self.work_through()
        assert self.result == DONE

    def send(self, bank=NEW, numbers=None):
        for k in range(packets(bank)) if numbers is None else numbers:
            assert self.ask(EP09, packet(bank, k)) == DONE

    def verify(self, bank, octets):
        """EP10, and until it is done."""
        result = self.ask(EP10, bytes((bank,)) + identity(octets))
        if result != ACCEPTED:
            return result
        self.work_through()
        return self.result

    @property
    def status(self):
        """ET17 by name."""
        octets = self.read(ET17, 0, 17)
        names = ["state", "bank", "length", "packets", "crc", "version", "security", "error"]
        return dict(zip(names, struct.unpack("<BBIHIHHB", octets)))

    @property
    def there(self):
        """The packets that ET17 says are there."""
        bitmap = self.read(ET17, 17, 429)
        return [k for k in range(8 * 429) if bitmap[k >> 3] >> (k & 7) & 1]

    @property
    def other(self):
        return self.board.contents[1 - self.active]

    def selector(self):
        return banks.load(self.flash)
