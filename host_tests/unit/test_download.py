"""A download: the bank is erased, packets come in any order, and what is there is told."""

import binascii
import struct

from download_support import (
    ACCEPTED,
    BAD_PARAMETER,
    BT07,
    CONFLICT,
    DONE,
    EP08,
    EP09,
    ET17,
    NEW,
    OLD,
    TIMING,
    Target,
    identity,
    packet,
    packets,
)
from support import MICROPYTHON, noise
from tables.model import NOT_POSSIBLE, READ

LENGTH = len(NEW)
LAST = 0x2F000  # of a bank: sector 47


def test_a_whole_download():
    target = Target()
    erased = target.ask(EP08, struct.pack("<I", LENGTH))
    assert erased == ACCEPTED and target.status["state"] == 1
    target.work_through()
    assert target.result == DONE and target.status["state"] == 2
    assert target.other.erased == [47, 0, 1, 2, 3]
    head = b"OSGPLOAD" + struct.pack("<I", LENGTH)
    head += struct.pack("<I", binascii.crc32(head))
    assert target.other.data[LAST : LAST + 17] == head + b"\xff"
    target.send()
    target.work_through()
    assert target.other.data[:LENGTH] == NEW
    assert target.status == {
        "state": 3, "bank": 0, "length": LENGTH, "packets": packets(NEW),
        "crc": binascii.crc32(NEW), "version": 1, "security": 1, "error": 0,
    }  # fmt: skip
    assert target.there == list(range(packets(NEW)))
    assert target.other.data[LAST + 16 :][: packets(NEW)] == bytes(packets(NEW))


def test_without_a_download():
    target = Target()
    assert target.status == {
        "state": 0, "bank": 0, "length": 0, "packets": 0, "crc": 0, "version": 1, "security": 1,
        "error": 0,
    }  # fmt: skip
    assert target.there == []
    assert target.ask(EP09, packet(NEW, 0)) == CONFLICT
    assert target.other.operations == 0


def test_lengths():
    target = Target()
    for length in (0, 4096, 192193, 0xFFFFFFFF):
        assert target.ask(EP08, struct.pack("<I", length)) == BAD_PARAMETER, length
    assert target.download is None
    for length in (4097, 192192):
        assert target.ask(EP08, struct.pack("<I", length)) == ACCEPTED
    target.work_through()
    assert target.other.erased == [47] + list(range(47))
    assert target.ask(EP09, struct.pack("<H", 3432) + bytes(56)) == BAD_PARAMETER
    assert target.ask(EP09, struct.pack("<H", 3431) + bytes(56)) == DONE
    assert target.there == [3431]
    assert target.other.data[192136:192192] == bytes(56)
    assert target.other.data[192192:LAST] == b"\xff" * 320


def test_any_order_any_number_of_times():
    target = Target()
    target.erase()
    for k in (3, 0, 196, 100, 3, 0):
        assert target.ask(EP09, packet(NEW, k)) == DONE
    assert target.there == [0, 3, 100, 196] and target.status["packets"] == 4
    operations = target.other.operations
    assert target.ask(EP09, packet(NEW, 3)) == DONE
    assert target.ask(EP09, struct.pack("<H", 3) + bytes(56)) == DONE, "other octets"
    assert target.other.operations == operations
    assert target.other.data[168:224] == NEW[168:224]


def test_what_is_refused():
    target = Target()
    assert target.ask(EP08, struct.pack("<I", LENGTH)) == ACCEPTED
    assert target.ask(EP09, packet(NEW, 0)) == TIMING
    assert target.ask(EP09, struct.pack("<H", packets(NEW)) + bytes(56)) == BAD_PARAMETER
    target.work_through()
    assert target.ask(EP09, struct.pack("<H", packets(NEW)) + bytes(56)) == BAD_PARAMETER
    assert target.ask(EP09, packet(NEW, 0)[:-1]) == BAD_PARAMETER
    assert target.ask(EP09, packet(NEW, 0) + b"\0") == BAD_PARAMETER
    assert target.there == []


def test_who_may():
    target = Target()
    octets = struct.pack("<HB", EP09, 77) + packet(NEW, 0)
    target.erase()
    assert target.model.write(BT07, 0, octets, 0, len(octets), READ, target.now) == 0
    assert target.result == 5 and target.there == []
    before = target.psn
    target.ask(EP09, packet(NEW, 1))
    octets = struct.pack("<HB", EP09, before + 1) + packet(NEW, 0)
    code = target.model.write(BT07, 0, octets, 0, len(octets), 3, target.now)
    assert code == NOT_POSSIBLE, "the number of the procedure before"
    assert target.model.write(BT07, 3, octets, 0, 5, 3, target.now) == NOT_POSSIBLE
    assert target.there == [1]


