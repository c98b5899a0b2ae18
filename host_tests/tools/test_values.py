"""Values as text: what is printed is what may be typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp_tools import model, values
from tables import datatypes as types
from tables.schema import READ, Bits, Table, array, bit, bits, kept, ltime, octets, record, uint8

TABLE = Table(
    "BT99",
    "Nothing",
    (
        uint8("count", "H"),
        bits("flags", bit("on", "H"), bit("mode", "H", width=3), bit("fault", "M")),
        array("tiers", 2, (octets("id", 2, "H"), ltime("at", "M")), by="2"),
        array("sources", 3, uint8("source", "H"), by="3"),
        record("inner", uint8("deep", "F")),
    ),
    READ,
    READ,
    kept(),
)


def put(word: str, body: bytes = bytes(TABLE.size)) -> bytes:
    name, text = values.split(word)
    changed = bytearray(body)
    values.put(values.find(TABLE.record, name), text, changed)
    return bytes(changed)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (types.UINT16, 60, "60"),
        (types.INT8, -3, "-3"),
        (types.Octets(3), b"\x00\xab\xff", "00abff"),
        (types.Text(8), "a b\\\x01", "a b\\\\\\x01"),
        (types.Bcd(3), "001234", "001234"),
        (types.LTIME, (26, 1, 31, 12, 5, 0), "2026-01-31T12:05:00"),
        (types.STIME, (26, 1, 31, 12, 5), "2026-01-31T12:05"),
        (types.DATE, (26, 1, 31), "2026-01-31"),
        (types.TIME, (2, 0, 0), "02:00:00"),
        (types.TIME, (0, 0, 0), "00:00:00"),
        (types.LTIME, (0, 0, 0, 0, 0, 0), "none"),
        (types.LTIME, (99, 13, 45, 99, 0, 0), "2099-13-45T99:00:00"),  # as odd as a device has it
        (types.ANSI_DATE, (26, 3, 29), "2026-03-29"),
        (types.ANSI_DATE, (0, 0, 0), "none"),
        (types.RDATE, (3, 6, 0, 25), "month:3,offset:6,weekday:0,day:25"),
        (types.RDATE, (15, 2, 1), "month:15,period:2,delta:1"),
        (types.RDATE, (0, 0, 0, 0), "none"),
        (types.Set(2), (0, 9), "0,9"),
        (types.Set(2), (), "none"),
    ],
)
def test_texts(kind, value, text):
    assert values.show(kind, value) == text
    assert values.parse(kind, text) == value


@given(st.data())
def test_what_is_shown_can_be_typed(data):
    """Any octets in a field of any table: shown, typed again, they are the same."""
    table = data.draw(st.sampled_from(sorted(model.TABLES.values(), key=lambda one: one.number)))
    seen = {}
    for path, _, field in values.layout.leaves(table.record):
        if path.rpartition(".")[2] and field.size and not isinstance(field, Bits):
            seen.setdefault(field.type.name, field)
        if len(seen) > 12:
            break
    for field in seen.values():
        octets_ = data.draw(st.binary(min_size=field.size, max_size=field.size))
        value = field.read(octets_)
        assert values.parse(field.type, values.show(field.type, value)) == value


@pytest.mark.parametrize(
    ("word", "at", "wanted"),
    [
        ("count=0x10", 0, b"\x10"),
        ("flags.on=1", 1, b"\x01"),
        ("flags.mode=5", 1, b"\x0a"),
        ("flags=3", 1, b"\x03"),
        ("tiers.1.id=abcd", 10, b"\xab\xcd"),
        ("tiers.0.at=2026-01-31 12:05:07", 4, bytes((26, 1, 31, 12, 5, 7))),
        ("sources=7,8", 18, b"\x07\x08\x00"),
        ("sources.2=9", 18, b"\x00\x00\x09"),
        ("inner.deep=1", 21, b"\x01"),
    ],
)
def test_assignments(word, at, wanted):
    body = put(word)
    assert body[at : at + len(wanted)] == wanted
    assert not any(body[:at] + body[at + len(wanted) :])


def test_a_bit_leaves_its_neighbours():
    assert put("flags.mode=1", b"\0\x11" + bytes(20))[1] == 0x13


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("count", "is not name=value"),
        ("=3", "is not name=value"),
        ("colour=3", "there is no colour: count, flags, tiers, sources, inner"),
        ("tiers.2.id=00", "there is no tiers.2.id: tiers.0 to tiers.1"),
        ("flags.off=1", "there is no flags.off: flags.on, flags.mode, flags.fault"),
        ("count=256", "count=256: "),
        ("count=x", "count=x: "),
        ("flags.mode=8", "flags.mode=8: "),
        ("flags=256", "more than 8 bits"),
        ("inner=1", "it has parts: deep"),
        ("sources=1,2,3,4", "has 3 items"),
        ("tiers.0.id=abc", "tiers.0.id=abc: "),
        ("tiers.0.at=2026-01-31", "it is 2026-01-31T12:00:00 or none"),
        ("tiers.0.at=2400-01-31T12:00:00", "tiers.0.at=2400"),
    ],
)
def test_errors_say_what_would_be_right(word, text):
    with pytest.raises(ValueError, match=re.escape(text)) as error:
        put(word)
    assert "\n" not in str(error.value)


def test_who_may_set_what():
    may = {path: values.find(TABLE.record, path).by_host for path in ("count", "flags", "sources")}
    assert may == {"count": True, "flags": True, "sources": True}
    for path in ("flags.fault", "tiers.0.at", "tiers", "inner", "inner.deep"):
        assert not values.find(TABLE.record, path).by_host, path


def test_shown_leaves_out_what_is_not_there():
    body = put("count=3") + bytes(2)
    assert list(values.shown(TABLE.record, body[:3])) == [
        "count = 3",
        "flags.on = 0",
        "flags.mode = 0",
        "flags.fault = 0",
    ]
    assert list(values.shown(TABLE.record, b"\xaa\xbb\x01", 2)) == ["tiers.0.id = aabb"]
