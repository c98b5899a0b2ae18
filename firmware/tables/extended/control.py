"""The load disconnect: limits, lock, credit, and the procedures that act on it (OSGP ET05, ET30,
ET46; EP02, EP21-EP23, EP30, EP36).

"ECH" is Echelon's "ANSI Electric Meter v3.1 User's Guide" 79010: it tells what the procedures do,
and no octet of them.
"""

from tables.schema import (
    PROFILE,
    PROVISION,
    READ,
    Procedure,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    int32,
    kept,
    live,
    ltime,
    reserved,
    uint8,
    uint16,
    uint32,
)

_RELAYS = 2
_RATES = 4  # tiers whose rate is in ET05; the guide has those of 5 to 8 in ET55

ET05 = Table(
    "ET05",
    "Control output settings",
    read=READ,
    write=PROVISION,
    source=kept("control"),
    doc="When the load disconnect opens by itself, what prepaid energy costs, and what moves the "
    "control relays.",
    departs="The guides name this table and place octets 0, 8-23 and bit 25.0; the others are by "
    "profile.",
    origin=PROFILE,
    fields=(
        cited(
            "MEP p.183",
            uint32("primary_limit", "H", "0: none; mA if the type is current", unit="W"),
        ),
        cited("ECH p.53", uint32("secondary_limit", "H", "while ET30.0 is 1", unit="W")),
        cited(
            "MEP p.154",
            array(
                "prepay_rates",
                _RATES,
                uint32("rate", "H", "at most 1,000,000", unit="Wh/kWh", default=1000),
                by="4",
            ),
        ),
        cited(
            "profile",
            bits(
                "prepay",
                bit("enabled", "H"),
                bit("reverse", "H", "energy given is paid for, too (ECH p.51)"),
                bit("negative", "H", "negative_credit is allowed"),
                bit("power", "H", "without credit exhausted_limit holds; 0: it opens (ECH p.52)"),
                filler(4),
            ),
        ),
        cited(
            "MEP p.121",
            bits(
                "control",
                bit("limits", "H", "primary and secondary limit hold"),
                bit("remote_off", "H", "1: EP23 is off"),
                bit("type", "H", "what is measured: 0 power, 1 current; shown in ET46.11"),
                filler(5),
            ),
        ),
        cited(
            "profile",
            uint16("primary_time", "H", "above the limit until it opens", unit="s", default=60),
            uint16("secondary_time", "H", unit="s", default=60),
            uint8("limit_source", "H", "0 forward + reverse, 1 forward, 2 forward - reverse"),
            uint16("reconnect_delay", "H", "closes again after limit or lock; 0: never", unit="s"),
            uint32("exhausted_limit", "H", "without credit (ECH p.55)", unit="W"),
            uint32("warning_level", "H", "credit below which there is a warning", unit="Wh"),
            int32("negative_credit", "H", "shown in ET46.13", unit="Wh"),
            array(
                "relays",
                _RELAYS,
                (
                    uint8("mode", "H", "0 by EP02, 1 daily, 2 weekly, 3 by season, 4 by tier"),
                    uint8("tiers", "H", "of mode 4: closed in these, bit 0 is tier 0"),
                ),
                by="2",
            ),
        ),
    ),
)

ET30 = Table(
    "ET30",
    "Maximum power or current",
    read=READ,
    write=None,
    source=kept("control"),
    doc="How the load disconnect stands, and why. All of it survives a power cut: after one a "
    "supply that was open is open.",
    departs="The guides name this table as configuration and status of the maximum power and "
    "current levels and do not lay it out; it is the status here, and ET05 the configuration. "
    "Boards without a contactor remember what it was told.",
    origin=PROFILE,
    fields=(
        cited(
            "profile",
            uint8("level", "M", "the limit in force: 0 primary, 1 secondary"),
            ltime("secondary_start", "M", "UTC, by EP22; zero: none is scheduled"),
            ltime("secondary_end", "M", "UTC; zero: no end"),
            ltime("lock_start", "M", "UTC, by EP36; zero: none is scheduled"),
            ltime("lock_end", "M", "UTC; zero: no end"),
        ),
        cited(
            "ECH p.35",
            uint8("state", "M", "1 closed, 2 opened, 3 locked open", default=1),
            uint8("reason", "M", "of its last change, as in event 66"),
        ),
        cited(
            "profile",
            bits(
                "flags",
                bit("locked", "M", "by EP23"),
                bit("lock_in_force", "M", "by EP36"),
                bit("exhausted", "M", "no credit but emergency and negative credit is left"),
                bit("acknowledged", "M", "the warning of low credit was"),
                filler(4),
            ),
            bits(
                "relays",
                bit("forced_1", "M", "EP02 holds relay 1 open"),
                bit("forced_2", "M"),
                filler(2),
                bit("closed_1", "M", "relay 1 is closed"),
                bit("closed_2", "M"),
                filler(2),
            ),
            uint8("pulses", "M", "of the disconnect, as in event 106"),
            ltime("limit_opening", "M", "UTC of the last opening by a limit; shown in ET46.17"),
            uint32("limit", "M", "in force now; 0: none", unit="W"),
            int32("credit", "M", "left", unit="Wh"),
            int32("emergency_credit", "M", "beside it", unit="Wh"),
            uint32("credit_number", "M", "of the last credit that EP21 added"),
        ),
    ),
)