def test_no_key_no_download():
    target = Target()
    target.board.key = None
    assert target.ask(EP08, struct.pack("<I", LENGTH)) == CONFLICT
    assert target.download is None and target.other.operations == 0


def test_no_banks_in_flash():
    for change in ("bank_flash", "none"):
        target = Target()
        target.board.bank_flash = None if change == "bank_flash" else lambda k: None
        assert target.ask(EP08, struct.pack("<I", LENGTH)) == CONFLICT
        assert target.verify(1, NEW) == CONFLICT
        assert target.status["version"] == 0
        target.start()
        assert target.download is None


def test_the_mark_of_a_cable_is_never_written():
    marked = NEW[:4080] + b"OSGP by cable 1\0" + NEW[4096:]
    target = Target()
    target.erase()
    target.send(marked)
    assert target.other.data[:LENGTH] == NEW and NEW[4080:4096] == b"\xff" * 16


def test_nothing_of_a_packet_is_kept_in_settings():
    target = Target()
    target.erase()
    kept = dict(target.settings.kept)
    target.send()
    target.work_through()
    assert target.settings.kept == kept
    # the answer is one octet; the others of BT08 are 0
    assert target.read(8, 3, 13) == bytes(13)


def test_two_programs_a_packet():
    target = Target()
    target.erase()
    for k in (0, 1, 72, 73, 74, 196):
        operations = target.other.operations
        target.send(numbers=[k])
        assert target.other.operations == operations + 2, k


def test_erasing_waits_for_quiet():
    target = Target()
    target.gate.activity(target.now)
    target.ask(EP08, struct.pack("<I", LENGTH))
    for _ in range(18):
        target.gate.activity(target.now)  # somebody is talking to us all the time
        target.pass_ms(100)
    assert target.other.erased == []
    target.gate.activity(target.now)
    target.pass_ms(210)
    assert target.other.erased[:1] == [47], "two seconds are enough"
    target.gate.activity(target.now)
    target.pass_ms(600)
    assert target.result == DONE


def test_erased_again():
    target = Target()
    target.erase()
    target.send(numbers=range(5))
    target.ask(EP08, struct.pack("<I", LENGTH))
    target.turns(2)
    assert target.ask(EP08, struct.pack("<I", LENGTH - 56)) == ACCEPTED, "while it is erased"
    target.work_through()
    assert target.result == DONE
    assert target.there == [] and target.status["length"] == LENGTH - 56
    target.send(NEW[:-56])
    target.work_through()
    assert target.status["state"] == 3


def test_a_start_at_any_packet():
    target = Target()
    target.erase()
    for k in range(packets(NEW)):
        target.send(numbers=[(k * 29) % packets(NEW)])
        if k % (40 if MICROPYTHON else 7) == 0:
            target.start()
            assert target.status["packets"] == k + 1
    target.work_through()
    assert target.there == list(range(packets(NEW)))
    assert target.status["state"] == 3 and target.status["crc"] == binascii.crc32(NEW)
    target.start()
    target.work_through()
    assert target.status["state"] == 3 and target.status["crc"] == binascii.crc32(NEW)


def test_two_concentrators_at_once():
    """Each has an image of its own; the first packet that came stays, and nothing is mixed."""
    target = Target()
    target.erase()
    other = bytes(noise(LENGTH, 9))
    for k in range(packets(NEW)):
        first, second = (NEW, other) if k % 2 else (other, NEW)
        assert target.ask(EP09, packet(first, k)) == DONE
        assert target.ask(EP09, packet(second, k)) == DONE
        data = target.other.data[56 * k : 56 * k + 56]
        if 72 <= k <= 73 or k == packets(NEW) - 1:
            continue  # the mark; behind the image
        assert data == first[56 * k : 56 * k + 56]
    assert target.verify(1, NEW) == CONFLICT
    assert target.status["state"] == 7


