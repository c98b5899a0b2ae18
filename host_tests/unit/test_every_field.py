"""A test for every field: generated from the definitions, run through the real services over the
model as it was compiled.

What the application answers itself (served tables) has readers of this test here; the whole device
with its own is asked in host_tests/tools/test_every_field_device.py.
"""

from fakes import Settings
from osgp.procedures import Procedures
from osgp.procedures.results import BAD_PARAMETER, NO_AUTHORIZATION, UNKNOWN
from osgp.services import Services
from tables import compiled, definitions, layout
from tables.model import MASTER, NO_RIGHT, NO_TABLE, NOT_POSSIBLE, OK, Model
from tables.schema import FIXED, KEPT, LIVE, NEVER, SERVED, STORED, Array, Record

try:
    from itertools import pairwise

    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

NOW = 1000
LIMIT = 65535  # octets of one command: the services' own, no door's
SPLITS = (1, 7, 13, 84)
CHUNK = 2048  # octets looked at in one go
WHOLE = 4096  # a table up to here is looked at wholly, of a longer one both ends
BEHIND = 20  # octets after the end
ONES = b"\xff"
ZEROS = b"\x00"
TABLES = sorted(definitions.TABLES, key=lambda table: table.number)
WRITABLE = (KEPT, STORED)
_bodies = {}  # what takes long to work out, once for all tests


def ramp(offset, n, buf, o):
    for k in range(n):
        buf[o + k] = offset + k & 0xFF


class World:
    """The model of a new device behind services without limits."""

    def __init__(self):
        self.settings = Settings()
        self.model = Model(compiled.MODEL, compiled.ARENA, self.settings)
        for table in TABLES:
            if table.source.kind == SERVED:
                self.model.reader(table.number, ramp)
        self.services = Services(self.model, LIMIT, LIMIT)
        self._out = bytearray(CHUNK + 8)

    def run(self, command, level=MASTER):
        """(code, data)"""
        end = self.services.run(command, 0, len(command), self._out, 0, level, NOW)
        code = self._out[0]
        if code or end == 1:
            assert end == 1
            return code, b""
        assert self._out[1] << 8 | self._out[2] == end - 3
        return code, bytes(memoryview(self._out)[3:end])

    def full(self, number, level=MASTER):
        return self.run(b"\x30" + number.to_bytes(2, "big"), level)

    def part(self, number, offset, n, level=MASTER):
        return self.run(b"\x3f" + head(number, offset, n), level)

    def bytes_of(self, number, offset, n):
        """The octets, of passwords too: no door has this level, it is the test's."""
        code, data = self.part(number, offset, n, NEVER)
        assert code == OK and len(data) == n
        return data

    def put(self, number, offset, data, level=MASTER):
        return self.run(b"\x4f" + head(number, offset, len(data)) + data, level)[0]

    def put_all(self, number, data, level=MASTER):
        command = b"\x40" + number.to_bytes(2, "big") + len(data).to_bytes(2, "big")
        return self.run(command + data, level)[0]


def head(number, offset, n):
    return number.to_bytes(2, "big") + offset.to_bytes(3, "big") + n.to_bytes(2, "big")


def stretches(table):
    """(offset, octets) of what is looked at: all of a table, or both ends of a long one."""
    size = table.size
    if size <= WHOLE:
        pieces = [(a, min(CHUNK, size - a)) for a in range(0, size, CHUNK)]
    else:
        pieces = [(0, CHUNK), (size - CHUNK, CHUNK)]
    return pieces


def expected(table, offset, n):
    """What a new device shows."""
    if table.source.kind == SERVED:
        body = bytearray(n)
        ramp(offset, n, body, 0)
        return bytes(body)
    if table.number not in _bodies:
        _bodies[table.number] = layout.default_body(table, definitions.TABLES)
    return _bodies[table.number][offset : offset + n]


def some(item, offset=0):
    """(offset, field) of every value, of an array the first and the last item."""
    if isinstance(item, Record):
        for field in item.fields:
            yield from some(field, offset)
            offset += field.size
    elif isinstance(item, Array):
        for k in sorted({0, item.count - 1}) if item.count else ():
            yield from some(item.item, offset + k * item.item.size)
    elif item.size:
        yield offset, item


def all_tables(check, *kinds):
    """check(world, table) of each table of these kinds, else of all."""
    world = World()
    for table in TABLES:
        if not kinds or table.source.kind in kinds:
            try:
                check(world, table)
            except AssertionError:
                print("in", table.name)
                raise


def test_the_model_has_just_these_tables_and_sizes():
    world = World()
    sizes = {table.number: table.size for table in TABLES}
    for number in range(8192):
        wanted = sizes.get(number & 4095, -1)
        if number < 4096:
            assert world.model.size(number) == wanted, number
    assert len(sizes) == len(TABLES)


