"""Transactions over a small model: the guide's own example, repeats, order, cuts, groups."""

from fakes import Blob, Settings
from osgp.services import Services
from osgp.transactions import Transactions
from support import unhex
from tables.compiled import LAYOUT
from tables.model import MASTER, NO_RIGHT, NO_TABLE, NOT_POSSIBLE, OK, READ, Model

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

ET27 = 2048 + 27
ET28 = 2048 + 28
ET47 = 2048 + 47
LIMIT = 200

# MEP p.45-48: the request that is written to ET52, and what is read from ET53
REQUEST = unhex(
    "43 00 00 01 00  08 00 3F 08 0B 00 00 00 00 0A  08 00 3F 00 14 00 00 00 00 0A"
    "08 00 3F 00 15 00 00 00 00 0A  08 00 3F 08 04 00 00 37 00 01"
    "08 00 3F 08 0E 00 00 00 00 0C  08 00 3F 08 0F 00 00 00 00 1F  01 00"
)
RESPONSE = unhex(
    "6F 00 01 01 00  0D 00 00 00 0A 05 42 24 05 06 05 02 01 03 F9"
    "0D 00 00 00 0A 3F 0E FD 0F 08 10 01 04 08 1A  0D 00 00 00 0A 3F 0E 0C 0F 08 00 01 04 08 1A"
    "04 00 00 00 01 04  0F 00 00 00 0C 00 00 00 00 00 11 01 00 01 04 2F 00"
    "22 00 00 00 1F 00 42 00 01 00 02 01 45 00 01 00 02 01 48 00 01 00 02 01 03 00 F8 03 02 01"
    "4B 00 01 00 02 01  01 00"
)


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


class Bench:
    """The tables of the guide's example, and one to write: BT53, three octets."""

    def __init__(self, settings=None):
        self.settings = settings or Settings()
        self.groups = (0x0102, 0x0305)
        made = Blob()
        made.add(8, 0, 3, body=b"def")
        made.add(20, 0, 10, body=unhex("3F0EFD0F08100104081A"))
        made.add(21, 0, 10, body=unhex("3F0E0C0F08000104081A"))
        made.add(53, 4, 3, write=READ, body=b"abc", runs=((0, 3),))
        made.add(54, 4, 3, write=MASTER, runs=((0, 3),))
        made.add(2048 + 4, 0, 60, body=bytes(55) + b"\4" + bytes(4))
        made.add(2048 + 11, 0, 10, body=unhex("054224050605020103F9"))
        made.add(2048 + 14, 0, 12, body=unhex("0000000000110100 01042F00"))
        made.add(
            2048 + 15,
            0,
            31,
            body=unhex("0042000100020145000100020148000100020103 00F8030201 4B0001000201"),
        )
        made.add(ET27, 3, LIMIT, write=READ)
        made.add(ET28, 3, LIMIT)
        made.add(ET47, 4, 3, write=MASTER, body=b"abc", runs=((0, 3),))
        self.model = Model(made.build(), made.arena, self.settings)
        self.transactions = Transactions(
            ET27, ET28, self.model, self.settings, Services(self.model, LIMIT, LIMIT), self.ids
        )
        self.transactions.resume(0)

    def ids(self):
        return self.groups

    def write(self, octets, offset=0, level=MASTER):
        return self.model.write(ET27, offset, octets, 0, len(octets), level, 0)

    def read(self, number=ET28, offset=0, n=LIMIT):
        out = bytearray(n)
        assert self.model.read(number, offset, n, out, 0, MASTER) == OK
        return bytes(out)

    def response(self):
        """Type, and the responses to the records."""
        octets = self.read()
        size = octets[0] | octets[1] << 8
        assert octets[3:5] == octets[size - 2 : size]
        found = []
        at = 5
        while at < size - 2:
            n = octets[at] | octets[at + 1] << 8
            found.append(octets[at + 2 : at + 2 + n])
            at += 2 + n
        assert at == size - 2
        assert octets[size:] == bytes(LIMIT - size)
        return octets[2], found


def request(number, *records, kind=0, groups=()):
    head = bytes((kind,)) + number.to_bytes(2, "little")
    if kind == 3:
        head += bytes((len(groups),)) + b"".join([g.to_bytes(2, "little") for g in groups])
    body = b"".join([len(r).to_bytes(2, "little") + r for r in records])
    whole = head + body + number.to_bytes(2, "little")
    return (len(whole) + 2).to_bytes(2, "little") + whole


def set_(text):
    """A full write of BT53."""
    return b"\x40\x00\x35\x00\x03" + text


