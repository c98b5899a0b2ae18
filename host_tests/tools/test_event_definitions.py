"""The definitions of events against the firmware's rule and places, and against what BT72 says."""

import pytest

from osgp import critical, event_log, events
from osgp.procedures import alarms
from osgp_tools import model
from tables.events import EXTENDED, STANDARD, UNKNOWN

EVENTS = STANDARD + EXTENDED
SET = 27


def test_counts_are_the_decks():
    assert [event[0] for event in STANDARD] == list(range(1, 51))
    assert [event[0] for event in EXTENDED] == list(range(64, 110))


def test_names_are_unique():
    assert len({event[1] for event in EVENTS}) == 96


def bit_of(path: str) -> int:
    """The bit of BT03, counted from its octet 1 on, that `octet.bit` names."""
    field, name = path.split(".")
    offset, size = model.field(3, field)
    empty = {field: {name: 0}}
    body = model.encode(3, empty)
    set_ = model.encode(3, {field: {name: 1}})
    changed = [k for k in range(8 * len(body)) if (body[k >> 3] ^ set_[k >> 3]) >> (k & 7) & 1]
    assert len(changed) == 1
    assert offset <= changed[0] >> 3 < offset + size
    return changed[0] - 8


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event[1])
def test_alarms_follow_the_rule(event):
    number, alarm = event[0], event[3]
    assert events.alarm_of(number) == (bit_of(alarm) if alarm else -1)


def bits(body: bytes) -> set[int]:
    return {k for k in range(8 * len(body)) if body[k >> 3] >> (k & 7) & 1}


def test_supported_are_those_with_a_meaning():
    supported = bits(model.default(72))
    assert supported == {event[0] for event in EVENTS if event[5] != UNKNOWN}
    assert bits(model.default(73)[:SET]) < supported


def test_places_in_the_tables():
    for name, place in (
        ("standard", 0),
        ("manufacturer", 8),
        ("basic_tables", events._BASIC_TABLES // 8),
        ("extended_tables", events._EXTENDED_TABLES // 8),
        ("basic_procedures", events._BASIC_PROCEDURES // 8),
        ("extended_procedures", events._EXTENDED_PROCEDURES // 8),
    ):
        assert model.field(73, name)[0] == place
    et22 = model.table(events.ET22).number
    assert model.field(et22, "critical_events") == (120, 10 * SET)
    assert model.field(et22, "alternate_events") == (events._ALTERNATE, SET)
    assert model.field(et22, "critical_pending") == (critical._PENDING, 2)
    assert alarms._CRITICAL_PENDING == critical._PENDING
    assert model.field(2048 + 36, "unread")[0] == alarms._UNREAD_LOGS


def test_sizes_of_the_logs():
    for number in (74, events.ET79):
        assert model.table(number).size == 11 + 14 * event_log.ENTRIES
        assert model.field(number, "entries.1")[0] == 11 + 14


def test_writable_tables_and_procedures_are_logged():
    default = model.decode(73, model.default(73))
    assert 54 in default["basic_tables"]
    assert 7 not in default["basic_tables"]
    assert 22 in default["extended_tables"]
    assert 27 not in default["extended_tables"]
    assert 3 in default["extended_procedures"]
    assert 10 not in default["basic_procedures"]
