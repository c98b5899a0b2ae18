"""Extended decade 0: system information (OSGP ET04)."""

from tables.dimensions import ET04_OUTAGES
from tables.schema import (
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    int16,
    kept,
    ltime,
    octets,
    reserved,
    uint8,
    uint16,
    uint32,
)

_FCM = "set by commissioning only (profile 17)"

_ADDRESS = cited(
    "MEP p.57",
    octets("transceiver_id", 6, "M", "unique id of the transceiver"),
    uint8("subnet", "H/M", "0: not a member", closed=_FCM),
    uint8("node", "H/M", "0: not a member", closed=_FCM),
    bits(
        "neuron",
        bit("explicit_message", "M", "a request came on the power line"),
        bit("force_configuration", "H/M", "resets the transceiver; leaves our keys (profile 3)"),
        bit("request_state", "H/M", "asks for neuron_state, then clears itself"),
        bit("disable_encryption", "H", "clear text is taken too (profile 3)"),
        bit("disable_eeprom_lock", "H"),
        bit("phase", "M", "0 no inversion, 1-6 by 60 degrees", width=3),
    ),
)

_RATING = cited(
    "MEP p.58",
    uint8("rated_frequency", "H", unit="Hz", default=50),
    octets("program_id", 8, "M", "of the running firmware"),
    octets("self_identification", 30, "M", "of the transceiver"),
    uint8("pk_access", "H", "1: PK is off"),
    uint8("outages_recorded", "P", "in ET09 and ET10", default=ET04_OUTAGES),
    uint8("unused_54", "F", default=4),
    uint8("energy_registers", "P", "in ET12", default=4),
    uint16("registration_current", "H", "starting current", unit="mA", default=10),
    uint16("max_current", "H", unit="A", default=100),
    uint16("rated_voltage", "H", unit="V", default=230),
)

_PHASES = cited(
    "MEP p.58-60",
    bits(
        "inactive_phases",
        bit("voltage_l1", "H", "1: not present"),
        bit("voltage_l2", "H"),
        bit("voltage_l3", "H"),
        bit("separate_current", "H", "1: the current bits count"),
        bit("current_l1", "H"),
        bit("current_l2", "H"),
        bit("current_l3", "H"),
        bit("reserved", "H"),
    ),
)

_MODES = (
    cited(
        "MEP p.60",
        int16("dst_off_delta", "H", "end of daylight saving, from BT53.0", unit="min", default=60),
        uint8("self_read_hour", "H"),
        uint8("self_read_minute", "H"),
        uint8("stop_mode_days", "H", "0: never"),
        octets("manufacturer_status", 3, "H", "reserved", closed="internal (MEP p.60)"),
    ),
    cited(
        "MEP p.60-61",
        bits(
            "access",
            bit("rk_clock_off", "H", "1: RK may not call BP10 and EP16"),
            bit("test_point", "H"),
            bit("test_point_confirmed", "H"),
            bit("profile_skipped", "H", "1: extended status 4 is used"),
            filler(4),
        ),
    ),
)

_STATE = cited(
    "MEP p.61",
    uint8("neuron_state", "M", "2, 3 unconfigured, 4 online, 6, 12 offline, 255 no reply"),
    uint8("phase_rotation", "M", "0 L1L2L3, 1 L3L2L1, 2 unknown", default=2),
    uint16("plc_inactive_time", "H", "alarm after it; 0: off", unit="min"),
    ltime("broadcast_receipt", "M", "UTC of the last secure broadcast"),
    uint32("broadcast_base", "H", "B, the next number; goes up only (profile 21)"),
)

_LINE = (
    cited(
        "MEP p.62",
        uint16("broadcast_delta", "H", "D, numbers from B on that are good (profile 21)"),
        uint16("reverse_energy_current", "F", "of the alarm", unit="mA", default=1000),
    ),
    cited(
        "MEP p.62-63",
        uint8("plc_signal_quality", "M", "0 no traffic, 1 not ours, 2-4 margin, 5-7 then silent"),
    ),
    cited(
        "MEP p.63",
        uint16("discovery_turnaround", "H", "added to 330", unit="bit times"),
        uint16("discovery_timeout", "H", "added to 50", unit="ms"),
        uint8("discovery_disable", "H", "not 0: no MEP discovery"),
        int16("gain_sensitivity", "H", "of the amplifier gain detection"),
        uint16("outage_events_after", "H", "shorter outages are no event", unit="s"),
        uint16("nvm_size", "F", "for data; filled in at start", unit="KiB"),
        uint8("safe_image_locked", "H"),
        reserved(4, "MEP sequence number before firmware 4.0"),
        uint16("unused_107", "H"),
        uint8("generation", "H", "1: the premise generates"),
    ),
)

_ALARMS = (
    cited("MEP p.63-64", uint8("outage_threshold", "H", unit="% of rated", default=72)),
    cited(
        "MEP p.64",
        uint8("phase_loss_threshold", "H", unit="% of rated", default=61),
        uint8("form", "M", "0: IEC"),
    ),
    cited(
        "MEP p.65",
        uint8("clock_error_tier", "H", "0-3"),
        uint16("c1219_flags", "H", "unused"),
        uint8("idt_version", "M", "+1 whenever ET42 or the firmware changes"),
        uint8("tilt_time", "H", "255: tilt always counts", unit="s", default=30),
        uint16("min_registration_current", "H", unit="mA", default=10),
        uint8("registration_fraction", "H", unit="0.1 mA", default=17),
        bits("alarms", bit("constant_phase_loss", "H"), filler(7)),
    ),
    cited("MEP p.65-66", uint8("power_up_wait", "H", unit="s")),
)

_SECURITY = (
    cited(
        "MEP p.66-67",
        uint32("max_key_usage", "F", "good and failed uses of a key", default=1000000),
        uint8("security_mode", "F/M", "0 RC4, 2 AES; by commissioning only (profile 11)"),
    ),
    cited(
        "MEP p.67",
        uint8("fcm_count", "M", "today, at most 100; those that failed (profile 15)"),
        array("mep_sequence", 2, uint32("number", "M"), by="MEP ports"),
        uint8("reverse_energy_ms", "H", unit="ms"),
        uint16("reverse_energy_s", "H", unit="s", default=10),
    ),
)

ET04 = Table(
    "ET04",
    "System information",
    read=READ,
    write=PROVISION,
    source=kept("system"),
    doc="Address, ratings, state of the power line, security. An octet of bits is the host's as "
    "a whole; the application writes its own bits again before a read.",
    departs="Subnet and node cannot be written as tables: they change by commissioning, all or "
    "nothing. A broadcast base below the one in force is not taken over.",
    fields=(
        cited("MEP p.56", uint32("sequence_number", "M", "the next one on the power line")),
        _ADDRESS,
        _RATING,
        _PHASES,
        _MODES,
        _STATE,
        _LINE,
        _ALARMS,
        _SECURITY,
    ),
)

TABLES = (ET04,)