READ_BACK = unhex("30 0035")
READ_BT08 = unhex("30 0008")
TARIFF = b"\x40\x08\x2f\x00\x03one"  # what groups may be told: a write of ET47


def test_the_guide_s_example():
    bench = Bench()
    assert bench.write(REQUEST) == OK
    assert bench.read(ET28, 0, len(RESPONSE)) == RESPONSE
    assert bench.read(ET28, 0, 5) == RESPONSE[:5]
    assert bench.read(ET27, 0, len(REQUEST)) == REQUEST


def test_in_any_number_of_writes():
    for step in (1, 2, 3, 7, 66):
        bench = Bench()
        for at in range(0, len(REQUEST), step):
            assert bench.transactions.executed == 0
            assert bench.write(REQUEST[at : at + step], at) == OK
        assert bench.transactions.executed == 1
        assert bench.read(ET28, 0, len(RESPONSE)) == RESPONSE


def test_before_any_transaction():
    bench = Bench()
    assert bench.read() == bytes(LIMIT)
    assert bench.read(ET27) == bytes(LIMIT)


def test_the_same_number_twice():
    bench = Bench()
    once = request(7, set_(b"one"))
    assert bench.write(once) == OK
    bench.model.patch(53, 0, b"---")
    for _ in range(2):
        assert bench.write(once) == OK
        assert bench.model.load(53) == b"---"
    bench = Bench(bench.settings)  # and after a restart
    assert bench.write(once) == OK
    assert bench.model.load(53) == b"---"
    assert bench.write(request(7, set_(b"two"))) == OK  # the number, but another request
    assert bench.model.load(53) == b"two"
    assert bench.write(once) == OK  # it is not the last one any more
    assert bench.model.load(53) == b"one"
    assert bench.write(request(8, set_(b"one"))) == OK
    assert bench.transactions.executed == 3


def test_out_of_order_writes():
    bench = Bench()
    whole = request(7, set_(b"one"), READ_BACK)
    assert bench.write(whole[5:], 5) == NOT_POSSIBLE
    assert bench.write(whole[:5]) == OK
    assert bench.write(whole[6:], 6) == NOT_POSSIBLE
    assert bench.write(whole[3:9], 3) == OK  # a retry that overlaps
    assert bench.write(whole[:9]) == OK  # and one from the beginning
    assert bench.write(whole[9:], 9) == OK
    assert bench.response() == (1, [b"\0", b"\0\0\3one"])


def test_a_new_request_takes_the_place_of_one_that_is_not_complete():
    bench = Bench()
    bench.write(request(7, set_(b"one"))[:9])
    assert bench.write(request(8, READ_BACK)) == OK
    assert bench.response() == (1, [b"\0\0\3abc"])


def test_what_is_no_request():
    bench = Bench()
    for bad in (
        request(7, READ_BACK)[:-1] + b"\1",  # the number at the end is another
        request(7, READ_BACK, kind=1),
        request(7, READ_BACK, kind=2),
        request(7, READ_BACK, kind=4),
        request(7, READ_BACK, kind=5),
        unhex("0600 00 0700"),
        unhex("0000 00 0700 0700"),
        unhex("FFFF 00 0700"),
        (LIMIT + 1).to_bytes(2, "little") + bytes(LIMIT - 2),
    ):
        assert bench.write(bad) == NOT_POSSIBLE, bad
        assert bench.read() == bytes(LIMIT)
    assert not bench.settings.kept


def test_records_that_fail_do_not_stop_the_others():
    bench = Bench()
    records = (
        unhex("3F 0063 000000 0001"),  # no such table
        set_(b"one"),
        unhex("99"),  # no command
        unhex("3F 0035 000000"),  # cut short
        unhex("3F 081B 000000 0001"),  # the transaction itself
        unhex("40 081B 0001 00"),
        unhex("40 0014 0001 00"),  # nobody may write it
        READ_BACK,
    )
    assert bench.write(request(7, *records)) == OK
    kind, found = bench.response()
    codes = [response[0] for response in found]
    assert kind == 1
    assert codes == [NO_TABLE, OK, 2, 1, 1, 1, NO_RIGHT, OK]
    assert found[-1] == b"\0\0\3one"


def test_a_wrong_length_ends_it():
    bench = Bench()
    good = unhex("0300 300035")
    for bad in ("0000", "FF00 30", "01"):
        number = b"\7\0"
        body = b"\0" + number + good + unhex(bad) + number
        assert bench.write((len(body) + 2).to_bytes(2, "little") + body) == OK
        assert bench.response() == (2, [b"\0\0\3abc"])


