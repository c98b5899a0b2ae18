"""A whole device in one CPython process: the firmware's own `Device` on a board made of memory,
with time that the test moves.

Not for what processes, UARTs and real littlefs have to show (host_tests/system does that), but for
what wants a hundred thousand frames or a look inside.
"""

import hashlib
import itertools
import socket

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import ticks
from device import Device
from osgp.security.ccm import cmac, seal
from osgp_tools.lpdu import SPDU, UNIQUE_ID, Frame, crc16, decode
from osgp_tools.membership import Place, commissioning_key, desk_key
from osgp_tools.suites import LEGACY, Answer, SealedRequest, Suite, suite

UID = bytes.fromhex("040000112233")
DESK = b"OSGP-DESK-TEST-0"
SECTOR = 4096


def aes(key):
    """As boards/unix/board.md says of `aes`."""
    update = Cipher(algorithms.AES(bytes(key)), modes.ECB()).encryptor().update

    def encrypt(block, out=None):
        block = update(bytes(block))
        if out is None:
            return block
        out[: len(block)] = block
        return None

    return encrypt


class MemoryFlash:
    """The raw region: programs only clear bits, erases set 4096 octets."""

    unit = 16

    def __init__(self, size: int = 0x4C000):
        self.octets = bytearray(b"\xff" * size)
        self.operations = 0

    def read(self, address, buf):
        buf[:] = self.octets[address : address + len(buf)]

    def program(self, address, buf):
        self.operations += 1
        for k, octet in enumerate(buf):
            self.octets[address + k] &= octet

    def erase(self, address):
        self.operations += 1
        self.octets[address : address + SECTOR] = b"\xff" * SECTOR


class MemorySettings:
    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.writes = 0
        self.bad = 0
        self._window = b""

    def window(self, name) -> int:
        kept = self.files.get(name)
        self._window = kept or b""
        return -1 if kept is None else len(kept)

    def copy(self, offset, buf, o, n):
        buf[o : o + n] = self._window[offset : offset + n]

    def remove(self, name):
        self.files.pop(name, None)

    def load(self, name, buf) -> int:
        kept = self.files.get(name)
        if kept is None:
            return -1
        n = min(len(kept), len(buf))
        buf[:n] = kept[:n]
        return n

    def replace(self, name, buf, n):
        self.writes += 1
        self.files[name] = bytes(buf[:n])


class MemoryUart:
    """What the transceiver would send goes into `inbox`, what the device wrote stands in
    `outbox`."""

    def __init__(self):
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.last = b""
        self._socket, self._peer = socket.socketpair()  # select.poll wants a descriptor

    def fileno(self):
        return self._socket.fileno()

    def any(self):
        return len(self.inbox)

    def readinto(self, buf, n):
        n = min(n, len(buf), len(self.inbox))
        if not n:
            return None
        buf[:n] = self.inbox[:n]
        del self.inbox[:n]
        return n

    def write(self, buf, n):
        self.last = bytes(buf[:n])
        self.outbox += self.last
        return n


class StillElement:
    """Measures nothing (see firmware/meter/element.py for what each name is)."""

    since = -1
    forward = reverse = 0
    quadrants = (0, 0, 0, 0)
    phases = 0

    def start(self, day, second):
        pass

    def take(self, day, second):
        pass

    def present(self, k):
        return 0


class Watchdog:
    def feed(self):
        pass


class MemoryBoard:
    """What boards/unix/board.md says a board gives, out of memory."""

    NAME = "memory"
    RANDOM_SOURCE = "a count, hashed"
    reset_cause = "power on"
    OPEN_NM = False
    console = None

    def __init__(self, element, seed: int = 1):
        self.now = 1000
        self.flash = MemoryFlash()
        self.plc = MemoryUart()
        self.watchdog = Watchdog()
        self.aes = aes
        self._settings = MemorySettings()
        self._element = element
        self._draws = itertools.count(seed)
        self.resets = 0

    def settings(self):
        return self._settings

    def element(self):
        return self._element

    def ticks_ms(self):
        return self.now

    def ticks_us(self):
        return self.now * 1000 & 0x3FFFFFFF

    def random(self, n):
        return hashlib.sha256(b"%d" % next(self._draws)).digest()[:n]

    def installation_key(self, uid):
        return cmac(aes(DESK), bytes(uid))

    def reset(self):
        self.resets += 1


def stuffed(body: bytes) -> bytes:
    body += bytes((-sum(body) & 0xFF,))
    return body.replace(b"\x7e", b"\x7e\x7e")


def mip_message(body: bytes, sequence: int = 0) -> bytes:
    """A MIP transfer with its code packet; body: LEN, NI command, data."""
    control = sequence << 5 | 2
    return bytes((0x7E, control, 1, -(0x7E + control + 1) & 0xFF)) + stuffed(body)


def uplink(lpdu: bytes) -> bytes:
    """What the chip sends for a frame of the line."""
    return mip_message(bytes((len(lpdu) + 1, 0x1A)) + lpdu)


def unstuff(octets: bytes) -> list[bytes]:
    """The LPDUs (no CRC) that a device sent downlink, out of what it wrote."""
    found = []
    at = 0
    while at < len(octets):
        packet = octets[at : at + 4]
        at += 4
        if packet[1] & 0x0F != 2:
            continue
        body = bytearray()
        while len(body) < 1 or len(body) < body[0] + 2:
            body.append(octets[at])
            at += 2 if octets[at] == 0x7E else 1
        if body[1] & 0xF0 == 0x10:
            found.append(bytes(body[2:-1]))
    return found