def test_half_a_packet_and_then_another_one():
    """Power goes in the midst of a packet: the same one completes it, another is not taken."""
    for k in (0, 1, 100, 101):
        for cut in (0, 1):
            target = Target()
            target.erase()
            target.other.cut_at = target.other.operations + cut
            try:
                target.ask(EP09, packet(NEW, k))
                raise AssertionError
            except Exception as error:
                assert type(error).__name__ == "PowerCut"
            target.start()
            target.turns(5)
            assert target.there in ([], [k])
            if target.there == []:
                foreign = bytes([octet ^ 0x55 for octet in packet(NEW, k)[2:]])
                result = target.ask(EP09, struct.pack("<H", k) + foreign)
                assert result == CONFLICT and target.there == []
            assert target.ask(EP09, packet(NEW, k)) == DONE
            at = 56 * k
            assert target.other.data[at : at + 56] == NEW[at : at + 56]
            assert target.there == [k]


def test_a_cut_in_the_erase():
    """There is either the download before, or none, or the new one: nothing in between."""
    begin = Target()
    begin.erase()
    begin.send(numbers=range(9))
    done = begin.other.operations
    for k in range(6):
        target = Target()
        target.erase()
        target.send(numbers=range(9))
        target.other.cut_at = done + k
        try:
            target.ask(EP08, struct.pack("<I", LENGTH))
            target.work_through()
        except Exception as error:
            assert type(error).__name__ == "PowerCut"
        target.start()
        target.turns(5)
        assert target.download is None and target.status["state"] == 0, k
        assert target.ask(EP09, packet(NEW, 0)) == CONFLICT
        target.erase()
        target.send()
        assert target.other.data[:LENGTH] == NEW


def test_flash_fails():
    target = Target()
    target.erase()
    target.other.fails = True
    assert target.ask(EP09, packet(NEW, 0)) == CONFLICT
    target.other.fails = False
    target.send()
    target.other.fails = True
    assert target.ask(EP08, struct.pack("<I", LENGTH)) == ACCEPTED
    target.work_through()
    assert target.result == CONFLICT and target.download is None
    assert target.status["state"] == 7 and target.status["error"] == 9
    target.other.fails = False
    target.erase()
    assert target.status["error"] == 0 and target.status["state"] == 2


def test_a_download_of_which_nobody_knows_any_more():
    """A bank that a cable wrote over a download is not one to go on with."""
    target = Target()
    target.erase()
    target.send(numbers=range(60))
    target.put(1, NEW[:4080] + b"OSGP by cable 1\0" + NEW[4096:])
    target.start()
    assert target.download is None


def test_a_damaged_head():
    for place in (0, 8, 12, 15):
        target = Target()
        target.erase()
        target.other.data[LAST + place] ^= 1
        target.start()
        assert target.download is None and target.status["state"] == 0


def test_parts_of_et17():
    target = Target()
    target.erase()
    target.send(numbers=[0, 7, 8, 63, 150, 195])
    whole = target.read(ET17, 0, 446)
    for offset, n in ((0, 84), (10, 20), (16, 1), (16, 2), (17, 1), (18, 80), (40, 3), (400, 60)):
        assert target.read(ET17, offset, n) == (whole + bytes(20))[offset : offset + n]


def test_what_was_tried_is_no_download_any_more():
    target = Target()
    target.erase()
    target.send()
    state = target.selector()
    state.ids[1] = identity(NEW)
    state.keep()
    target.start()
    assert target.download is None
    # The same image once more is another download, before it is complete and after.
    target.erase()
    assert target.selector().ids == [identity(OLD), bytes(8)]
    target.send(numbers=range(50))
    target.start()
    assert target.status["packets"] == 50
    target.send(numbers=range(50, packets(NEW)))
    target.start()
    target.work_through()
    assert target.status["state"] == 3
    assert target.verify(1, NEW) == DONE


def test_a_download_after_a_trial_that_failed():
    """Nothing of the trial is told any more, at the next start either."""
    target = Target()
    target.put(1, NEW)
    target.selector().begin_trial(1, identity(NEW))
    target.selector().end_trial(3)
    target.start()
    assert target.status["error"] == 11
    target.erase()
    target.events.take()
    target.start()
    assert target.status["error"] == 0 and target.status["state"] == 2
    assert target.events.take() == []


def test_flash_fails_as_the_image_is_forgotten():
    target = Target()
    target.selector().begin_trial(1, identity(NEW))
    target.selector().end_trial(5)
    target.put(1, NEW)
    target.start()
    assert target.ask(EP08, len(NEW).to_bytes(4, "little")) == ACCEPTED
    target.flash.fails = True
    target.work_through()
    target.flash.fails = False
    assert target.result == CONFLICT and target.status["error"] == 9
    assert target.other.data[: len(NEW)] == NEW, "nothing was erased"
