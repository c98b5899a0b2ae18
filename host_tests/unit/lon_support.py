"""A transceiver for the tests of the LON layers, and the frames to put on its line."""

from osgp.kernels import crc16, stuff
from support import unhex

UID = unhex("040000112233")
CRC_ERROR = 0x31
NULL, FAIL, MSG, REJECT, NI_SHORT, RESYNC = 0, 1, 2, 5, 6, 7
ACK = unhex("7E 10 00 72")
STATUS = unhex("E0 1E A0 01 00")  # from the captured start
ID_ANSWER = unhex("16 70 01 07 0000000000000000000000 2D") + UID


def packet(kind: int, parameter: int = 0, number: int = 0, ack: int = 0) -> bytes:
    """A code packet."""
    control = number << 5 | ack << 4 | kind
    return bytes((0x7E, control, parameter, -(0x7E + control + parameter) & 0xFF))


def stuffed(body: bytes) -> bytes:
    """A message's LEN, body, checksum, every 7E doubled."""
    out = bytearray(2 * len(body) + 4)
    whole = bytes((len(body),)) + body
    return bytes(out[: stuff(whole, 0, len(whole), out, 0)])


def message(body: bytes, number: int = 0) -> bytes:
    """A whole message of the chip."""
    return packet(MSG, 1, number) + stuffed(body)


def lpdu(text) -> bytes:
    """The frame written in `text` (or the octets), with its CRC."""
    frame = unhex(text) if isinstance(text, str) else bytes(text)
    crc = crc16(frame, 0, len(frame))
    return frame + bytes((crc >> 8, crc & 0xFF))


def uplink(frame: bytes, number: int = 0) -> bytes:
    """What the chip sends for a frame (CRC included) of the line."""
    return message(b"\x1a" + frame, number)


class Chip:
    """The chip's end of a UART: acknowledges what the host sends, answers its questions at start.

    `log`: each write of the host. `frames`: each LPDU it sent down, `commands` its NI command.
    `up`: octets on their way up.
    """

    def __init__(self):
        self.log = []
        self.frames = []
        self.commands = []
        self.up = b""
        self.silent = False
        self.acknowledges = True
        self.layer = 1
        self.phase_answer = message(unhex("40 32"))

    def write(self, buf, n: int):
        out = bytes(buf[:n])
        self.log.append(out)
        kind = out[1] & 0x0F
        if self.silent:
            return
        if kind == RESYNC:
            self.up += packet(NULL)
        elif kind in (MSG, NI_SHORT):
            if self.acknowledges:
                self.up += ACK
            self._obey(out[2:3] if kind == NI_SHORT else self.body(out))

    @staticmethod
    def body(out: bytes) -> bytes:
        """What a message of the host carries; its LEN and checksum must be right."""
        plain = out[4:].replace(b"\x7e\x7e", b"\x7e")
        assert plain[0] == len(plain) - 2
        assert sum(plain) & 0xFF == 0
        return plain[1:-1]

    def _obey(self, body: bytes):
        if body[0] & 0xF2 == 0x12:  # with priority, attenuated, at the zero crossing
            self.commands.append(body[0])
            self.frames.append(body[1:])
        elif body[0] == 0xE0:
            status = bytearray(STATUS)
            status[3] = self.layer
            self.up += message(bytes(status))
        elif body[0] == 0xD1:
            self.layer = 1
            self.up += packet(NI_SHORT, 0xD1)
        elif body[0] == 0x42:
            self.up += self.phase_answer
        elif body[0] == 0x22:
            self.up += message(ID_ANSWER)

    def any(self):
        return len(self.up)

    def readinto(self, buf, n):
        """As a UART's: None when nothing is there."""
        n = min(n, len(buf), len(self.up))
        buf[:n] = self.up[:n]
        self.up = self.up[n:]
        return n or None


def feed(mip, octets: bytes, now: int) -> list:
    """Feed octets to a link; the frames that came out."""
    frames = []
    a = 0
    while a < len(octets):
        a = mip.feed(octets, a, len(octets), now)
        if mip.frame:
            frames.append(bytes(mip.rx[mip.frame : mip.end]))
    return frames


def exchange(mip, chip, now: int) -> list:
    """Let link and chip talk until neither has anything to say; the frames that came up."""
    frames = []
    for _ in range(20):
        mip.poll(now)
        octets, chip.up = chip.up, b""
        if not octets:
            return frames
        frames += feed(mip, octets, now)
    raise AssertionError("they never come to rest")


class Settings:
    """Kept records in a dict. `broken`: flash that fails."""

    def __init__(self):
        self.kept = {}
        self.broken = False

    def load(self, name, buf) -> int:
        record = self.kept.get(name)
        if record is None:
            return -1
        n = min(len(record), len(buf))
        buf[:n] = record[:n]
        return n

    def replace(self, name, buf, n):
        if self.broken:
            raise OSError(5)
        self.kept[name] = bytes(buf[:n])


class Gate:
    """Records nothing but that it was told."""

    def __init__(self):
        self.answering = False
        self.told = 0

    def activity(self, now):
        self.told = now

    answered = activity
