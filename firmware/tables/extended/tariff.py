"""Tariff control: the active calendar and what overrides it (OSGP ET23, ET47)."""

from tables.schema import (
    PROVISION,
    READ,
    Table,
    cited,
    ltime,
    reserved,
    served,
    stored,
    uint8,
    uint32,
)

ET23 = Table(
    "ET23",
    "Miscellaneous information",
    read=READ,
    write=None,
    source=served("control"),
    doc="What a poll looks at: the power line's messages, the switch, the calendar in use.",
    departs="The guide lets MAK write a table in which nothing is a host's; here nobody may. Both "
    "message counts begin at 0 with each start.",
    fields=(
        cited("MEP p.98", uint32("messages_received", "M", "on the power line, good or not")),
        cited(
            "MEP p.99",
            uint32("messages_validated", "M", "of these, with a right digest"),
            reserved(86),
            uint8("disconnect_state", "M", "0 closed, 1 closing, 2 opened, 3 opening"),
            uint32("active_calendar", "M", "id of BT54, or of the override in effect (ET47.12)"),
            reserved(119),
        ),
    ),
)

ET47 = Table(
    "ET47",
    "Calendar override",
    read=READ,
    write=PROVISION,
    source=stored("control"),
    doc="A tariff set by hand. Each write is a request of its own, so write the table whole. A "
    "tariff of 0 to 7 holds from the moment of the write, and until the clock is set it waits.",
    departs="BT21 counts energy by four tiers; energy in tiers 4 to 7 is in the totals only.",
    pending=True,
    fields=(
        cited("MEP p.122", uint8("tariff", "HD", "0-7; 255 ends the override", default=255)),
        cited(
            "MEP p.123",
            uint8(
                "cancellation",
                "HD",
                "0 next tier switch of the calendar, 1 never, 2 after duration, 3 cancel_time",
            ),
            uint32("duration", "HD", "of cancellation 2; 0: no switch", unit="s"),
            ltime("cancel_time", "HD", "UTC, of cancellation 3"),
            uint32("calendar_id", "HD", "shown in ET23.95 while the override is in effect"),
        ),
    ),
)

TABLES = (ET23, ET47)
