"""Pieces of `osgp update`: ET17 in as few reads as can be, broadcast numbers in blocks, what is
remembered, how it is told. Whole updates: host_tests/simulation/test_update.py."""

import asyncio
import struct

import pytest
from rich.console import Console

from osgp_tools import update_report, update_run
from osgp_tools.client import Client
from osgp_tools.exchange import Target
from osgp_tools.session import SessionError
from osgp_tools.store import Vault
from osgp_tools.update import Plan, Update
from osgp_tools.update_device import Stage
from osgp_tools.update_packets import BLOCK, Image, Loudspeaker
from osgp_tools.update_status import ET17, Fault, State, Status, ask, look, places, spans
from osgp_tools.update_store import Begun, Downloads

HEAD, BITMAP = 17, 429
STATUS = struct.pack("<BBIHIHHB", 2, 1, 5000, 90, 0xDEADBEEF, 7, 3, 0)
A, B = b"A" * 6, b"B" * 6
ONE, OTHER = b"1" * 8, b"2" * 8


class FakeSession:
    """ET17 as octets, and what was read of it."""

    target = Target(b"OSG", 1, 1)

    def __init__(self, head=STATUS, missing=()):
        bits = bytearray(b"\xff" * BITMAP)
        for packet in missing:
            bits[packet // 8] &= ~(1 << packet % 8)
        self.body = head + bits
        self.reads = []

    async def read(self, table, offset, count):
        assert table == ET17 and count <= 84
        self.reads.append((offset, count))
        return self.body[offset : offset + count]


def test_the_fields_of_et17():
    status = asyncio.run(look(FakeSession()))
    assert status == Status(State.RECEIVING, 1, 5000, 90, 0xDEADBEEF, 7, 3, Fault.NONE)
    assert (status.bank, status.other, status.on_trial) == ("B", 0, False)
    assert str(status) == "bank B, version 7; receiving, 90 packets"


@pytest.mark.parametrize("at", [0, 16])
def test_a_state_or_a_fault_that_nobody_knows(at):
    head = bytearray(STATUS)
    head[at] = 99
    with pytest.raises(SessionError, match="ET17 is"):
        asyncio.run(look(FakeSession(bytes(head))))


def test_every_fault_has_words():
    assert all(fault.text for fault in Fault) and Fault(16).of_the_image is False


@pytest.mark.parametrize(
    ("among", "missing", "reads"),
    [
        (set(), set(), [(0, 17)]),
        (range(536), {3, 535}, [(0, 84)]),
        (range(537), {536}, [(0, 84), (84, 1)]),
        (range(3432), {0, 3431}, [(0, 84), (84, 84), (168, 84), (252, 84), (336, 84), (420, 26)]),
        ({3431}, {3431}, [(0, 17), (445, 1)]),
        ({3000, 3001, 3100}, {3001}, [(0, 17), (392, 13)]),
    ],
)
def test_no_more_is_read_than_tells_it(among, missing, reads):
    session = FakeSession(missing=missing)
    assert asyncio.run(ask(session, among))[1] == missing
    assert session.reads == reads
    assert list(spans(places(among))) == reads


def test_a_packet_that_et17_does_not_have():
    with pytest.raises(ValueError, match="packets"):
        asyncio.run(ask(FakeSession(), {3432}))


# ---- broadcast numbers


@pytest.fixture
def vault(tmp_path):
    one = Vault(tmp_path / "vault.db")
    yield one
    one.close()


def test_numbers_come_in_blocks_and_go_back(vault):
    assert vault.broadcast().number == 0
    block = vault.broadcasts(5)
    assert [one.number for one in block] == [1, 2, 3, 4, 5]
    vault.give_back(block[2:])
    assert vault.broadcast().number == 3
    vault.give_back([])
    assert vault.broadcast().number == 4


def test_what_somebody_took_since_does_not_go_back(vault):
    block = vault.broadcasts(4)
    assert vault.broadcast().number == 4
    vault.give_back(block[1:])
    assert vault.broadcast().number == 5


class FakeLink:
    def __init__(self):
        self.heard, self.sent = [], []

    async def send(self, lpdu):
        self.sent.append(lpdu)


def test_a_block_is_taken_at_a_time_and_the_rest_given_back(tmp_path, vault):
    link = FakeLink()
    image = Image(b"OSGPBANK" + bytes(600))
    place = vault.new_place(A)
    member = vault.admit(A, place)

    async def main():
        speaker = Loudspeaker(Client(link, silence=0), vault, 0x0102)
        for packet in range(3):
            await speaker.say(image, packet, [member], ())
        assert vault._network()["broadcast"] == BLOCK
        assert speaker.next_number() == 3
        speaker.close()
        assert vault._network()["broadcast"] == 3
        assert (speaker.said, len(link.sent)) == (3, 3)

    asyncio.run(main())


def test_packets_of_an_image():
    image = Image(bytes(range(250)) * 20)
    assert image.packets == 90
    assert b"".join(image.packet(k)[2:] for k in range(90))[:5000] == image.octets
    assert image.packet(89) == b"\x59\x00" + image.octets[4984:] + b"\xff" * 40


# ---- what is remembered


def test_what_was_begun_in_a_device(tmp_path):
    kept = Downloads(tmp_path / "s.db")
    assert kept.of(A) is None
    kept.begin(A, ONE)
    kept.begin(B, OTHER)
    assert kept.of(A) == Begun(ONE, None)
    assert kept.saw_trial(A, ONE, 100.0) == 100.0
    assert kept.saw_trial(A, ONE, 200.0) == 100.0
    assert kept.saw_trial(A, OTHER, 300.0) == 300.0
    kept.begin(A, ONE)
    kept.forget_others(ONE)
    assert (kept.of(A), kept.of(B)) == (Begun(ONE, None), None)
    kept.join(B)
    kept.close()
    again = Downloads(tmp_path / "s.db")
    assert again.of(A) and again.joined(B) and not again.joined(A)
    again.forget(A)
    again.leave(B)
    assert again.of(A) is None and not again.joined(B)
    again.close()


# ---- how it is told


def test_a_report(tmp_path, vault):
    member = vault.admit(A, vault.new_place(A))
    other = vault.admit(B, vault.new_place(B))
    kept = Downloads(tmp_path / "s.db")
    header = struct.pack(
        "<8sHHIII16sBBxx32s", b"OSGPBANK", 1, 76, 1, 2, 0, b"any", 6, 31, bytes(32)
    )
    update = Update(Client(FakeLink()), vault, kept, Image(header), [member, other], Plan())
    update.parts[0].stage = Stage.CONFIRMED
    update.parts[1].refusal = "no"
    update.said = 7
    assert update_report.summary(update, 61).startswith("1 of 2 run it, 7 packets by broadcast")
    figures = update_report.figures(update, 61)
    assert [one["stage"] for one in figures["devices"]] == ["confirmed", "unknown"]
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(update_report.table(update))
    text = console.export_text()
    assert "1/1" in text and "runs it" in text and "no" in text
    kept.close()


def test_how_often_a_packet_has_to_be_sent():
    """Until the last of so many has it: a mean by public formulas."""
    assert update_run.ideal(1, 0.0) == 1
    assert update_run.ideal(1, 0.5) == pytest.approx(2)
    assert update_run.ideal(2, 0.5) == pytest.approx(2 * 2 - 4 / 3)
