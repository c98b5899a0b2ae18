"""The generated test of every field once more, against the whole device: its own readers, writers
and checkers (host_tests/unit/test_every_field.py has the bare model)."""

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whole_device import CHECKED, TABLES, House, head, host_octets

from osgp.procedures.results import BAD_PARAMETER, UNKNOWN
from osgp_tools import values
from osgp_tools.procedures import PROCEDURES
from rig import MemoryBoard, StillElement
from tables import layout
from tables.model import MASTER, NO_RIGHT, NOT_POSSIBLE, OK
from tables.schema import KEPT, NEVER, SERVED, STORED

SPLITS = (1, 13, 84)
LOOKED_AT = 3000  # octets of a long table, from either end
WRITABLE = [one for one in TABLES if one.write != NEVER]
names = functools.partial(pytest.mark.parametrize, "table", ids=lambda one: one.name)

# Tables that are written to have something done
COMMANDS = {
    "BT07": "it initiates procedures and is never read",
    "ET27": "a transaction is carried out when it is complete",
    "ET52": "a transaction is carried out when it is complete",
}
# Fields that read otherwise than they were written, or that a write of others changes
ITS_OWN = {
    ("ET03", "utility_serial_number"): "without one it is the unique id",
    ("ET04", "neuron"): "requests, which the device takes back when they are done",
    ("ET04", "broadcast_base"): "it goes up only",
    ("ET13", "security_key"): "keys are not read back",
    ("ET51", "flags"): "a reset that is asked for is over at once",
    ("ET22", "critical_pending"): "what has happened before becomes critical at once",
}


@pytest.fixture(scope="module")
def house():
    """For what changes nothing."""
    return House()


def stretches(table):
    if table.size <= 2 * LOOKED_AT:
        return [(0, table.size)]
    return [(0, LOOKED_AT), (table.size - LOOKED_AT, LOOKED_AT)]


@names(TABLES)
def test_reads(house, table):
    """The length is the definition's; any split gives the same; behind the end there are zeros."""
    assert house.device.model.size(table.number) == table.size
    for offset, n in stretches(table):
        whole = house.look(table, offset, n)
        for size in SPLITS:
            pieces = [house.look(table, offset + a, min(size, n - a)) for a in range(0, n, size)]
            assert b"".join(pieces) == whole, size
    assert house.look(table, max(0, table.size - 1), 9)[min(1, table.size) :] == bytes(
        9 - min(1, table.size)
    )
    assert house.look(table, 0xFFFFFF, 9) == bytes(9)


@names(TABLES)
def test_levels(house, table):
    for level in range(MASTER + 1):
        code, _ = house.run(b"\x3f" + head(table, 0, 1), level)
        assert code == (OK if level >= table.read else NO_RIGHT)
        if level < table.write:
            assert house.put(table, 0, b"\xff", level) == NO_RIGHT


def its_own(table):
    """An octet for each of the table's: the name of the field of `ITS_OWN` that it is of."""
    found = [""] * table.size
    for path, offset, field in layout.leaves(table.record):
        name = path.rpartition(".")[2]
        if (table.name, name) in ITS_OWN:
            found[offset : offset + field.size] = [name] * field.size
    return found


def write_over(house, table, octet):
    """Write all of the table: the code, what is there then, and what would be there by right."""
    before = house.look(table, 0, table.size)
    code = house.put(table, 0, bytes((octet,)) * table.size)
    after = house.look(table, 0, table.size)
    if code != OK:
        return code, after, before
    mine = host_octets(table)
    return code, after, bytes(octet if own else old for own, old in zip(mine, before))


@names([one for one in WRITABLE if one.name not in COMMANDS])
def test_a_host_changes_its_own_octets_and_no_others(table):
    house = House()
    free = its_own(table)
    for octet in (0xFF, 0x00):
        code, after, wanted = write_over(house, table, octet)
        assert code == OK or table.name in CHECKED, f"{octet:02X} is answered {code:02X}"
        wrong = [k for k in range(table.size) if after[k] != wanted[k] and not free[k]]
        assert not wrong, f"after {octet:02X}"


