"""EP17, EP18, EP19, EP39, EP41, EP50, EP61: what they answer, and what they make of the tables."""

import struct

from mep_support import CLIENT, DAY, ET13, ET14, ET15, ET16, ET34, ET50, ET51, MBUS, Bench
from meter_support import PowerCut
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, NO_AUTHORIZATION

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None

FULL = 7
NO_RESPONSE = 2
FAILED = 3
ALERTS = 4 * 66 + 8  # ET13, of the MEP client
AES = b"\x02"


def made():
    bench = Bench()
    bench.attach()
    return bench


# ---- EP19


def test_a_billing_read_waits_for_its_answer_and_gets_none():
    bench = made()
    assert bench.call("mep", 19, "4200 0700 02") == (DONE, 0)
    assert bench.requests() == [(0x42, MBUS, 2, 0)]
    assert bench.pointers()[0] == 1
    bench.pass_seconds(1)
    assert bench.pointers() == (1, 0)
    bench.pass_seconds(29)
    assert bench.requests()[0][3] == 0
    bench.pass_seconds(1)
    assert bench.requests() == [(0x42, MBUS, 2, NO_RESPONSE)]
    assert bench.pointers() == (1, 1)
    assert bench.events.posted == [(81, 2 << 13 | 4)]
    assert bench.read(ET14, 6 + 36 + 14, 2) == b"\x10\x00"
    bench.pass_seconds(60)
    assert len(bench.events.posted) == 1


def test_requests_follow_one_another():
    """The oldest is under way; each has its own time (MEP p.24-25)."""
    bench = made()
    for k in range(5):
        assert bench.call("mep", 19, f"{k:02X}00 0700 03") == (DONE, k)
    assert bench.call("mep", 19, "0900 0700 03") == FULL
    bench.pass_seconds(1 + 30)
    assert [entry[3] for entry in bench.requests()] == [NO_RESPONSE, 0, 0, 0, 0]
    assert bench.pointers() == (0, 1)
    assert bench.call("mep", 19, "0900 0700 03") == (DONE, 0)
    bench.pass_seconds(5 * 30)
    assert {entry[3] for entry in bench.requests()} == {NO_RESPONSE}
    assert bench.pointers() == (1, 1)


def test_a_restart_takes_the_wait_up_again():
    bench = made()
    bench.call("mep", 19, "4200 0700 02")
    bench.pass_seconds(20)
    bench.start()
    bench.pass_seconds(1 + 29)
    assert bench.requests()[0][3] == 0
    bench.pass_seconds(1)
    assert bench.requests()[0][3] == NO_RESPONSE


def test_the_time_is_that_of_the_configuration():
    bench = made()
    assert bench.write(ET51, 3, b"\x05") == 0
    bench.call("mep", 19, "4200 0700 02")
    bench.pass_seconds(1 + 5)
    assert bench.requests()[0][3] == NO_RESPONSE


def test_data_stand_behind_the_queue():
    bench = made()
    bench.call("mep", 19, "0100 0700 01")
    assert bench.call("mep", 19, "0200 0700 04 03 AABBCC") == (DONE, 1)
    assert bench.read(ET15, 31 + 25, 5) == b"\x03\xaa\xbb\xcc\x00"
    assert bench.call("mep", 19, "0300 0700 04 18" + 24 * "55") == (DONE, 2)
    assert bench.call("mep", 19, "0300 0700 04 19" + 25 * "55") == BAD_PARAMETER
    assert bench.call("mep", 19, "0300 0700 04 03 AABB") == BAD_PARAMETER
    assert bench.call("mep", 19, "0300 0700 04") == BAD_PARAMETER
    assert len(bench.requests()) == 3


