"""Decade 5: time and time of use (ANSI C12.19 decade 5)."""

from tables.datatypes import LAST_WEEKDAY
from tables.dimensions import (
    BT51_CALENDAR_SIZE,
    BT51_NON_RECURRING_DATES,
    BT51_RECURRING_DATES,
    BT51_SEASONS,
    BT51_SPECIAL_SCHEDULES,
    BT51_TIER_SWITCHES,
)
from tables.schema import (
    PROFILE,
    PROVISION,
    READ,
    Procedure,
    Table,
    ansi_date,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    int16,
    kept,
    live,
    ltime,
    rdate,
    time,
    uint8,
    uint16,
    uint32,
)

_SWITCHES_A_SCHEDULE = 10  # MEP p.228


def _dimensions():
    """BT50 and BT51 have one layout: the most there can be, and what is used."""
    return (
        cited(
            "MEP p.222-223",
            bits(
                "function_1",
                bit("self_reads", "F", "self reads by calendar"),
                bit("season_self_read", "F", "self read at a season change"),
                bit("season_demand_reset", "P"),
                bit("season_armed", "F"),
                bit("sort_dates", "F", "1: dates must come sorted"),
                bit("anchor_date", "F"),
                filler(2),
            ),
        ),
        cited(
            "MEP p.223",
            bits(
                "function_2",
                bit("dst_automatic", "F", "0: daylight saving follows BT54"),
                bit("separate_week_days", "P", "1: a schedule for each weekday"),
                bit("separate_demands", "F"),
                bit("sort_switches", "F", "1: tier switches must come sorted", default=1),
                bit("zone_capable", "F", "1: BT53 has a time zone", default=1),
                filler(3),
            ),
            bits(
                "calendar_1",
                bit("seasons", "P", width=4, default=BT51_SEASONS),
                bit("special_schedules", "P", width=4, default=BT51_SPECIAL_SCHEDULES),
            ),
            uint8("non_recurring_dates", "P", default=BT51_NON_RECURRING_DATES),
        ),
        cited(
            "MEP p.224",
            uint8("recurring_dates", "P", default=BT51_RECURRING_DATES),
            uint16("tier_switches", "P", default=BT51_TIER_SWITCHES),
            uint16("calendar_size", "P", "octets of BT54", default=BT51_CALENDAR_SIZE),
        ),
    )


_LATER = "Self reads are not there yet: their two flags, fixed at 1 in the guides, are 0."

BT50 = Table(
    "BT50",
    "Dimension time and time of use",
    read=READ,
    write=None,
    source=fixed(),
    doc="The most that BT54 can hold.",
    departs=_LATER,
    fields=_dimensions(),
)

BT51 = Table(
    "BT51",
    "Actual time and time of use",
    read=READ,
    write=None,
    source=fixed(),
    doc="What BT54 holds: the layout of BT50.",
    departs=_LATER,
    fields=_dimensions(),
)


def _qualifier(clause, gmt, applied):
    return cited(
        clause,
        bits(
            "qualifier",
            bit("weekday", "M", "0 Sunday to 6 Saturday", width=3),
            bit("dst", "M", "1: daylight saving time holds now"),
            bit("gmt", "F", "1: this is UTC", default=gmt),
            bit("zone_applied", "F", "1: the zone is in this time", default=applied),
            bit("dst_applied", "F", "1: daylight saving is in this time", default=applied),
            filler(1),
        ),
    )


BT52 = Table(
    "BT52",
    "UTC clock",
    read=READ,
    write=None,
    source=live("clock"),
    doc="The local clock is BT55; what lies between them is BT53. BP10 sets it.",
    fields=(
        cited("MEP p.224", ltime("clock", "M", "all zero until the clock is set")),
        _qualifier("MEP p.224-225", gmt=1, applied=0),
    ),
)

BT53 = Table(
    "BT53",
    "Time offset",
    read=READ,
    write=PROVISION,
    source=kept(),
    doc="Default: Central Europe. Daylight saving begins at 02:00 and, by ET04.63, ends an hour "
    "later on the clock.",
    pending=True,
    fields=(
        cited(
            "MEP p.225",
            time("dst_time", "H", "local time of the change to and fro", default=(2, 0, 0)),
            uint8("dst_amount", "H", unit="min", default=60),
            int16("zone_offset", "H", "-12 h to +14 h", unit="min", default=60),
        ),
    ),
)


def _action():
    return bits(
        "action",
        bit(
            "action",
            "H",
            "0 none, 1 daylight saving on, 2 off, 3-14 season 0-11, 19 and 20 special schedule",
            width=5,
        ),
        bit("demand_reset", "H"),
        bit("self_read", "H"),
        bit("tou_format", "H", "first recurring date only; 1: 12 seasons and 25 dates"),
    )


