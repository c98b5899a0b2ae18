"""Extended tables of status: ET54 of the meter, ET17 of a download; procedures of downloads and
those that look after the hardware."""

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
    int32,
    live,
    octets,
    reserved,
    served,
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

_STATES = (
    "0 no download, 1 erasing, 2 receiving, 3 complete, 4 verifying, 5 verified and about to "
    "restart, 6 a trial: the running bank is not confirmed, 7 failed, see `last_error`"
)
_ERRORS = (
    "0 none, 1 no header of a bank, 2 for another board, 3 of another bytecode, 4 of another "
    "length, 5 its SHA-256 differs, 6 not signed, 7 its signature is wrong, 8 its security "
    "counter is below this device's, 9 flash failed, 10 this device has no key, 11 the tries of a "
    "trial are used up, 12 the 72 hours of a trial are over, 13 the bank of a trial was damaged, "
    "14 given back, 15 not the image that EP10 named, 16 the confirmed bank was damaged"
)

ET17 = Table(
    "ET17",
    "Download verification",
    read=READ,
    write=None,
    source=served("download"),
    origin=PROFILE,
    doc="How far a download is, which of its packets are there, and what is said of a trial "
    "(profile 24). Without a download all is 0 but what is said of the running bank and the last "
    "error.",
    fields=(
        cited(
            "profile 24",
            uint8("state", "M", _STATES),
            uint8("active_bank", "M", "0 A, 1 B"),
            uint32("image_length", "M", "as in EP08", unit="octets"),
            uint16("packets", "M", "that are there"),
            uint32("crc_32", "M", "of the image (CRC-32 of IEEE 802.3); 0 until it is complete"),
            uint16("version", "M", "of the running bank, its low 16 bits"),
            uint16("security_counter", "M", "of the running bank, its low 16 bits"),
            uint8("last_error", "M", _ERRORS),
            set_("received", d.ET11_VERIFICATION, "M", "packets that are there, by number"),
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
        "EP08",
        "Erase code bank",
        family="download",
        parameters=cited(
            "profile 23", uint32("image_length", "H", "4097 to 192192", unit="octets")
        ),
        results={
            1: "it is being erased; then the result becomes 0",
            2: "no such length",
            3: "a trial is not confirmed, or this device has no key or no banks in flash",
        },
        doc="Begins a download into the code bank that is not running, which is erased first, in "
        "moments that nobody will miss. What was there of another download is gone.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
    Procedure(
        "EP09",
        "Download code packets",
        family="download",
        parameters=cited(
            "profile 23",
            uint16("packet", "H", "from 0"),
            octets("data", 56, "H", "octets 56 x packet and on; behind the image FF"),
        ),
        results={
            2: "no such packet",
            3: "no download, a trial, or flash failed",
            4: "the bank is being erased",
        },
        doc="One packet of an image, in any order and any number of times: what is there already "
        "is not written again, and other octets for it are not taken. Neither it nor its result "
        "is kept through a power cut.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
    Procedure(
        "EP10",
        "Switch code bank",
        family="download",
        parameters=cited(
            "profile 25",
            uint8("bank", "H", "0 A, 1 B"),
            octets("image_id", 8, "H", "SHA-256 of the bank's header, the first octets"),
        ),
        results={
            1: "it is verified; then the result becomes 0, and 5 s after that was read, or after "
            "60 s, the device restarts into the bank",
            2: "no such bank, or the running bank has another image",
            3: "a trial is not confirmed, no banks in flash, or not verified: ET17 has why",
            4: "a download is not complete; of a trial, the last ten minutes were not good",
        },
        doc="Names the other bank: it is verified and tried. Names the running bank in a trial: "
        "it is confirmed. Names the other bank in a trial: the trial ends, and the device "
        "restarts into the other bank.",
        clause="osgp.md 4",
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
