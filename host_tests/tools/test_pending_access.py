"""Pending tables from the host's side: descriptions as text, and a device that takes them."""

import asyncio
import re

import pytest
from rig_line import session, set_clock

from osgp_tools import access, model, pending
from osgp_tools.pending import PED_SIZE, Ped
from osgp_tools.session import RefusedError
from rig import Member

CALENDAR, OFFSET = 54, 53


def test_the_guides_description():
    """OPT p.10-11: code in bits 0-3, self read bit 4, demand reset bit 5, storage 5."""
    ped = pending.trigger("2026-03-29T01:00", "", False, self_read=True, demand_reset=True)
    assert ped.encode() == bytes((0x30, 26, 3, 29, 1, 0))
    assert Ped.decode(ped.encode()) == ped
    assert str(ped) == "at 2026-03-29T01:00 UTC, after a self read and a demand reset"


@pytest.mark.parametrize(
    ("ped", "octets", "text"),
    [
        (pending.at("2026-03-29T03:00+02:00"), "001a031d0100", "at 2026-03-29T01:00 UTC"),
        (pending.at("2026-03-29"), "001a031d0000", "at 2026-03-29T00:00 UTC"),
        (pending.after("1h"), "010000010000", "1h after the write"),
        (pending.after("2w3d25h61m61s"), "010204020201", "2w4d2h2m1s after the write"),
        (pending.after("0s"), "010000000000", "0s after the write"),
        (pending.trigger("", "", True), "020000000000", "by BP12 or BP13"),
        (Ped.decode(bytes(6)), "000000000000", "nothing pending"),
        (Ped.decode(b"\x02abcde"), "026162636465", "by BP12 or BP13, 6162636465"),
        (Ped.decode(b"\x07abcde"), "076162636465", "event code 7, 6162636465"),
    ],
)
def test_descriptions(ped, octets, text):
    assert ped.encode().hex() == octets
    assert str(ped) == text


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        (pending.at, ("2026-03-29T01:00:30",), "a full minute"),
        (pending.at, ("tomorrow",), "tomorrow"),
        (pending.at, ("1999-01-01",), "from the year 2000"),
        (pending.after, ("1y",), "a time is 90s"),
        (pending.after, ("",), "a time is 90s"),
        (pending.after, ("999999w",), "255 weeks"),
        (pending.trigger, ("", "", False), "--at, --in or --manual"),
        (pending.trigger, ("2026-01-01", "1h", False), "one of them"),
        (Ped.decode, (b"12345",), "6 octets"),
    ],
)
def test_descriptions_that_are_none(function, arguments, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        function(*arguments)


def test_a_long_table_goes_in_pieces_and_comes_back():
    """808 octets in 12 writes; only the last has the trigger, and each count includes the PED."""
    host = session(Member())
    body = bytes(k * 7 & 0xFF for k in range(model.table(CALENDAR).size))
    commands = []
    original = host._request

    async def recorded(command, *arguments):
        commands.append(command)
        return await original(command, *arguments)

    async def work():
        await set_clock(host)
        host._request = recorded
        await pending.write(host, CALENDAR, pending.trigger("", "1h", False), body)
        return await pending.read(host, CALENDAR, 0, len(body))

    ped, back = asyncio.run(work())
    assert back == body
    assert str(ped) == "1h after the write"
    writes = [one for one in commands if one[0] == 0x4F]
    assert len(writes) == 12
    assert {one[1:3] for one in writes} == {(4096 + CALENDAR).to_bytes(2, "big")}
    assert [one[8] for one in writes] == [2] * 11 + [1]
    offsets = [int.from_bytes(one[3:6], "big") for one in writes]
    assert offsets == list(range(0, len(body), 75 - PED_SIZE))
    assert [int.from_bytes(one[6:8], "big") for one in writes] == [75] * 11 + [808 - 11 * 69 + 6]


def test_fields_by_name_over_the_table_as_it_is():
    host = session(Member())

    async def work():
        body = await access.pending_body(host, OFFSET, ["zone_offset=120"])
        await pending.write(host, OFFSET, Ped(), body)
        return await pending.read(host, OFFSET, 0, len(body)), await host.read(OFFSET, 0, 6)

    (ped, body), now = asyncio.run(work())
    assert str(ped) == "by BP12 or BP13"
    assert model.decode(OFFSET, body) == model.decode(OFFSET, now) | {"zone_offset": 120}
    assert now == model.default(OFFSET)


def test_a_part_is_read_at_the_tables_own_offset():
    """OPT p.9: 4 octets at offset 3 are count 10, offset 3."""
    host = session(Member())

    async def work():
        await pending.write(host, OFFSET, Ped(), bytes((2, 0, 0, 60, 0x11, 0x22)))
        return await pending.read(host, OFFSET, 3, 3)

    assert asyncio.run(work())[1] == bytes((60, 0x11, 0x22))


def test_a_table_without_a_pending_one():
    host = session(Member())
    with pytest.raises(RefusedError, match="05"):
        asyncio.run(pending.write(host, 6, Ped(), b"x"))