def test_length_of_a_full_read():
    def check(world, table):
        if table.size > CHUNK:
            return  # no door carries as much in one answer
        code, data = world.full(table.number, NEVER)
        assert code == OK and len(data) == table.size
        assert data == expected(table, 0, table.size)

    all_tables(check)


def test_any_split_of_partial_reads_gives_the_same():
    def check(world, table):
        for offset, n in stretches(table):
            whole = world.bytes_of(table.number, offset, n)
            for size in SPLITS:
                pieces = bytearray()
                for a in range(offset, offset + n, size):
                    pieces += world.bytes_of(table.number, a, min(size, offset + n - a))
                assert pieces == whole, (table.name, size)

    all_tables(check, FIXED, LIVE, SERVED)
    all_tables(check, KEPT, STORED)


def test_each_field_read_by_itself_is_its_default():
    def check(world, table):
        if table.source.kind == SERVED:
            return
        body = expected(table, 0, table.size)
        for offset, field in some(table.record):
            octets = world.bytes_of(table.number, offset, field.size)
            assert octets == body[offset : offset + field.size], field.name
            field.read(octets)

    all_tables(check)


def test_behind_the_end_there_are_zeros():
    def check(world, table):
        size = table.size
        last = expected(table, size - 1, 1) if size else b""
        assert world.bytes_of(table.number, max(size - 1, 0), 1 + BEHIND)[: len(last)] == last
        assert world.bytes_of(table.number, size, BEHIND) == bytes(BEHIND)
        assert world.bytes_of(table.number, 0xFFFFFF, BEHIND) == bytes(BEHIND)
        assert world.bytes_of(table.number, 0, 0) == b""

    all_tables(check)


def test_each_level_of_access():
    def check(world, table):
        for level in range(MASTER + 1):
            may = level >= table.read
            code, data = world.part(table.number, 0, 1, level)
            assert (code, len(data)) == ((OK, 1) if may else (NO_RIGHT, 0)), level
            if table.size <= CHUNK:
                assert world.full(table.number, level)[0] == code
            code = world.put(table.number, 0, b"", level)
            assert (code == NO_RIGHT) == (level < table.write), level
            assert (world.put_all(table.number, b"", level) == NO_RIGHT) == (level < table.write)

    all_tables(check)


def test_what_nobody_may_write_stays():
    def check(world, table):
        if table.write != NEVER:
            return
        before = [world.bytes_of(table.number, *one) for one in stretches(table)]
        assert world.put(table.number, 0, ONES * 9) == NO_RIGHT
        assert world.put_all(table.number, ONES * 9) == NO_RIGHT
        assert [world.bytes_of(table.number, *one) for one in stretches(table)] == before

    all_tables(check)


def test_what_is_not_kept_and_has_no_writer_cannot_be_written():
    def check(world, table):
        if table.write != NEVER:
            assert world.put(table.number, 0, ONES) == NOT_POSSIBLE

    all_tables(check, FIXED, LIVE, SERVED)


def host_map(table):
    """An octet for each of the table's: 1 where a host may set it."""
    octets = bytearray(table.size)
    for offset, n in layout.host_runs(table):
        octets[offset : offset + n] = b"\x01" * n
    return octets


def test_a_host_changes_its_own_octets_and_no_others():
    """All ones over the whole table, then all zeros."""

    def check(world, table):
        if table.write == NEVER:
            return
        mine = host_map(table)
        body = bytearray(expected(table, 0, table.size))
        for pattern in (ONES, ZEROS, ONES):
            assert world.put_all(table.number, pattern * table.size) == OK
            for k in range(table.size):
                if mine[k]:
                    body[k] = pattern[0]
            assert world.bytes_of(table.number, 0, table.size) == body
        kept = world.settings.kept.get(table.name)
        assert kept == bytes(body) or (kept is None and not any(mine))

    all_tables(check, *WRITABLE)


def test_each_field_written_by_itself_and_nothing_beside_it():
    def check(world, table):
        if table.write == NEVER:
            return
        body = bytearray(world.bytes_of(table.number, 0, table.size))
        for offset, field in some(table.record):
            turned = bytes([octet ^ 0xFF for octet in body[offset : offset + field.size]])
            assert world.put(table.number, offset, turned) == OK
            if field.by_host:
                body[offset : offset + field.size] = turned
            assert world.bytes_of(table.number, 0, table.size) == body, field.name

    all_tables(check, *WRITABLE)


