"""The generated test of pending tables: every one in the definitions, on the whole device."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_device import CHECKED, TABLES, House, host_octets

from osgp_tools import values
from osgp_tools.pending import PED_SIZE, PENDING, Ped
from tables.model import MASTER, NO_RIGHT, NO_TABLE, NOT_POSSIBLE, OK
from tables.schema import NEVER

MANUAL = Ped().encode()
ACTIVATE_ALL, CLEAR_ALL = 12, 14
SPLITS = (1, 13, 69)
WITH = [one for one in TABLES if one.pending]
names = functools.partial(pytest.mark.parametrize, "table", ids=lambda one: one.name)


class Pending(House):
    """A whole device; reads and writes of a table's pending one."""

    def read(self, table, offset, n, level=MASTER):
        """(code, PED, octets)"""
        head = (PENDING + table.number).to_bytes(2, "big") + offset.to_bytes(3, "big")
        code, data = self.run(b"\x3f" + head + (PED_SIZE + n).to_bytes(2, "big"), level)
        return code, data[:PED_SIZE], data[PED_SIZE:]

    def write(self, table, offset, data, level=MASTER):
        """`data`: with its PED."""
        return self.put(PENDING + table.number, offset, data, level)

    def activate(self):
        """BP12."""
        assert self.call(ACTIVATE_ALL, b"") == 0


def test_some_have_one():
    assert {"BT53", "BT54", "ET47"} <= {one.name for one in WITH}


@pytest.fixture(scope="module")
def house():
    return Pending()


@names(TABLES)
def test_levels_and_those_that_have_none(house, table):
    for level in range(MASTER + 1):
        if not table.pending:
            assert house.read(table, 0, 1, level)[0] == NO_TABLE
            assert house.write(table, 0, MANUAL, level) == NO_TABLE
        else:
            read = OK if level >= table.read else NO_RIGHT
            assert house.read(table, 0, 1, level)[0] == read
            if level < table.write:
                assert house.write(table, 0, MANUAL, level) == NO_RIGHT


@names(WITH)
def test_it_can_be_written(table):
    assert table.write != NEVER


@names(WITH)
def test_lengths_and_splits(table):
    """A count includes the description, an offset does not."""
    house = Pending()
    size = table.size
    octets = bytes(k * 11 + 1 & 0xFF for k in range(size))
    assert house.write(table, 0, MANUAL + octets) == OK
    code, data = house.run(b"\x30" + (PENDING + table.number).to_bytes(2, "big"))
    assert (code, data) == (OK, MANUAL + octets)
    for step in SPLITS:
        pieces = b""
        for offset in range(0, size, step):
            code, ped, piece = house.read(table, offset, min(step, size - offset))
            assert (code, ped) == (OK, MANUAL)
            pieces += piece
        assert pieces == octets
    assert house.read(table, size - 1, 9) == (OK, MANUAL, octets[-1:] + bytes(8))
    assert house.read(table, 0xFFFFFF, 3) == (OK, MANUAL, bytes(3))
    for n in range(PED_SIZE):
        assert house.write(table, 0, MANUAL[:n]) == NOT_POSSIBLE
    for step in SPLITS:
        for offset in range(0, size, step):
            assert house.write(table, offset, MANUAL + octets[::-1][offset : offset + step]) == OK
        assert house.read(table, 0, size)[2] == octets[::-1]
    assert house.write(table, size, MANUAL + b"\xff" * 5) == OK  # behind the end: ignored
    assert house.read(table, 0, size + 5)[2] == octets[::-1] + bytes(5)


@names(WITH)
def test_activation_changes_a_hosts_octets_and_no_others(table):
    """And nothing before. What the table's checker refuses is not activated."""
    house = Pending()
    mine = host_octets(table)
    for octet in (0xFF, 0x00):
        before = house.look(table, 0, table.size)
        assert house.write(table, 0, MANUAL + bytes((octet,)) * table.size) == OK
        assert house.look(table, 0, table.size) == before
        house.activate()
        after = house.look(table, 0, table.size)
        wanted = bytes(octet if own else old for own, old in zip(mine, before))
        assert after == wanted or (after == before and table.name in CHECKED)
    if table.name in CHECKED:
        name, text = values.split(CHECKED[table.name])
        body = bytearray(house.look(table, 0, table.size))
        values.put(values.find(table.record, name), text, body)
        assert house.write(table, 0, MANUAL + body) == OK
        house.activate()
        assert house.look(table, 0, table.size) == body


@names(WITH)
def test_what_was_cleared_is_not_activated(table):
    house = Pending()
    before = house.look(table, 0, table.size)
    assert house.write(table, 0, MANUAL + b"\x01" * table.size) == OK
    assert house.call(CLEAR_ALL, b"") == 0
    house.activate()
    assert house.look(table, 0, table.size) == before
    assert house.read(table, 0, table.size)[2] == b"\x01" * table.size  # its data stay


@names(WITH)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_descriptions_and_octets(table, data):
    """A code, nothing raised; the device lives on, before and after a restart."""
    house = Pending()
    if data.draw(st.booleans()):
        house.call(10, bytes((7, 26, 1, 31, 12, 0, 0, 6)))
    for _ in range(data.draw(st.integers(1, 4))):
        octets = data.draw(st.binary(max_size=40))
        assert house.write(table, data.draw(st.integers(0, table.size + 2)), octets) in range(256)
        house.live(2)
    again = Pending(house.rig.board)
    again._number = 100  # the device remembers the last number
    again.live(2)
    assert again.call(ACTIVATE_ALL, b"") in range(256)
    assert again.read(table, 0, table.size)[0] == OK