def test_what_has_no_room_for_its_response_is_not_carried_out():
    bench = Bench()
    reads = [unhex("3F 0804 000000 003C")] * 4
    assert bench.write(request(7, *reads, set_(b"one"))) == OK
    kind, found = bench.response()
    assert kind == 2
    assert [len(one) for one in found] == [63, 63]
    assert bench.model.load(53) == b"abc"


def test_rights_are_those_of_the_last_write():
    bench = Bench()
    record = unhex("40 0036 0003 787878")
    assert bench.write(request(7, record, set_(b"one")), 0, READ) == OK
    assert bench.response() == (1, [bytes((NO_RIGHT,)), b"\0"])
    bench.settings.kept.pop("TR%d" % ET27)
    again = Bench(bench.settings)  # carried out again after a cut: with the same rights
    assert again.response() == (1, [bytes((NO_RIGHT,)), b"\0"])


def test_groups():
    for groups, ours in (
        ((0x0102,), True),
        ((0x0103,), False),
        ((0x01FF,), True),
        ((0x02FF,), False),
        ((0xFF09,), True),
        ((0xFFFF,), True),
        ((0x0000,), False),
        ((0x0901, 0x0902, 0x0305), True),
        ((), False),
    ):
        bench = Bench()
        assert bench.write(request(7, TARIFF, READ_BT08, kind=3, groups=groups)) == OK
        if ours:
            assert bench.response() == (1, [b"\0", b"\0\0\3def"])
            assert bench.model.load(ET47) == b"one"
        else:
            assert bench.response() == (4, [])
            assert bench.model.load(ET47) == b"abc"


def test_what_groups_may_not_do():
    bench = Bench()
    whole = request(7, set_(b"one"), TARIFF, READ_BACK, kind=3, groups=(0x0102,))
    assert bench.write(whole) == OK
    assert bench.response() == (1, [bytes((NO_RIGHT,)), b"\0", bytes((NO_RIGHT,))])
    assert (bench.model.load(53), bench.model.load(ET47)) == (b"abc", b"one")


def test_power_cuts_at_every_write():
    whole = request(7, set_(b"one"), unhex("40 0036 0003 787878"), READ_BACK)
    operation = 0
    while True:
        bench = Bench()
        left = [operation]

        def spend(name, left=left):
            if left[0] == 0:
                raise Cut
            left[0] -= 1

        bench.settings.on_replace = spend
        try:
            assert bench.write(whole) == OK
            break
        except Cut:
            pass
        bench.settings.on_replace = None
        again = Bench(bench.settings)
        if operation == 0:  # nothing of it was kept
            assert again.read() == bytes(LIMIT)
            assert again.model.load(53) == b"abc"
        else:  # it is carried out as a whole at the start
            assert again.response() == (1, [b"\0", b"\0", b"\0\0\3one"])
            assert again.model.load(54) == b"xxx"
        assert again.write(whole) == OK  # the writer, who had no answer, comes again
        assert again.response() == (1, [b"\0", b"\0", b"\0\0\3one"])
        assert Bench(bench.settings).transactions.executed == 0
        operation += 1
    assert operation == 4


if given:

    @given(st.lists(st.tuples(st.integers(0, 220), st.binary(max_size=60)), max_size=8))
    def test_any_writes(writes):
        bench = Bench()
        for offset, octets in writes:
            assert bench.write(octets, offset) in (OK, NOT_POSSIBLE)
            assert len(bench.read()) == LIMIT

    @given(st.binary(max_size=150))
    def test_any_records(octets):
        bench = Bench()
        body = b"\0\7\0" + octets + b"\7\0"
        assert bench.write((len(body) + 2).to_bytes(2, "little") + body) == OK
        kind, _ = bench.response()
        assert kind in (1, 2)


def test_what_was_kept_for_tables_of_another_layout_is_not_carried_out():
    """A request that power cut short before an update: its offsets are of the tables before."""
    whole = request(7, set_(b"one"))
    for layout in (LAYOUT, LAYOUT + 1):
        settings = Settings({"TQ2075": bytes((MASTER | layout << 2,)) + whole})
        bench = Bench(settings)
        assert bench.transactions.executed == (layout == LAYOUT)
        assert bench.model.load(53) == (b"one" if layout == LAYOUT else b"abc")
        assert bench.read(ET27, 0, len(whole)) == whole
        assert bench.write(request(8, set_(b"two"))) == OK
        assert settings.kept["TQ2075"][0] == MASTER | LAYOUT << 2
        assert Bench(settings).model.load(53) == b"two"