def test_writes_behind_the_end_are_ignored():
    def check(world, table):
        if table.write == NEVER:
            return
        size = table.size
        before = bytearray(world.bytes_of(table.number, 0, size))
        last = host_map(table)[size - 1]
        assert world.put(table.number, size - 1, ONES * BEHIND) == OK
        if last:
            before[size - 1] = 0xFF
        assert world.put(table.number, size, ONES * BEHIND) == OK
        assert world.put(table.number, 0xFFFFFF, ONES) == OK
        assert world.bytes_of(table.number, 0, size + BEHIND) == before + bytes(BEHIND)

    all_tables(check, *WRITABLE)


def test_a_restart_finds_what_was_written():
    world = World()
    for table in TABLES:
        if table.source.kind in WRITABLE and table.write != NEVER:
            assert world.put_all(table.number, ONES * table.size) == OK
    again = Model(compiled.MODEL, compiled.ARENA, world.settings)
    out = bytearray(CHUNK)
    for table in TABLES:
        if table.source.kind in WRITABLE and table.write != NEVER:
            assert again.read(table.number, 0, table.size, out, 0, NEVER) == OK
            assert bytes(out[: table.size]) == world.bytes_of(table.number, 0, table.size)


def test_what_is_not_there():
    world = World()
    numbers = {table.number for table in TABLES}
    for number in range(4096):
        if number not in numbers:
            assert world.full(number)[0] == NO_TABLE
            assert world.part(number, 0, 1)[0] == NO_TABLE
            assert world.put(number, 0, b"\x01") == NO_TABLE
            assert world.put_all(number, b"\x01") == NO_TABLE
    for number in (4096 * 2, 4096 * 3 + 1, 0xFFFF):
        assert world.part(number, 0, 1)[0] == NO_TABLE
        assert world.put(number, 0, b"\x01") == NO_TABLE


class Initiated:
    """BT07 as a host writes it, BT08 as it reads it."""

    def __init__(self):
        self.world = World()
        settings = self.world.settings
        model = self.world.model
        Procedures(compiled.PROCEDURES, compiled.FAMILIES, model, settings, None)
        self._number = 9

    def result(self, number, parameters, level=MASTER):
        self._number = self._number + 1 if self._number < 254 else 10
        command = number.to_bytes(2, "little") + bytes((self._number,)) + parameters
        assert self.world.put_all(7, command, level) == OK
        answer = self.world.bytes_of(8, 0, 16)
        assert answer[:3] == command[:3]
        assert not any(answer[4:])
        return answer[3]


def test_procedures_with_wrong_lengths():
    host = Initiated()
    for one in definitions.PROCEDURES:
        size = one.parameters.size
        for n in range(size):
            assert host.result(one.number, bytes(n)) == BAD_PARAMETER, (one.name, n)
        if not one.rest:
            for n in (size + 1, 255):
                assert host.result(one.number, ONES * n) == BAD_PARAMETER, (one.name, n)


def test_procedures_below_their_level():
    host = Initiated()
    for one in definitions.PROCEDURES:
        for level in range(1, one.level):  # 1: the least that may write BT07
            assert host.result(one.number, bytes(one.parameters.size), level) == NO_AUTHORIZATION


def test_procedures_that_are_not_there():
    host = Initiated()
    numbers = {one.number for one in definitions.PROCEDURES}
    for number in list(range(100)) + list(range(2048, 2148)) + [2047, 4095]:
        if number not in numbers:
            assert host.result(number, b"") == UNKNOWN
            assert host.result(number, b"\x01\x02\x03") == UNKNOWN


if given:

    @given(st.data())
    def test_any_reads_give_the_same_octets(data):
        table = data.draw(st.sampled_from([one for one in TABLES if one.size]))
        world = World()
        first, n = data.draw(st.sampled_from(stretches(table)))
        whole = world.bytes_of(table.number, first, n)
        cuts = sorted(data.draw(st.sets(st.integers(0, n), max_size=12)) | {0, n})
        pieces = [world.bytes_of(table.number, first + a, b - a) for a, b in pairwise(cuts)]
        assert b"".join(pieces) == whole

    @given(st.data())
    def test_any_writes_change_a_hosts_octets_alone(data):
        table = data.draw(
            st.sampled_from(
                [one for one in TABLES if one.source.kind in WRITABLE and one.write != NEVER]
            )
        )
        world = World()
        mine = host_map(table)
        body = bytearray(expected(table, 0, table.size))
        for _ in range(data.draw(st.integers(1, 4))):
            offset = data.draw(st.integers(0, table.size + 3))
            octets = data.draw(st.binary(max_size=90))
            assert world.put(table.number, offset, octets) == OK
            for k, octet in enumerate(octets):
                if offset + k < table.size and mine[offset + k]:
                    body[offset + k] = octet
        assert world.bytes_of(table.number, 0, table.size) == body
