"""The link over IP: packets in, packets out, and every way of being no packet of ours."""

import gc

from lon_support import UID, lpdu
from osgp.kernels import copy
from osgp.lon.cnip import CnIp
from support import MICROPYTHON, noise, skip, unhex

OURS = unhex("C0FFEE01")
THEIRS = unhex("0A000001")
FRAME = lpdu("00 1C 01 85 00 040000112233 04 51")
OTHER = lpdu("00 1A 01 85 05 89 C0FFEE 07 51")


class Udp:
    """Datagrams waiting to be read, and those that were written."""

    def __init__(self):
        self.waiting = []
        self.written = []
        self.refuses = False

    def readinto(self, buf):
        if not self.waiting:
            return None
        datagram = self.waiting.pop(0)
        n = min(len(datagram), len(buf))
        buf[:n] = datagram[:n]
        return n

    def write(self, buf, n):
        self.written.append(bytes(buf[:n]))
        return n - 1 if self.refuses else n


def packet(frame, number=1, session=THEIRS, **fields):
    """A CN/IP packet by the book. `extension`: its octets."""
    extension = fields.get("extension", b"")
    length = fields.get("length", 20 + len(extension) + len(frame))
    head = bytes((length >> 8, length & 0xFF, fields.get("version", 1), fields.get("kind", 1)))
    head += bytes((len(extension) // 4, fields.get("flags", 0), 0, 0))
    count = bytes((number >> 24 & 0xFF, number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF))
    return head + session + count + bytes(4) + extension + frame


def hear(link, *datagrams):
    """The frames that come up out of datagrams."""
    link.udp.waiting += datagrams
    frames = []
    while link.udp.waiting:
        while link.take(0):
            frames.append(bytes(link.rx[link.frame : link.end]))
    return frames


def link_on(udp=None):
    return CnIp(udp or Udp(), UID, OURS)


def send(link, frame):
    """frame: with its CRC, which the link makes itself."""
    end = len(frame)
    link.tx[2:end] = frame[:-2]
    link.send(end, 0)


# ---- out


def test_what_is_sent_is_a_data_packet():
    link = link_on()
    send(link, FRAME)
    send(link, OTHER)
    assert link.udp.written == [packet(FRAME, 1, OURS), packet(OTHER, 2, OURS)]
    assert link.udp.written[0][:20] == unhex("0023 01 01 00 00 0000 C0FFEE01 00000001 00000000")


def test_numbers_carry():
    link = link_on()
    for number in (0x00FF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF):
        link._out[12:16] = packet(b"", number)[12:16]
        send(link, FRAME)
        assert link.udp.written[-1] == packet(FRAME, number + 1 & 0xFFFFFFFF, OURS)


def test_the_longest_lpdu():
    link = link_on()
    frame = lpdu(noise(248))
    send(link, frame)
    assert link.udp.written == [packet(frame, 1, OURS)]
    assert hear(CnIp(Udp(), UID, THEIRS), link.udp.written[0]) == [frame]


def test_what_a_member_could_not_be_sent_is_counted():
    link = link_on()
    link.udp.refuses = True
    send(link, FRAME)
    assert link.overruns == 1 and link.ready


# ---- in


def test_frames_come_up():
    link = link_on()
    assert hear(link, packet(FRAME), packet(OTHER, 2)) == [FRAME, OTHER]
    assert (link.phase, link.ssi1, link.ssi2, link.mains_hz) == (0, 0, 0, 0)
    assert link.up and link.ready and not link.verified and not link.receiving


def test_several_packets_in_one_datagram():
    link = link_on()
    assert hear(link, packet(FRAME) + packet(OTHER, 2)) == [FRAME, OTHER]


def test_an_extension_is_passed_over():
    link = link_on()
    assert hear(link, packet(FRAME, extension=bytes(12))) == [FRAME]


def test_packets_that_are_not_for_us():
    others = ("version", 0), ("version", 0x81), ("kind", 0x60), ("flags", 0x20), ("flags", 1)
    for name, value in others:
        link = link_on()
        assert hear(link, packet(FRAME, **{name: value})) == []
        assert (link.foreign, link.checksum_errors) == (1, 0)
        assert hear(link, packet(OTHER)) == [OTHER]  # and its number was not taken for seen


def test_packets_that_are_broken():
    whole = packet(FRAME)
    cuts = [whole[:n] for n in (0, 1, 19, 20, len(whole) - 1)]
    lengths = [packet(FRAME, length=length) for length in (0, 19, 20, len(whole) + 1, 0xFFFF)]
    longer = [packet(FRAME, extension=bytes(4))[:-1], packet(lpdu(noise(249)))]
    extension = bytearray(whole)
    extension[4] = 255
    for datagram in cuts[1:] + lengths + longer + [bytes(extension)]:
        link = link_on()
        assert hear(link, datagram) == []
        assert link.checksum_errors  # twice, where the rest was taken for a packet
        assert hear(link, whole) == [FRAME]
    link = link_on()
    assert hear(link, cuts[0]) == []  # an empty datagram is none


def test_a_datagram_that_is_broken_behind_a_good_packet():
    link = link_on()
    assert hear(link, packet(FRAME) + b"\xff\xff") == [FRAME]
    assert link.checksum_errors == 1


def test_noise_never_raises():
    for seed in range(1, 60):
        link = link_on()
        head = packet(FRAME)[: seed % 21]
        hear(link, bytes(head) + bytes(noise(seed * 7, seed)))


# ---- sessions and numbers


def test_a_packet_comes_up_once():
    link = link_on()
    assert hear(link, packet(FRAME, 7), packet(FRAME, 7)) == [FRAME]
    assert link.late == 1


def test_a_late_packet_is_dropped():
    link = link_on()
    hear(link, packet(FRAME, 0x10005))
    for number in (0x10004, 0x10000, 0xFFFF, 0x10005 - 99):
        assert hear(link, packet(OTHER, number)) == [], hex(number)
    assert link.late == 4
    assert hear(link, packet(OTHER, 0x10006)) == [OTHER]


def test_a_gap_and_a_sender_that_went_far_back_are_taken():
    link = link_on()
    for number in (5, 7, 900, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 1, 0x90000000, 0x8FFFFF00):
        assert hear(link, packet(FRAME, number)) == [FRAME], hex(number)
    assert link.late == 0


def test_a_hundred_back_is_a_new_count():
    link = link_on()
    assert hear(link, packet(FRAME, 300), packet(OTHER, 200)) == [FRAME, OTHER]


def test_number_0_is_no_number():
    link = link_on()
    assert hear(link, packet(FRAME, 0), packet(FRAME, 0), packet(FRAME, 3)) == [FRAME] * 3
    assert hear(link, packet(FRAME, 0)) == [FRAME]


def test_each_session_counts_for_itself():
    link = link_on()
    first, second = unhex("00000001"), unhex("00000002")
    assert hear(link, packet(FRAME, 9, first), packet(OTHER, 3, second)) == [FRAME, OTHER]
    assert hear(link, packet(FRAME, 9, first), packet(OTHER, 3, second)) == []
    assert hear(link, packet(FRAME, 10, first), packet(OTHER, 4, second)) == [FRAME, OTHER]


def test_more_senders_than_are_remembered():
    link = link_on()
    for k in range(1, 34):  # the 33rd takes the first one's place
        assert hear(link, packet(FRAME, 5, bytes((1, 0, 0, k)))) == [FRAME]
    assert hear(link, packet(FRAME, 5, bytes((1, 0, 0, 3)))) == []
    assert hear(link, packet(FRAME, 5, bytes((1, 0, 0, 1)))) == [FRAME]


def test_our_own_packets_come_back_in_vain():
    link = link_on()
    send(link, FRAME)
    assert hear(link, link.udp.written[0]) == []
    assert (link.late, link.foreign, link.checksum_errors) == (0, 0, 0)


# ---- cost


class Ring:
    """A UDP object that takes no memory."""

    def __init__(self, datagram):
        self.datagram = bytearray(datagram)
        self.waiting = False
        self.writes = 0

    def readinto(self, buf):
        if not self.waiting:
            return None
        self.waiting = False
        copy(buf, 0, self.datagram, 0, len(self.datagram))
        return len(self.datagram)

    def write(self, buf, n):
        self.writes += 1
        return n


def test_nothing_is_allocated():
    if not MICROPYTHON:
        skip("measures MicroPython's heap")
    udp = Ring(packet(FRAME))
    link = link_on(udp)
    end = len(FRAME)
    copy(link.tx, 2, FRAME, 0, end - 2)

    def turns(first, last):
        for k in range(first, last):
            udp.datagram[15] = k
            udp.waiting = True
            assert link.take(k)
            link.send(end, k)

    turns(1, 4)
    gc.collect()
    before = gc.mem_alloc()
    turns(4, 104)
    assert gc.mem_alloc() - before == 0
    assert udp.writes == 103