def test_multicast_needs_a_device_of_the_group():
    bench = made()
    message = "06 02 4451"
    assert bench.call("mep", 19, "0100 FFFF" + message) == (DONE, 0)
    assert bench.read(ET15, 156, 3) == b"\x02\x44\x51"
    assert bench.call("mep", 19, "0200 0400" + message) == CONFLICT
    bench.write(ET34, 22 + 2, b"\x04")
    assert bench.call("mep", 19, "0200 0400" + message) == (DONE, 1)
    assert bench.call("mep", 19, "0200 FFFF 06 41" + 65 * "00") == BAD_PARAMETER
    assert Bench().call("mep", 19, "0100 FFFF" + message) == CONFLICT


def test_write_by_index_goes_to_the_lowest_device():
    """Bits of the places in ET14; more than one bit: the lowest (MEP p.245)."""
    bench = made()
    assert bench.call("mep", 19, "0100 1200 0A 01 77") == (DONE, 0)
    assert bench.requests() == [(1, MBUS, 4, 0)]
    assert bench.call("mep", 19, "0200 1000 0A 01 77") == (DONE, 1)
    assert bench.requests()[1] == (2, CLIENT, 4, 0)
    assert bench.call("mep", 19, "0300 0E00 0A 01 77") == (DONE, 2)
    for nobody in ("0100", "0000", "2000", "0080"):
        assert bench.call("mep", 19, "0400" + nobody + "0A 01 77") == CONFLICT


def test_types_and_devices_have_to_fit():
    bench = made()
    for kind in ("00", "07", "08", "0B", "FF"):
        assert bench.call("mep", 19, "0100 0700" + kind) == BAD_PARAMETER
    for kind in ("01", "03", "05"):  # for M-Bus devices alone
        assert bench.call("mep", 19, "0100 E803" + kind) == BAD_PARAMETER
    assert bench.call("mep", 19, "0100 0700 09") == BAD_PARAMETER
    for handle in ("0800", "0000", "FFFF"):
        assert bench.call("mep", 19, "0100" + handle + "02") == CONFLICT
    assert bench.requests() == []


def test_a_request_for_the_mep_client_is_an_alert():
    bench = made()
    assert bench.call("mep", 19, "0100 E803 02") == (DONE, 0)
    assert bench.read(ET13, ALERTS, 1) == b"\x02"
    bench.pass_seconds(31)
    assert bench.requests() == [(1, CLIENT, 2, NO_RESPONSE)]
    assert bench.read(ET13, ALERTS, 1) == b"\x00"
    assert bench.events.posted == []


def test_switchover_takes_an_image_in_mode_2():
    bench = made()
    assert bench.call("mep", 19, "0100 E803 09") == (DONE, 0)
    assert bench.call("mep", 19, "0100 E803 09" + 20 * "11") == BAD_PARAMETER
    bench.model.patch(2048 + 4, 127, AES)
    assert bench.call("mep", 19, "0100 E803 09") == BAD_PARAMETER
    assert bench.call("mep", 19, "0100 E803 09" + 20 * "11") == (DONE, 1)
    assert bench.read(ET15, 31 + 25, 21) == b"\x14" + 20 * b"\x11"


def test_download_start_is_for_the_mep_client():
    bench = made()
    assert bench.call("mep", 41, "0500 E803") == (DONE, 0)
    assert bench.requests() == [(5, CLIENT, 7, 0)]
    assert bench.call("mep", 41, "0500 0700") == CONFLICT
    assert bench.call("mep", 41, "0500 FFFF") == CONFLICT


# ---- EP17, EP18


def test_the_mep_client_is_removed():
    """What the guide says of a logical removal (MEP p.36, 243)."""
    bench = made()
    bench.model.patch(ET50, 67, b"\x11\x01")
    bench.call("mep", 19, "0100 0700 02")
    bench.call("mep", 19, "0200 E803 02")
    assert bench.call("mep", 17, "00 E803") == DONE
    assert bench.read(ET14, 5, 1) == b"\x02"
    assert bench.read(ET14, 6 + 4 * 36, 36) == bytes(36)
    assert bench.read(ET50, 30, 1) == b"\x06"
    assert bench.read(ET50, 67, 2) == bytes(2)
    assert bench.read(ET13, ALERTS, 1) == b"\x00"
    assert bench.events.posted == [(96, 40964), (80, 1)]  # "device 5 removed logically"
    assert [entry[3] for entry in bench.requests()] == [0, FAILED]
    bench.pass_seconds(31)
    assert [entry[3] for entry in bench.requests()] == [NO_RESPONSE, FAILED]
    assert bench.pointers() == (2, 2)


