"""Decade 7: the event log (ANSI C12.19 decade 7, whose history log it is; OPT p.49-53)."""

from tables import events
from tables.dimensions import (
    BT00_BASIC_PROCEDURES,
    BT00_BASIC_TABLES,
    BT00_EXTENDED_PROCEDURES,
    BT00_EXTENDED_TABLES,
    BT71_ENTRIES,
    BT71_MANUFACTURER_EVENTS,
    BT71_STANDARD_EVENTS,
)
from tables.schema import (
    C12_19,
    MASTER,
    NEVER,
    READ,
    Procedure,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    kept,
    ltime,
    served,
    set_,
    uint8,
    uint16,
    uint32,
)

_FIRST_EXTENDED = 64  # extended event n is bit n - 64 of its set

# What a new device does not log: accesses, moved pointers of lists, that something is unread. And
# 18 and 19, which are for the alternate log alone (MEP p.181).
_QUIET = (7, 8, 15, 17, 18, 19, 92, 94)
# Procedures and tables that are used all the time, or that have events of their own
_QUIET_PROCEDURES = (4, 5, 10, 2048 + 2, 2048 + 9, 2048 + 16, 2048 + 26)
_QUIET_TABLES = (7, 2048 + 27, 2048 + 50, 2048 + 52)


def _supported(rows, first=0):
    """Those that this meter may raise, as bits of their set."""
    return tuple([row[0] - first for row in rows if row[5] != events.UNKNOWN])


def _logged(rows, first=0):
    return tuple([n for n in _supported(rows, first) if n + first not in _QUIET])