# EU: summer time from the last Sunday of March to the last Sunday of October.
_DATES = (
    {"date": (3, LAST_WEEKDAY, 0, 1), "action": {"action": 1, "tou_format": 1}},
    {"date": (10, LAST_WEEKDAY, 0, 1), "action": {"action": 2}},
)


def _switches():
    """Schedule 0: tier 1 by night, tier 0 from 6 to 22 h; the other schedules tier 0.

    What a schedule does not use repeats its last switch, so that the list stays sorted and
    whoever looks for the last switch not later than now finds the right one.
    """
    night = {"tier": 1, "hour": 0, "minute": 0}
    day = {"tier": 0, "hour": 6, "minute": 0}
    late = {"tier": 1, "hour": 22, "minute": 0}
    first = [night, day, late] + [late] * (_SWITCHES_A_SCHEDULE - 3)
    switches = [{"switch": switch, "schedule": 0} for switch in first]
    others = range(_SWITCHES_A_SCHEDULE, BT51_TIER_SWITCHES)
    return switches + [{"schedule": k // _SWITCHES_A_SCHEDULE} for k in others]


BT54 = Table(
    "BT54",
    "Calendar",
    read=READ,
    write=PROVISION,
    source=kept(),
    doc="Read by the local clock (BT55). Default: two tariffs, tier 0 from 6 to 22 h and tier 1 "
    "else, every day of one season, with the EU's summer time. A date of month 0 is unused; a "
    "tier switch that is not later than the one before it in its schedule is unused.",
    pending=True,
    fields=(
        cited(
            "MEP p.226-228",
            array(
                "non_recurring_dates",
                BT51_NON_RECURRING_DATES,
                (ansi_date("date", "H"), _action()),
                by="BT51.3",
            ),
            array(
                "recurring_dates",
                BT51_RECURRING_DATES,
                (rdate("date", "H"), _action()),
                by="BT51.4",
                default=_DATES,
            ),
        ),
        cited(
            "MEP p.228",
            array(
                "tier_switches",
                BT51_TIER_SWITCHES,
                (
                    bits(
                        "switch",
                        bit("tier", "H", "rate from this time on", width=3),
                        filler(2),
                        bit("minute", "H", width=6),
                        bit("hour", "H", width=5),
                        size=2,
                    ),
                    uint8("schedule", "H", "its index / 10; the meter goes by the place"),
                ),
                by="BT51.5",
                default=_switches(),
            ),
        ),
        cited(
            "MEP p.229",
            array(
                "seasons",
                BT51_SEASONS,
                (
                    uint8("saturday", "H", "schedule"),
                    uint8("sunday", "H", "schedule"),
                    uint8("weekday", "H", "schedule, Monday to Friday"),
                    array(
                        "special",
                        BT51_SPECIAL_SCHEDULES,
                        uint8("schedule", "H"),
                        by="BT51.2.4-7",
                    ),
                ),
                by="BT51.2.0-3",
            ),
            uint32("calendar_id", "H", default=1),
        ),
    ),
)

BT55 = Table(
    "BT55",
    "Local clock state",
    read=READ,
    write=None,
    source=live("clock"),
    doc="Local time by BT53 and BT54, and what the calendar says now.",
    fields=(
        cited("MEP p.230", ltime("clock", "M", "all zero until the clock is set")),
        _qualifier("MEP p.230", gmt=0, applied=1),
        cited(
            "MEP p.230-231",
            bits(
                "status",
                bit("tier", "M", "that accumulates now", width=3),
                filler(3),
                bit("tier_drive", "M", "0 calendar, 1-2 manual, 3 override", width=2),
                bit("special_schedule", "M", width=4),
                bit("season", "M", width=4),
                size=2,
            ),
        ),
    ),
)

TABLES = (BT50, BT51, BT52, BT53, BT54, BT55)

PROCEDURES = (
    Procedure(
        "BP10",
        "Set date and time",
        family="clock",
        parameters=(
            bits(
                "mask",
                bit("time", "H", "set the time"),
                bit("date", "H", "set the date"),
                bit("qualifier", "H", "the weekday of `qualifier` is to fit the date"),
                filler(5),
            ),
            ltime("clock", "H", "UTC"),
            uint8("qualifier", "H", "bits 0-2: weekday, 0 is Sunday"),
        ),
        response=(ltime("before", "M", "UTC"), ltime("after", "M", "UTC")),
        origin=PROFILE,
        clause="profile 30",
    ),
)