def test_all_devices_are_removed():
    bench = made()
    assert bench.call("mep", 17, "00 FFFF") == DONE
    assert bench.read(ET14) == bytes(186)
    assert bench.events.posted == [(96, 2 << 13 | 4), (96, 40964), (80, 1)]
    assert bench.call("mep", 17, "00 FFFF") == DONE
    assert len(bench.events.posted) == 3


def test_removal_of_nobody():
    bench = made()
    before = dict(bench.settings.kept)
    assert bench.call("mep", 17, "02 E803") == BAD_PARAMETER
    assert bench.call("mep", 17, "00 F803") == CONFLICT
    assert bench.call("mep", 17, "01 0000") == CONFLICT
    assert bench.settings.kept == before
    assert Bench().call("mep", 17, "00 E803") == CONFLICT


def test_a_removal_that_was_cut_can_be_repeated():
    cuts = 0
    while True:
        bench = made()
        bench.call("mep", 19, "0200 E803 02")
        bench.left = cuts
        try:
            bench.call("mep", 17, "00 E803")
            break
        except PowerCut:
            bench.left = -1
            bench.start()
            assert bench.call("mep", 17, "00 E803") == DONE
            assert bench.read(ET14, 5, 1) == b"\x02"
            assert bench.read(ET50, 30, 1) == b"\x06"
            assert bench.requests()[0][3] == FAILED
        cuts += 1
    assert cuts == 5


def test_alarms_are_cleared_bit_by_bit():
    bench = made()
    struct_at = 6 + 36
    bench.model.patch(ET14, struct_at + 14, b"\x1d\x00")
    bench.model.patch(ET14, struct_at + 23, b"\xff")
    assert bench.call("mep", 18, "0700 1100 0F") == DONE
    assert bench.read(ET14, struct_at + 14, 2) == b"\x0c\x00"
    assert bench.read(ET14, struct_at + 23, 1) == b"\xf0"
    assert bench.call("mep", 18, "FFFF FFFF FF") == DONE
    assert bench.read(ET14, struct_at + 14, 2) == bytes(2)
    assert bench.read(ET14, struct_at, 3) == b"\x07\x00\x01"
    assert bench.call("mep", 18, "0900 FFFF FF") == CONFLICT


# ---- EP39, EP50, EP61


def test_scheduled_data_become_those_of_et16():
    """The call of an open MEP client: type 4, success, six octets."""
    bench = made()
    bench.clock_is(DAY, 8 * 3600)
    bench.model.patch(ET13, ALERTS, b"\x09")
    for reads in (1, 2):
        assert bench.call("mep_data", 39, "04 01 0600 010203040506") == DONE
        entry = bench.read(ET16, 4 * 517)
        assert entry[:6] == bytes((26, 11, 22, 9, 0, 0))
        assert entry[6:17] == b"\x00" + struct.pack("<HH", reads, 6) + bytes(range(1, 7))
        assert entry[17:] == bytes(500)
    assert bench.read(ET16, 0, 4 * 517) == bytes(4 * 517)
    status = bench.read(ET14, 6 + 4 * 36, 36)
    assert status[4:6] == b"\x11\x00"  # billing read length
    assert status[10:16] == b"\x02\x00\x00\x00\x01\x00"  # answers, alarms
    assert bench.read(ET13, ALERTS, 1) == b"\x08"
    assert bench.events.posted == [(81, 5 << 13)]


def test_data_that_find_no_room_are_cut():
    bench = made()
    assert bench.call("mep_data", 39, "04 01 FC01" + 508 * "AB") == DONE
    entry = bench.read(ET16, 4 * 517)
    assert entry[9:11] == b"\xfa\x01"
    assert entry[11:] == 506 * b"\xab"
    assert bench.read(ET14, 6 + 4 * 36 + 14, 1) == b"\x09"
    assert bench.events.posted == [(81, 5 << 13), (81, 5 << 13 | 3)]


