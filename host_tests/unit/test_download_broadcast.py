"""EP08 and EP09 by broadcast: packets take a short way, on which nothing is kept but they."""

import struct

from broadcast_support import BASE, ET28, WINDOW, initiate, opens_relay, request, sealed, write
from download_support import (
    DONE,
    EP08,
    EP09,
    NEW,
    Target,
    packet,
    packets,
)
from osgp.membership import NEXT_BROADCAST
from support import unhex

RELAYS = ("relays", "levels", "tariff")


def told(k, bank=NEW, psn=11, **more):
    """The command of a broadcast with a packet."""
    bt07 = struct.pack("<HB", EP09, psn) + packet(bank, k)
    return write(request(initiate(bt07), number=k & 0xFF, **more))


def erased(**more):
    target = Target(**more)
    target.erase()
    return target


def test_erased_by_broadcast():
    target = Target()
    bt07 = struct.pack("<HBI", EP08, 33, len(NEW))
    target.tell(write(request(initiate(bt07), unhex("30 0008"))))
    kind, responses = target.answer()
    assert kind == 1 and responses[0] == b"\0"
    assert responses[1][3:7] == b"\x08\x08\x21\x01"
    target.work_through()
    assert target.result == DONE and target.status["state"] == 2


def test_a_download_by_broadcast():
    for mode in (0, 2):
        target = erased(mode=mode)
        kept = dict(target.settings.kept)
        bt08 = target.read(8, 0, 16)
        for k in range(20):
            target.hear(sealed(told(k), BASE + k, mode=mode))
            if k % 3 == 0:
                target.pass_ms(400)
        target.pass_ms(400)
        assert target.there == list(range(20))
        assert target.other.data[: 20 * 56] == NEW[: 20 * 56]
        assert target.base == BASE + 20 and target.broadcast.accepted == 20
        assert target.read(8, 0, 16) == bt08
        assert target.read(ET28, 0, 20) == bytes(20)
        changed = [name for name in kept if kept[name] != target.settings.kept[name]]
        assert changed == ["member"] and set(kept) == set(target.settings.kept)


def test_written_when_nobody_minds():
    target = erased()
    target.gate.activity(target.now)
    target.hear(sealed(told(3), BASE))
    target.pass_ms(60)
    assert target.other.data[168:224] == b"\xff" * 56
    target.pass_ms(400)
    assert target.there == [3]
    target.gate.activity(target.now)
    target.hear(sealed(told(4), BASE + 1))
    target.hear(sealed(told(5), BASE + 2))
    assert target.there == [3, 4], "the one before makes room"
    target.pass_ms(400)
    assert target.there == [3, 4, 5]


def test_numbers_are_kept_every_32nd():
    target = erased()
    members = []

    def note(name):
        if name == "member":
            members.append(target.base)

    target.settings.on_replace = note
    for k in range(100):
        target.hear(sealed(told(k), BASE + k))
    assert target.base == BASE + 100
    kept = [BASE + k for k in range(100) if (BASE + k + 1) % 32 == 0]
    assert members == kept and len(kept) == 4
    target.settings.on_replace = None
    target.start()
    assert 0 <= BASE + 100 - target.base < 32


def test_any_other_broadcast_keeps_its_number():
    target = erased()
    target.hear(sealed(told(0), BASE))
    target.tell(opens_relay(), BASE + 1)
    assert target.relays == 1
    target.start()
    assert target.base == BASE + 2
    target.tell(opens_relay(201, 2, closed=1), BASE + 1)
    assert target.relays == 1


def test_a_packet_under_a_new_key_puts_it_in_force():
    key = bytes(range(0x60, 0x70))
    target = erased()
    offered = bytes(target.member.image[52:54]) + key + BASE.to_bytes(4, "big")
    target.settings.replace(NEXT_BROADCAST, offered, len(offered))
    target.start()
    target.hear(sealed(told(0), BASE, key))
    target.start()
    assert target.member.broadcast_key == key and target.base == BASE + 1
    target.hear(sealed(told(1), BASE + 1, key))
    target.pass_ms(400)
    assert target.there == [1], "that of the start before was not written"


def test_copies_die():
    target = erased()
    apdu = sealed(told(7), BASE)
    for _ in range(3):
        target.hear(apdu)
    assert target.broadcast.outside == 2 and target.broadcast.accepted == 1
    target.hear(sealed(told(8), BASE + WINDOW + 1))
    assert target.broadcast.outside == 3


def test_a_replay_after_a_start_writes_nothing_new():
    target = erased()
    sent = [sealed(told(k), BASE + k) for k in range(10)]
    for apdu in sent:
        target.hear(apdu)
        target.pass_ms(300)
    target.start()
    operations = target.other.operations
    for apdu in sent:
        target.hear(apdu)
        target.pass_ms(300)
    assert target.other.operations == operations
    assert target.there == list(range(10))


def test_other_groups():
    target = erased()
    target.hear(sealed(told(0, groups=(0x0999,)), BASE))
    target.hear(sealed(told(1, groups=()), BASE + 1))
    target.hear(sealed(told(2, groups=(0x0999, 0x01FF)), BASE + 2))
    target.hear(sealed(told(3, groups=(0xFFFF,)), BASE + 3))
    target.pass_ms(400)
    assert target.there == [2, 3]


def test_a_board_that_does_not_want_it():
    target = erased(may=RELAYS)
    target.hear(sealed(told(0), BASE))
    target.pass_ms(400)
    assert target.there == []
    bt07 = struct.pack("<HBI", EP08, 33, len(NEW))
    target.tell(write(request(initiate(bt07))), BASE + 1)
    assert target.answer()[1] == [b"\x03"]


def test_without_a_download():
    target = Target()
    target.hear(sealed(told(0), BASE))
    target.pass_ms(400)
    assert target.base == BASE + 1 and target.other.operations == 0


def test_one_with_more_than_a_packet_is_a_transaction():
    target = erased()
    bt07 = struct.pack("<HB", EP09, 99) + packet(NEW, 6)
    target.tell(write(request(initiate(bt07), unhex("30 0008"))))
    kind, responses = target.answer()
    assert kind == 1 and responses[1][3:7] == b"\x09\x08\x63\x00"
    assert target.there == [6]


def test_a_last_packet_by_broadcast():
    target = erased()
    target.send(numbers=range(packets(NEW) - 1))
    target.hear(sealed(told(packets(NEW) - 1), BASE))
    target.pass_ms(400)
    target.work_through()
    assert target.status["state"] == 3
    assert target.verify(1, NEW) == DONE


def test_flash_fails():
    target = erased()
    target.other.fails = True
    for k in range(3):
        target.hear(sealed(told(k), BASE + k))
        target.pass_ms(400)
    target.other.fails = False
    assert target.there == []
    target.hear(sealed(told(0), BASE + 3))
    target.pass_ms(400)
    assert target.there == [0]