def _numbers(numbers, quiet, extended):
    """Of tables or procedures those to be logged, as bits of the basic or the extended set."""
    return tuple([n & 2047 for n in sorted(numbers) if n // 2048 == extended and n not in quiet])


def _tables(extended):
    return lambda tables: _numbers(
        [table.number for table in tables if table.write != NEVER], _QUIET_TABLES, extended
    )


def _procedures(extended):
    def numbers(tables):
        from tables import definitions  # which imports this module

        initiated = [one.number for one in definitions.PROCEDURES]
        return _numbers(initiated, _QUIET_PROCEDURES, extended)

    return numbers


def _dimensions(who):
    """BT70 and BT71 have the same fields (OPT p.50-51)."""
    return cited(
        "OPT p.50-51",
        bits(
            "flags",
            bit("event_number", "F", "a number for both of C12.19's logs"),
            bit("date_time", "F", "entries have a time", default=1),
            bit("sequence_number", "F", "and a sequence number", default=1),
            bit("inhibit_history_overflow", "F", "a full log takes no more entries"),
            bit("inhibit_event_overflow", "F"),
            filler(3),
        ),
        uint8("standard_events", "F", "octets of a set of them", default=BT71_STANDARD_EVENTS),
        uint8("manufacturer_events", who, "octets", default=BT71_MANUFACTURER_EVENTS),
        uint8("history_data_length", "F", "octets of an argument", default=2),
        uint8("event_data_length", "F", "octets", default=2),
        uint16("history_entries", "P", "of BT74", default=BT71_ENTRIES),
        uint16("event_entries", "P", "of C12.19's event log (BT76), which is not there"),
    )


BT70 = Table(
    "BT70",
    "Dimension log",
    read=READ,
    write=None,
    source=fixed(),
    fields=_dimensions("P"),
)

BT71 = Table(
    "BT71",
    "Actual log",
    read=READ,
    write=None,
    source=fixed(),
    fields=_dimensions("F"),
)

BT72 = Table(
    "BT72",
    "Events identification",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="The events that this meter has: those whose meaning a public document gives. Bit n of "
    "the standard set is event n, of the manufacturer's event 64 + n.",
    fields=cited(
        "C12.19 table 72",
        set_("standard", BT71_STANDARD_EVENTS, "F", default=_supported(events.STANDARD)),
        set_(
            "manufacturer",
            BT71_MANUFACTURER_EVENTS,
            "F",
            default=_supported(events.EXTENDED, _FIRST_EXTENDED),
        ),
    ),
)

BT73 = Table(
    "BT73",
    "History log control",
    read=READ,
    write=MASTER,
    source=kept("events"),
    origin=C12_19,
    doc="What goes into BT74. The sets of tables and procedures are of those whose write or "
    "initiation is event 10 or 9. An event sets its alarm whether it is logged or not.",
    fields=cited(
        "C12.19 table 73",
        set_("standard", BT71_STANDARD_EVENTS, "H", default=_logged(events.STANDARD)),
        set_(
            "manufacturer",
            BT71_MANUFACTURER_EVENTS,
            "H",
            default=_logged(events.EXTENDED, _FIRST_EXTENDED),
        ),
        set_("basic_tables", BT00_BASIC_TABLES, "H", default=_tables(0)),
        set_("extended_tables", BT00_EXTENDED_TABLES, "H", default=_tables(1)),
        set_("basic_procedures", BT00_BASIC_PROCEDURES, "H", default=_procedures(0)),
        set_("extended_procedures", BT00_EXTENDED_PROCEDURES, "H", default=_procedures(1)),
    ),
)


def log_fields(clause, entries, by):
    """The fields of BT74, which are ET79's too."""
    return cited(
        clause,
        bits(
            "flags",
            bit("order", "F", "0: an entry is older than the next"),
            bit("overflow", "M", "unread entries were lost; BP04 and BP05 clear it"),
            bit("list_type", "F", "1: circular", default=1),
            bit("inhibit_overflow", "F", "0: new entries are never refused"),
            filler(4),
        ),
        uint16("valid_entries", "M"),
        uint16("last_element", "M", "index of the newest entry"),
        uint32("last_sequence", "M", "of the newest entry; counts in both logs, never reset"),
        uint16("unread_entries", "M", "which BP05 tells as read"),
        array(
            "entries",
            entries,
            (
                ltime("time", "M", "UTC; zeros before the clock was set"),
                uint16("sequence", "M", "lower half"),
                uint16(
                    "user",
                    "M",
                    "for whom: FFFF nobody, FFFE power line, FFFD MEP client. FFFC (profile): "
                    "an entry for events that were too many to be logged",
                ),
                uint16("event", "M", "number; 0: an entry that a power cut tore"),
                uint16("argument", "M", "by the event"),
            ),
            by=by,
        ),
    )


BT74 = Table(
    "BT74",
    "History log data (primary event log)",
    read=READ,
    write=None,
    source=served("events"),
    doc="Of one event 16 entries at once and one more an hour are logged. What comes above that "
    "begins with one entry of the user FFFC and argument 0, and ends, when an hour passed "
    "without it, with one of the user FFFC whose argument is how many have no entry.",
    fields=log_fields("MEP p.241-243", BT71_ENTRIES, "BT71.5"),
)

_LIST = (
    "1 alternate event log (ET79), 2 self reads, 3-6 load profile sets 1-4, 7 event log (BT74), "
    "255 all"
)

BP04 = Procedure(
    "BP04",
    "Reset list pointers",
    family="lists",
    parameters=(uint8("list", "H", _LIST),),
    doc="The list becomes empty; sequence numbers go on. Events 14, 16, 18.",
    clause="C12.19 procedure 4; the codes: profile",
    origin=C12_19,
)

BP05 = Procedure(
    "BP05",
    "Update last read entry",
    family="lists",
    parameters=(uint8("list", "H", _LIST), uint16("entries", "H", "that were read")),
    doc="So many of the unread entries, the oldest ones, are no longer unread. Events 15, 17, 19.",
    clause="C12.19 procedure 5; the codes: profile",
    origin=C12_19,
)

TABLES = (BT70, BT71, BT72, BT73, BT74)
PROCEDURES = (BP04, BP05)
