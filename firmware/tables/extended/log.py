"""Extended tables of events and alarms: what is an alarm, what is critical, the alternate log."""

from tables.basic.log import log_fields
from tables.dimensions import (
    BT71_MANUFACTURER_EVENTS,
    BT71_STANDARD_EVENTS,
    ET11_ALARM_ARRAY,
    ET11_CRITICAL_BITMAPS,
    ET79_ENTRIES,
)
from tables.schema import (
    MASTER,
    PROFILE,
    READ,
    Procedure,
    Table,
    array,
    cited,
    reserved,
    served,
    set_,
    stored,
    uint16,
)

_ALARMS = 12  # octets: BT03 from octet 1 on
_EVENTS = BT71_STANDARD_EVENTS + BT71_MANUFACTURER_EVENTS

ET22 = Table(
    "ET22",
    "Alarm and critical event configuration",
    read=READ,
    write=MASTER,
    source=stored("events"),
    origin=PROFILE,
    doc="The guides give the sizes of its first array and the number of bitmaps (ET11.21 and 24); "
    "the rest is by profile. A set of alarms is BT03 from its octet 1 on; bit n of a set of "
    "events is event n.",
    fields=(
        cited(
            "profile",
            set_("masked_alarms", _ALARMS, "H", "alarms that no event sets"),
            reserved(ET11_ALARM_ARRAY - _ALARMS, "of the first array"),
            array(
                "critical_events",
                ET11_CRITICAL_BITMAPS,
                set_("events", _EVENTS, "H"),
                by="ET11.24",
            ),
            set_("alternate_events", _EVENTS, "H", "that go into ET79", default=(18, 19)),
            set_(
                "critical_pending", 2, "M", "bitmaps of which an event happened; EP03 clears them"
            ),
        ),
    ),
)

ET79 = Table(
    "ET79",
    "History log data (alternate event log)",
    read=READ,
    write=None,
    source=served("events"),
    doc="As BT74, for the events that ET22 selects.",
    fields=log_fields("MEP p.181-183", ET79_ENTRIES, "ET54.80"),
)

EP03 = Procedure(
    "EP03",
    "Clear alarms",
    family="alarms",
    parameters=(
        set_("alarms", _ALARMS, "H", "of BT03 from octet 1 on; a 1 clears"),
        set_("critical", 2, "H", "of ET22's critical_pending; a 1 clears"),
    ),
    doc="An alarm whose cause lasts stays: a clock that is not set, unread entries of the log.",
    origin=PROFILE,
)

EP25 = Procedure(
    "EP25",
    "Reset manufacturer logs",
    family="alarms",
    parameters=(uint16("table", "H", "a log of ET36, 2048 + n; 65535: all"),),
    results={2: "no such log"},
    origin=PROFILE,
)

EP26 = Procedure(
    "EP26",
    "Update unread entries of a manufacturer log",
    family="alarms",
    parameters=(
        uint16("table", "H", "a log of ET36, 2048 + n"),
        uint16("entries", "H", "that were read"),
    ),
    results={2: "no such log"},
    doc="When no log of ET36 has unread entries left, the alarm goes (MEP p.108).",
    clause="MEP p.107",
    origin=PROFILE,
)

TABLES = (ET22, ET79)
PROCEDURES = (EP03, EP25, EP26)