ET46 = Table(
    "ET46",
    "Control output read-only data",
    read=READ,
    write=None,
    source=live("control"),
    doc="What the load disconnect goes by.",
    departs="The guide prints 2046 for its number; ET46 is 2094. Type and negative credit are set "
    "in ET05.",
    fields=(
        cited(
            "MEP p.121",
            reserved(11),
            uint8("disconnect_control_type", "M", "0 power, 1 current"),
            reserved(1),
            int32("negative_credit", "M", "allowed beyond 0; 0: none", unit="Wh"),
        ),
        cited("MEP p.122", ltime("limit_opening", "M", "UTC of the last opening by a limit")),
    ),
)

TABLES = (ET05, ET30, ET46)

_STATE = uint8("state", "M", "1 closed, 2 opened, 3 locked open")
_LOCKED = (3, "a lock holds, or there is no credit")
_TOO_SOON = (4, "10 s after the last operation, or the start, are not over")

PROCEDURES = (
    Procedure(
        "EP02",
        "Disconnect and control relay command",
        family="control",
        parameters=(
            uint8("output", "H", "0 load disconnect, 1 relay 1, 2 relay 2"),
            uint8("action", "H", "0 open, 1 close"),
        ),
        response=(_STATE,),
        results=dict((_LOCKED, _TOO_SOON)),
        doc="A disconnect that was opened so can be closed by its button. A relay that was opened "
        "so stays open until it is closed so: then it does again what its mode says.",
        clause="ECH p.46",
        origin=PROFILE,
    ),
    Procedure(
        "EP21",
        "Add prepay credit",
        family="control",
        parameters=(
            uint8("kind", "H", "0 total, 1 emergency"),
            uint32("number", "H", "of this credit: above that of the one before"),
            int32("amount", "H", unit="Wh"),
        ),
        response=(
            int32("credit", "M", "after it", unit="Wh"),
            int32("emergency_credit", "M", unit="Wh"),
            uint32("number", "M", "of the last credit that was added"),
        ),
        results={
            2: "no such kind, or the sum would pass 999,999,999 Wh",
            3: "prepay is off, or this credit was added before; the response tells what there is",
        },
        doc="A credit is added once, however often it is sent.",
        clause="ECH p.47",
        origin=PROFILE,
    ),
    Procedure(
        "EP22",
        "Switch maximum power level",
        family="control",
        parameters=(
            uint8("level", "H", "0 primary, 1 secondary"),
            ltime("start", "H", "UTC; zero or past: at once"),
            uint16("duration", "H", "of the secondary level; 0: no end", unit="min"),
        ),
        results={4: "the clock is not set"},
        doc="A start that has passed does not shorten the duration.",
        clause="ECH p.53",
        origin=PROFILE,
    ),
    Procedure(
        "EP23",
        "Remote disconnect and reconnect",
        family="control",
        parameters=(
            uint8("action", "H", "0 disconnect and lock, 1 reconnect, 2 unlock for the button"),
        ),
        response=(_STATE,),
        results=dict(
            ((3, "EP23 is off (ET05.25.1), a lock holds, or there is no credit"), _TOO_SOON)
        ),
        clause="ECH p.47",
        origin=PROFILE,
    ),
    Procedure(
        "EP30",
        "Disconnect resynchronization",
        family="control",
        response=(_STATE, uint8("contact", "M", "0 open, 1 closed, 255 not known")),
        results=dict(((1, "the contactor is on its way"), _TOO_SOON)),
        doc="Brings the contactor to where the state says that it is.",
        clause="ECH p.55",
        origin=PROFILE,
    ),
    Procedure(
        "EP36",
        "Schedule disconnect lock",
        family="control",
        parameters=(
            ltime("start", "H", "UTC; zero: what is scheduled or in force is cancelled"),
            uint16("duration", "H", "0: no end", unit="min"),
        ),
        response=(_STATE,),
        results={4: "the clock is not set, or the lock would be over already"},
        doc="The disconnect is locked open for that time, and is opened then: it closes by its "
        "button, or by itself if ET05.31 says so. Power cuts do not move the times.",
        clause="ECH p.51",
        origin=PROFILE,
    ),
)