@pytest.mark.parametrize("name", CHECKED)
def test_exceptions_with_a_checker_are_needed(name):
    table = next(one for one in TABLES if one.name == name)
    house = House()
    assert any(write_over(house, table, octet)[0] for octet in (0xFF, 0x00))
    word, text = values.split(CHECKED[name])
    place = values.find(table.record, word)
    body = bytearray(house.look(table, 0, table.size))
    values.put(place, text, body)
    assert house.put(table, 0, bytes(body)) == OK
    assert house.look(table, 0, table.size) == body


@pytest.mark.parametrize(("name", "field"), ITS_OWN)
def test_exceptions_of_fields_are_needed(name, field):
    table = next(one for one in TABLES if one.name == name)
    house = House()
    found = its_own(table)
    wrong = set()
    for octet in (0xFF, 0x00):
        _, after, wanted = write_over(house, table, octet)
        wrong |= {found[k] for k in range(table.size) if after[k] != wanted[k]}
    assert field in wrong


@names([one for one in WRITABLE if one.source.kind in (KEPT, STORED)])
def test_what_was_written_is_there_after_a_restart(table):
    board = MemoryBoard(StillElement())
    house = House(board)
    house.put(table, 0, bytes(k * 37 & 0xFF for k in range(table.size)))
    mine = host_octets(table)
    before = house.look(table, 0, table.size)
    after = House(board).look(table, 0, table.size)
    assert [a for a, own in zip(after, mine) if own] == [b for b, own in zip(before, mine) if own]


@names([one for one in WRITABLE if one.source.kind not in (KEPT, STORED)])
def test_the_others_have_a_writer(house, table):
    """Served and live tables that may be written: somebody takes it, or it is refused in words."""
    assert house.put(table, table.size, b"\1") in (OK, NOT_POSSIBLE)


@pytest.mark.parametrize("number", sorted(PROCEDURES), ids=lambda n: PROCEDURES[n].name)
def test_a_procedure_with_a_wrong_length(house, number):
    one = PROCEDURES[number]
    for n in range(one.parameters.size):
        assert house.call(number, bytes(n)) == BAD_PARAMETER
    if not one.rest:
        assert house.call(number, bytes(one.parameters.size + 1)) == BAD_PARAMETER


def test_procedures_that_are_not_there(house):
    for number in (*range(64), *range(2048, 2048 + 96), 4095):
        if number not in PROCEDURES:
            assert house.call(number, b"\1\2") == UNKNOWN


SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("number", sorted(PROCEDURES), ids=lambda n: PROCEDURES[n].name)
@SLOW
@given(data=st.data())
def test_any_parameters(house, number, data):
    """Of the right length: a result, whatever they are, and the device lives on."""
    one = PROCEDURES[number]
    size = one.parameters.size
    parameters = data.draw(st.binary(min_size=size, max_size=size))
    if one.rest:
        parameters += data.draw(st.binary(max_size=40))
    assert 0 <= house.call(number, parameters) <= 255
    house.live(1)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(WRITABLE), st.integers(0, 900), st.binary(max_size=75)),
        max_size=12,
    )
)
def test_any_writes(writes):
    """Any octets anywhere: a code, nothing raised, and the device goes on, after a restart too."""
    board = MemoryBoard(StillElement())
    house = House(board)
    house.call(10, bytes((7, 26, 1, 31, 12, 0, 0, 6)))
    for table, offset, data in writes:
        assert house.put(table, min(offset, table.size + 3), data) in range(256)
        house.live(1)
    again = House(board)
    again.live()
    for table in TABLES:
        if table.source.kind != SERVED or table.size < LOOKED_AT:
            again.look(table, 0, table.size)