def test_any_part_of_et16_is_that_of_the_whole():
    bench = made()
    bench.call("mep_data", 39, "04 01 1400" + "".join(f"{k:02X}" for k in range(1, 21)))
    whole = bench.read(ET16)
    for offset in (0, 2000, 2066, 2068, 2075, 2098, 2099, 2100, 2500, 2584):
        for n in (1, 2, 5, 40, 85):
            n = min(n, len(whole) - offset)
            assert bench.read(ET16, offset, n) == whole[offset : offset + n]


def test_what_ep39_does_not_take():
    bench = made()
    assert bench.call("mep_data", 39, "04 02 0100 AA") == DONE  # the client failed
    assert bench.read(ET16) == bytes(5 * 517)
    assert bench.call("mep_data", 39, "04 01 0200 AA") == BAD_PARAMETER
    assert bench.call("mep_data", 39, "03 01 0100 AA") == BAD_PARAMETER
    bench.model.patch(ET13, ALERTS, b"\x10")
    assert bench.call("mep_data", 39, "0C 01 0000") == DONE
    assert bench.read(ET13, ALERTS, 1) == b"\x00"
    bench.write(ET50, 30, b"\x00")  # not registered: no EP39 (MEP p.36)
    assert bench.call("mep_data", 39, "04 01 0100 AA") == CONFLICT


def test_what_needs_hardware_says_so():
    bench = made()
    assert bench.call("mep", 50, "") == CONFLICT
    assert bench.call("mep", 50, "0102") == CONFLICT
    assert bench.call("mep", 61, "01") == bench.call("mep", 61, "00") == NO_AUTHORIZATION
    assert bench.call("mep", 61, "02") == BAD_PARAMETER


# ---- ET51 and ET13: what is taken and not read back


def test_a_reset_of_the_client_is_over_at_once():
    bench = made()
    assert bench.write(ET51, 0, b"\x0b") == 0
    assert bench.read(ET51, 0, 4) == b"\x03\x3c\x00\x1e"


def test_keys_are_not_read_back():
    bench = made()
    key = bytes(range(1, 33))
    at = 2 * 66 + 29
    assert bench.write(ET13, at, b"\x20" + key) == 0
    assert bench.read(ET13, at, 33) == b"\x20" + bytes(8) + key[8:]
    assert bench.settings.kept["MBUSKEY"] == bytes(16) + key[:8] + bytes(8)
    bench.write(ET13, 0, b"\x05")
    assert bench.settings.kept["MBUSKEY"][16:24] == key[:8]
    assert all(
        key[:8] not in value for name, value in bench.settings.kept.items() if name[0] == "E"
    )


def test_a_key_whose_hiding_was_cut_is_hidden_at_the_next_start():
    bench = made()
    for cut in (1, 2):
        bench.left = cut
        try:
            bench.write(ET13, 30, bytes(range(cut, 33 + cut - 1)))
            raise AssertionError(cut)
        except PowerCut:
            bench.left = -1
        bench.start()
        bench.pass_seconds(1)
        assert bench.read(ET13, 30, 8) == bytes(8)
        assert bench.settings.kept["MBUSKEY"][:8] == bytes(range(cut, 8 + cut))


if given:

    @given(
        st.sampled_from([("mep", 19, 5), ("mep_data", 39, 4), ("mep", 50, 0)]),
        st.binary(max_size=80),
    )
    @settings(max_examples=150, deadline=None)
    def test_any_parameters_are_answered(procedure, octets):
        family, number, least = procedure
        bench = made()
        text = (octets + bytes(max(0, least - len(octets)))).hex()
        result = bench.call(family, number, text)
        assert result in (BAD_PARAMETER, CONFLICT, DONE) or result[0] == DONE
        bench.pass_seconds(32)
        assert all(entry[3] for entry in bench.requests())
