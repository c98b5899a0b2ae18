"""What a concentrator does in an update, as steps of a script (update_machine.py): `yield from`
them. Each of them may be begun at any state of the device, after a power cut too.
"""

import struct
from hashlib import sha256

from nor import SECTOR

from tables.model import MASTER, OK

PACKET = 56
HEADER = 76
OF_CABLE = SECTOR - 32  # of the first sector
BT07, BT08, ET17 = 7, 8, 2048 + 17
EP08, EP09, EP10 = 2048 + 8, 2048 + 9, 2048 + 10
NONE, ERASING, RECEIVING, COMPLETE, VERIFYING, VERIFIED, TRIAL, FAILED = range(8)
DONE, UNDER_WAY, BAD, CONFLICT, NOT_YET = range(5)  # results of a procedure
GOOD_S = 600  # seconds after which a trial can be confirmed
_STATUS = "<BBIHIHHB"
_STATUS_SIZE = 17


class Status:
    """ET17 without its bitmap."""

    def __init__(self, m):
        fields = struct.unpack(_STATUS, read(m, ET17, 0, _STATUS_SIZE))
        self.state, self.active, self.length, self.packets, self.crc = fields[:5]
        self.version, self.security, self.error = fields[5:]


def read(m, number, offset, n):
    out = bytearray(n)
    code = m.device.model.read(number, offset, n, out, 0, MASTER)
    assert code == OK, (number, code)
    return bytes(out)


def write(m, number, octets, offset=0):
    """Returns the response code."""
    return m.device.model.write(number, offset, octets, 0, len(octets), MASTER, m.board.now)


def call(m, number, parameters=b""):
    """Begins a procedure. Returns its result so far."""
    psn = read(m, BT08, 2, 1)[0]
    psn = 10 if psn >= 254 else max(psn + 1, 10)
    assert write(m, BT07, struct.pack("<HB", number, psn) + parameters) == OK
    return result(m)


def result(m):
    return read(m, BT08, 3, 1)[0]


def sleep(m, seconds):
    end = m.up + 1000 * seconds
    while m.up < end:
        yield None


def finished(m):
    """Until a procedure is no more under way, or the device has started anew."""
    starts = m.starts
    while m.starts == starts and result(m) == UNDER_WAY:
        yield None


def restarted(m, seconds=90):
    """Until it has."""
    starts = m.starts
    end = m.up + 1000 * seconds
    while m.starts == starts:
        assert m.up < end, "it does not restart"
        yield None


def identity(image):
    """As EP10 names an image."""
    return sha256(image[:HEADER]).digest()[:8]


def packet(image, k):
    """What EP09 wants."""
    octets = image[PACKET * k : PACKET * (k + 1)]
    return struct.pack("<H", k) + octets + b"\xff" * (PACKET - len(octets))


def packets(image):
    return (len(image) + PACKET - 1) // PACKET


def missing(m, image):
    """The packets that the device's bitmap says are not there."""
    n = packets(image)
    bitmap = read(m, ET17, _STATUS_SIZE, (n + 7) // 8)
    return [k for k in range(n) if not bitmap[k >> 3] >> (k & 7) & 1]


def erased(m, image):
    """EP08, until the bank is ready to be downloaded into."""
    assert call(m, EP08, struct.pack("<I", len(image))) == UNDER_WAY
    yield from finished(m)


def sent(m, image, order=1):
    """Every packet that is missing, until none is; `order` -1: from the last one on. False: the
    bank has begun to take another image."""
    while True:
        left = missing(m, image)
        if not left:
            return True
        for k in left[::order]:
            code = call(m, EP09, packet(image, k))
            if code == CONFLICT:
                return False
            assert code == DONE, (k, code)
            yield None


def downloaded(m, image, order=1):
    """The image is there, whatever was before: from what of it is there, if something is."""
    for _ in range(4):
        status = Status(m)
        if (
            status.state in (RECEIVING, COMPLETE)
            and status.length == len(image)
            and (yield from sent(m, image, order))
            and holds(m.board, 1 - status.active, image)
        ):
            return
        yield from erased(m, image)
    raise AssertionError("a download comes to no end")


def holds(board, k, image):
    """Whether a bank holds an image; what tells of a cable does not count."""
    bank = board.bank(k)
    return (
        bytes(bank[:OF_CABLE]) == image[:OF_CABLE]
        and bytes(bank[SECTOR : len(image)]) == image[SECTOR:]
    )


def switched(m, image):
    """EP10 names the image in the other bank, and the device restarts. Returns whether it took
    the image."""
    other = 1 - Status(m).active
    code = call(m, EP10, bytes((other,)) + identity(image))
    assert code == UNDER_WAY, code
    starts = m.starts
    yield from finished(m)
    if m.starts == starts:
        if result(m) != DONE:
            return False
        yield from restarted(m)
    return True


def confirmed(m, image):
    """The running bank is confirmed, after ten minutes."""
    m.leap = 2500  # a heartbeat is missed after 3 s
    yield from sleep(m, GOOD_S)
    m.leap = 0
    yield from sleep(m, 3)
    code = call(m, EP10, bytes((Status(m).active,)) + identity(image))
    assert code == DONE, code


def updated(m, image):
    """From any state to this image, confirmed."""
    status = Status(m)
    if status.state == TRIAL and not holds(m.board, status.active, image):
        yield from given_back(m)
        status = Status(m)
    if not holds(m.board, status.active, image):
        yield from downloaded(m, image)
        assert (yield from switched(m, image)), "a good image is not taken"
    if Status(m).state == TRIAL:
        yield from confirmed(m, image)


def given_back(m):
    """A trial is ended, by naming the confirmed bank."""
    other = 1 - Status(m).active
    code = call(m, EP10, bytes((other,)) + m.device.trial.state.ids[other])
    assert code in (DONE, UNDER_WAY), code
    yield from finished(m)
    yield from restarted(m)