ACK = b"\x7e\x10\x00\x72"
RESYNCED = b"\x7e\x00\x00\x82"


class Rig:
    """One device and somebody at its UART."""

    def __init__(self, element, board: MemoryBoard | None = None):
        self.board = board or MemoryBoard(element)
        self.device = Device(self.board)
        self.node = self.device.node
        self.bring_up()

    def bring_up(self):
        """Play the chip's part of the start, then let the 2 s of silence pass."""
        self.node.link.start(self.board.now)
        read_id = bytes((0x16, 0x16, 0x70, 0x01, 0x07)) + bytes(11) + b"\x2d" + UID
        for answer in (
            RESYNCED,
            mip_message(b"\x05\xe0\x1e\xa0\x01\x00"),
            b"\x7e\x16\x72" + bytes((-(0x7E + 0x16 + 0x72) & 0xFF,)),
            mip_message(read_id),
        ):
            self.poll()
            self.board.plc.outbox.clear()
            self.feed(answer)
        assert self.node.link.up, "the start-up does not go through"
        self.advance(2100)
        self.poll()
        self.board.plc.outbox.clear()
        self.feed(ACK)

    def reset_seen(self) -> bool:
        """Was the last thing that the chip was told a reset?"""
        octets = self.board.plc.last
        return len(octets) == 4 and octets[1] & 0x0F == 6 and octets[2] == 0x50

    def advance(self, ms: int):
        self.board.now = ticks.add(self.board.now, ms)

    def poll(self):
        self.node.poll(self.board.now)

    def feed(self, octets: bytes):
        """The UART brings octets; the node does all that follows."""
        self.board.plc.inbox += octets
        while self.board.plc.inbox:
            self.node.readable(self.board.now)

    def exchange(self, lpdu: bytes) -> list[Frame]:
        """A frame arrives; the frames with which the device answers."""
        return self.answers(uplink(lpdu))

    def answers(self, octets: bytes) -> list[Frame]:
        self.feed(octets)
        frames = []
        while True:
            self.poll()
            sent = unstuff(bytes(self.board.plc.outbox))
            self.board.plc.outbox.clear()
            if not sent:
                return frames
            frames += [decode_without_crc(lpdu) for lpdu in sent]
            self.feed(ACK)


def decode_without_crc(lpdu: bytes) -> Frame:
    return decode(lpdu + crc16(lpdu).to_bytes(2, "big"))


class Member:
    """A rig whose device was made a member, and who knows its key."""

    DOMAIN = bytes.fromhex("c0ffee")
    SUBNET, NODE = 5, 9
    KEY = bytes(range(1, 17))
    FIRST = 1000  # sequence number

    def __init__(self, element=None, mode: int = LEGACY):
        self.rig = Rig(element or StillElement())
        self.mode = mode
        self.tid = 0
        self._commission()

    def frame(self, apdu: bytes, **changes) -> Frame:
        self.tid = self.tid % 15 + 1
        frame = Frame(
            pdu=SPDU,
            source=(self.SUBNET, 1),
            destination=(self.SUBNET, self.NODE),
            domain=self.DOMAIN,
            body=apdu,
            tid=self.tid,
        )
        return frame.with_(**changes)

    def by_id(self, apdu: bytes) -> Frame:
        return self.frame(apdu, address=UNIQUE_ID, destination=(0, 0), unique_id=UID)

    def _commission(self):
        ours = bytes(range(8))
        (answer,) = self.rig.exchange(self.by_id(b"\x47\x01" + ours).encode())
        key = commissioning_key(desk_key(UID), UID, ours, answer.body[2:])
        place = Place(
            self.DOMAIN,
            self.SUBNET,
            self.NODE,
            self.KEY,
            self.KEY[::-1],
            sequence=self.FIRST,
            broadcast_base=0x01020304,
            mode=self.mode,
        )
        sealed = seal(aes(key), bytes(13), b"\x46\x01" + UID + ours, place.encode(), 8)
        self.rig.exchange(self.by_id(b"\x46\x01" + ours + sealed).encode())
        assert self.rig.device.member.keyed

    @property
    def suite(self) -> Suite:
        """What seals for the device."""
        return suite(self.mode, self.KEY, UID, self.SUBNET, self.NODE)

    @property
    def expected(self) -> int:
        counter = self.rig.device.counter
        return counter.hi << 16 | counter.lo

    def sealed(self, command: bytes) -> SealedRequest:
        return self.suite.seal(self.expected, command)

    def command(self, text: str | bytes) -> Answer:
        """The answer to a command, opened."""
        sealed = self.sealed(bytes.fromhex(text) if isinstance(text, str) else text)
        (answer,) = self.rig.exchange(self.frame(sealed.apdu).encode())
        opened = sealed.open(answer.body)
        assert opened is not None, "the answer's digest does not hold"
        return opened

    def body(self, table: int, size: int) -> bytes:
        """A table by partial reads."""
        data = b""
        while len(data) < size:
            count = min(84, size - len(data))
            data += self.command(
                b"\x3f"
                + table.to_bytes(2, "big")
                + len(data).to_bytes(3, "big")
                + count.to_bytes(2, "big")
            ).data
        return data
