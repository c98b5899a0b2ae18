"""Extended tables of status: ET54 of the meter, ET17 of a download; procedures that look
after the hardware."""

from tables import dimensions as d
from tables.extended.dimensions_tables import entry_count
from tables.schema import (
    PROFILE,
    READ,
    Procedure,
    Table,
    array,
    bit,
    bits,
    cited,
    date,
    filler,
    fixed,
    int32,
    live,
    octets,
    reserved,
    set_,
    uint8,
    uint16,
    uint32,
)

_CAPABLE = (
    cited(
        "MEP p.133-134",
        bits(
            "interface",
            bit("mep_off", "F", "ICA NAK (MEP p.112)"),
            bit("profile_formats", "F", "billing format 2 (MEP p.112)"),
            bit("profile_sets", "F", "1: ET42 tells of data sets 2 to 4", default=1),
            filler(3),
            bit("energy_units", "F", "1: others than 1 Wh"),
            bit("five_characters", "F", "1: display ids have five", default=1),
            bit("mep_clients", "F", "1: more than one"),
            filler(7),
            size=2,
        ),
    ),
    cited(
        "MEP p.134",
        reserved(17),
        bits("flags", bit("profile_off", "M", "load profile opt-out"), filler(15), size=2),
        reserved(23),
        bits(
            "tier_drive",
            bit("over_power", "M", "the consumption-based tariff holds"),
            bit("step", "M", "the step tariff is in use"),
            filler(6),
        ),
        reserved(17),
    ),
)


def _relay(number, clause_first, clause_rest):
    return (
        cited(clause_first, uint8(f"relay_{number}_pending", "M", "a random delay runs")),
        cited(
            clause_rest,
            uint16(f"relay_{number}_left", "M", "before it switches", unit="s"),
            uint16(f"relay_{number}_delay", "M", "of this or the last time", unit="s"),
        ),
    )


_METER = (
    cited(
        "MEP p.135",
        reserved(1),
        uint8("miswiring", "M", "0 none, 2 high voltage, 4 two phases alike"),
    ),
    cited(
        "MEP p.136",
        uint16("et74_entries", "M", default=d.ET74_ENTRIES),
        bits(
            "compliance",
            bit("welmec", "M", "Welmec 11.2 is followed"),
            bit("clock_change", "M", "this interval: 0 none, 1 going on, 2 done", width=2),
            filler(3),
            bit("button_locked", "M", "of the disconnect, for seconds"),
            filler(1),
        ),
    ),
    cited(
        "MEP p.137",
        int32("clock_adjustment", "M", "in this interval", unit="s"),
        date("step_reset", "M", "the last of the step tariff"),
        uint8("et77_entries", "M", default=d.BT30_ITEMS),
        uint16("et79_entries", "M", default=entry_count(79)),
        uint32("unicast_key_uses", "M", "good and failed"),
        uint32("broadcast_key_uses", "M", "good and failed"),
        bits(
            "security_modes",
            bit("rc4", "F", "mode 0", default=1),
            filler(1),
            bit("aes", "F", "mode 2: where there is a random source to trust", default=1),
            filler(5),
        ),
        array(
            "modules",
            d.ET11_MODULES,
            octets("record", d.ET11_MODULE_SIZE, "M", "reserved"),
            by="ET11.32",
        ),
    ),
    cited(
        "MEP p.138",
        reserved(4),
        uint16("tamper_adc", "M", "external tamper input"),
        uint8("transaction_locked", "M", "ET52 and ET53, by EP61"),
        uint8("transaction_channel", "M", "who holds the lock: 0 nobody, 1 or 2 a MEP client"),
        uint32("failure_code", "M", "procedure in the high half, its code in the low"),
    ),
)

ET54 = Table(
    "ET54",
    "Meter status",
    read=READ,
    write=None,
    source=live("status"),
    doc="What others have to know of the meter's state, the random delays of its relays, and how "
    "often its keys were used.",
    departs="The guides call a field of the module records UINT32 that has two octets by its "
    "neighbours' offsets; the records are reserved here.",
    fields=(
        _CAPABLE,
        _relay(1, "MEP p.134-135", "MEP p.135"),
        _METER,
        _relay(2, "MEP p.138", "MEP p.138-139"),
    ),
)

ET17 = Table(
    "ET17",
    "Download verification",
    read=READ,
    write=None,
    source=fixed(),
    origin=PROFILE,
    doc="Which packets of a download are there (profile 24). No download can be started yet, and "
    "all is 0.",
    fields=(
        cited(
            "profile 24",
            uint8("state", "M", "0 no download"),
            uint8("active_bank", "M", "0 A, 1 B"),
            uint32("image_length", "M", unit="octets"),
            uint16("packets", "M", "received"),
            uint32("crc_32", "M", "of what is there"),
            uint16("version", "M"),
            uint16("security_counter", "M"),
            uint8("last_error", "M", "0 none"),
            set_("received", d.ET11_VERIFICATION, "M", "packets, by number"),
        ),
    ),
)

PROCEDURES = (
    Procedure(
        "EP00",
        "Self calibration",
        family="configuration",
        rest="anything",
        results={5: "always"},
        doc="No door may calibrate (profile 6), and the element of this meter has nothing to "
        "adjust.",
        clause="ECH",
        origin=PROFILE,
    ),
    Procedure(
        "EP01",
        "Flash refresh",
        family="configuration",
        doc="What the registers counted since their last snapshot is written to flash.",
        clause="ECH",
        origin=PROFILE,
    ),
    Procedure(
        "EP28",
        "Battery on or off",
        family="configuration",
        parameters=(uint8("on", "H", "1 on, 0 off"),),
        results={3: "there is no battery to switch on"},
        doc="The board has no battery: off is done, on is not.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
)

TABLES = (ET54, ET17)
