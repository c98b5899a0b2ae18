"""What guards the power line on a whole device, in both security modes: the tables that tell of
it, lockout, the end of a key and its change."""

import itertools

import pytest

from osgp_tools import model
from osgp_tools.session import Code
from osgp_tools.suites import AES_PSK, LEGACY, key_check
from rig import Member, MemoryBoard, Rig, StillElement

ET04, ET23, ET54, ET55, BT03 = 2052, 2071, 2102, 2103, 3
MINUTE = 60_000
NEW = bytes(range(0x30, 0x40))
BAD_PARAMETER = 2
READ = bytes.fromhex("300003")


class Meter(Member):
    def __init__(self, mode):
        super().__init__(mode=mode)
        self.psn = itertools.cycle(range(10, 255))

    @property
    def device(self):
        return self.rig.device

    def values(self, number, size=None):
        octets = self.body(number, size or model.TABLES[number].size)
        return model.decode(number, octets)

    def call(self, number, parameters):
        octets = bytes((number & 0xFF, number >> 8, next(self.psn))) + parameters
        return self.command(b"\x40\x00\x07" + len(octets).to_bytes(2, "big") + octets)

    def wrong(self):
        return self.rig.exchange(self.frame(bytes(20)).encode())

    def limit(self, uses):
        """Maximum key usage is fixed; nothing but a test has the patience for a million."""
        self.device.model.body(ET04)[123:127] = uses.to_bytes(4, "little")
        self.device.envelope.reserved = 0

    def key_expires(self):
        return self.values(BT03)["manufacturer_status_5"]["key_expiration_pending"]


@pytest.fixture(params=(LEGACY, AES_PSK), ids=("mode 0", "mode 2"))
def meter(request):
    return Meter(request.param)


def test_the_tables_tell_mode_and_uses(meter):
    status = meter.values(ET54)
    assert status["security_modes"]["rc4"] == status["security_modes"]["aes"] == 1
    assert meter.values(ET04)["security_mode"] == meter.mode
    before = meter.device.envelope.uses[0]
    assert status["unicast_key_uses"] < before
    for _ in range(4):
        meter.wrong()
    assert meter.values(ET54)["unicast_key_uses"] > before + 4
    assert meter.values(ET54)["broadcast_key_uses"] == 0


def test_the_mode_is_no_host_s_to_write(meter):
    for mode in (0, 1, 2, 255):
        assert (
            meter.command(f"4F 0804 00007F 0001 {mode:02X}").code == Code.OK
        )  # kept out silently
        assert meter.values(ET04)["security_mode"] == meter.mode == meter.device.member.mode


def test_commissioning_changes_the_mode_both_ways():
    meter = Meter(LEGACY)
    for key, mode in ((b"A", AES_PSK), (b"B", LEGACY), (b"C", AES_PSK)):
        before = meter.sealed(READ)
        meter.mode, meter.KEY = mode, key * 16
        meter._commission()
        assert meter.values(ET04)["security_mode"] == mode
        (answer,) = meter.rig.exchange(meter.frame(before.apdu).encode())
        assert answer.body[:2] == b"\x00\x0b"
        assert meter.command(READ).code == Code.OK


def test_the_counters_of_et23(meter):
    received = meter.values(ET23)
    for _ in range(3):
        meter.wrong()
    reads = -(-model.TABLES[ET23].size // 84)
    later = meter.values(ET23)
    assert later["messages_received"] - received["messages_received"] == reads + 3
    assert later["messages_validated"] - received["messages_validated"] == reads


def test_without_a_random_source_there_is_no_mode_2():
    board = MemoryBoard(StillElement())
    board.random = bytes
    rig = Rig(StillElement(), board)
    assert rig.device.model.body(ET54)[90] == 0x01
    member = object.__new__(Member)
    member.tid, member.rig = 0, rig
    assert rig.exchange(member.by_id(b"\x47\x01" + bytes(8)).encode()) == []


def test_a_lockout_that_a_host_has_set():
    meter = Meter(LEGACY)
    assert meter.command("4F 0837 000014 0002 03 02").code == Code.OK  # 3 failures, 2 minutes
    for _ in range(3):
        assert len(meter.wrong()) == 1
    assert meter.wrong() == []
    posted = meter.device.events.sequence
    sealed = meter.sealed(READ)
    assert meter.rig.exchange(meter.frame(sealed.apdu).encode()) == []
    meter.rig.advance(2 * MINUTE)
    meter.rig.bring_up()  # the chip was silent all the time
    assert meter.values(BT03)["manufacturer_status_4"]["lockout_override"] == 1
    assert meter.device.events.sequence == posted


def test_mode_2_does_not_know_lockout():
    meter = Meter(AES_PSK)
    assert meter.command("4F 0837 000014 0002 01 FF").code == Code.OK
    for _ in range(40):
        meter.wrong()
    assert meter.command("30 0003").code == Code.OK


def test_the_end_of_a_key_and_its_change(meter):
    uses = sum(meter.device.envelope.uses[:2])
    meter.limit(uses + 40)
    assert not meter.key_expires()
    while meter.command("30 0003").code == Code.OK:
        pass
    assert meter.device.envelope.uses[0] >= uses + 40
    assert meter.command("30 0003").code == Code.INSUFFICIENT_CLEARANCE
    assert meter.call(10, bytes(8)).code == Code.INSUFFICIENT_CLEARANCE
    key = NEW if meter.mode else NEW[:12]
    assert meter.call(2068, b"\0" + key + key_check(meter.mode, key)[::-1]).code == Code.OK
    assert meter.command("30 0008").data[3] == BAD_PARAMETER
    assert meter.call(2068, b"\0" + key + key_check(meter.mode, key)).code == Code.OK
    assert meter.command("30 0008").data[3] == 0
    assert meter.command("30 0003").code == Code.INSUFFICIENT_CLEARANCE
    meter.KEY = NEW
    assert meter.command("30 0003").code == Code.OK
    assert not meter.key_expires()


def test_uses_outlive_a_restart(meter):
    for _ in range(20):
        meter.command("30 0003")
    meter.wrong()
    used = list(meter.device.envelope.uses)
    meter.rig = Rig(StillElement(), meter.rig.board)
    assert meter.values(ET54)["unicast_key_uses"] >= used[0] + used[1]
    assert meter.device.envelope.uses[1] > used[1]
