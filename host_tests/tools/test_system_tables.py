"""BT01, ET03 and ET04 as the whole device serves them, read with the definitions (in place of
typed-in offsets)."""

from device import Device
from osgp import system
from osgp_tools.lpdu import UNIQUE_ID, Frame
from osgp_tools.model import decode, field
from osgp_tools.session import Code
from rig import UID, Member, MemoryBoard, Rig, StillElement

PLACES = {
    "_SEQUENCE": "sequence_number",
    "_TRANSCEIVER": "transceiver_id",
    "_SUBNET": "subnet",
    "_NODE": "node",
    "_FLAGS": "neuron",
    "_PROGRAM_ID": "program_id",
    "_NEURON_STATE": "neuron_state",
    "_SECURITY_MODE": "security_mode",
    "_FCM_COUNT": "fcm_count",
}


def test_places_are_those_of_the_definition():
    for name, its in PLACES.items():
        assert getattr(system, name) == field(2052, its)[0], name
    places = ((field(2052, its)) for its in ("broadcast_base", "broadcast_delta"))
    reversed_ = [at + n - 1 - k for at, n in places for k in range(n)]
    assert list(system._WINDOW) == reversed_


def test_system_information():
    member = Member()
    values = decode(2052, member.body(2052, 140))
    assert values["transceiver_id"] == UID
    assert (values["subnet"], values["node"]) == (member.SUBNET, member.NODE)
    assert values["program_id"] == b"\x9f\xff\xffOSGP\x01"
    assert values["neuron_state"] == 4
    assert values["security_mode"] == 0
    assert values["broadcast_base"] == 0x01020304
    assert values["broadcast_delta"] == 16
    first = values["sequence_number"]
    assert (
        decode(2052, member.body(2052, 140))["sequence_number"] == first + 2
    )  # 140 octets: two reads


def test_serial_number():
    member = Member()
    assert decode(2051, member.body(2051, 143))["utility_serial_number"].startswith(
        UID.hex().upper()
    )
    assert decode(1, member.body(1, 24))["serial_number"].endswith("17034051")


def test_a_serial_number_that_a_host_wrote_stays():
    member = Member()
    assert member.command("4F 0803 000000 0004 41423132").code == Code.OK
    assert member.body(2051, 143)[:4] == b"AB12"


def test_clear_text_is_taken_when_encryption_is_off():
    member = Member()
    assert member.command("4F 0804 00000C 0001 08").code == Code.OK
    assert not member.rig.device.envelope.encrypted
    assert member.command("30 0001").code == Code.OK  # encrypted ones as before


def test_forced_configuration_resets_the_transceiver_and_keeps_the_key():
    member = Member()
    assert member.command("4F 0804 00000C 0001 02").code == Code.OK
    assert member.rig.reset_seen()
    member.rig.bring_up()
    assert member.command("30 0001").code == Code.OK
    assert decode(2052, member.body(2052, 140))["neuron"] != 2


def test_a_random_source_that_repeats_is_refused(capsys):
    board = MemoryBoard(StillElement())
    board.random = bytes  # n octets of 0
    rig = Rig(None, board)
    frame = Frame(
        address=UNIQUE_ID, unique_id=UID, source=(1, 1), body=b"\x47\x01" + bytes(8), tid=1
    )
    assert rig.exchange(frame.encode()) == []
    assert "repeats" in capsys.readouterr().out
    assert rig.exchange(frame.with_(body=b"\x51").encode()) != []  # the rest goes on


def test_a_read_before_the_transceiver_is_there_gives_no_serial_number():
    """A start reads BT01: what was made of no id stayed in ET03."""
    rig = Rig.__new__(Rig)
    rig.board = MemoryBoard(StillElement())
    rig.device = Device(rig.board)
    rig.device.start()
    assert rig.device.model.load(2051)[:12] == bytes(12)
    rig.node = rig.device.node
    rig.bring_up()
    assert rig.device.model.load(2051)[:12] == UID.hex().upper().encode()


def window(member):
    values = decode(2052, member.body(2052, 140))
    return values["broadcast_base"], values["broadcast_delta"]


def test_the_number_of_the_next_broadcast_goes_up_only():
    """ET04.82 and 86, by which a concentrator passes over a number (profile 21)."""
    member = Member()
    assert window(member) == (0x01020304, 16)
    assert member.command("4F 0804 000052 0004 06030201").code == Code.OK
    assert window(member) == (0x01020306, 16)
    assert member.command("4F 0804 000052 0006 05030201 2000").code == Code.OK
    assert window(member) == (0x01020306, 32), "the delta, and not the base"
    assert member.command("4F 0804 000056 0002 0000").code == Code.OK
    assert window(member) == (0x01020306, 0)
    restarted = Device(member.rig.board)
    assert restarted.member.image[54:60] == bytes.fromhex("01020306 0000")


def test_what_was_written_of_another_membership_does_not_come_back():
    """ET04 is kept with the numbers in it; they are the member record's alone."""
    member = Member()
    assert member.command("4F 0804 000052 0004 FFFFFF7F").code == Code.OK
    device = member.rig.device
    draft = device.member.draft()
    draft[36:52] = bytes(range(16))  # as a commissioning with a new broadcast key
    draft[54:58] = bytes(4)
    device.member.commit(draft)
    assert member.command("4F 0837 000014 0001 00").code == Code.OK  # ET55
    assert device.member.image[54:58] == bytes(4)
    assert Device(member.rig.board).member.image[54:58] == bytes(4)
    assert member.command("4F 0804 000034 0001 01").code == Code.OK
    assert window(member)[0] == 0
