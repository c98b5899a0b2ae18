"""The hardware (OSGP ET02, ET29, ET70, ET76)."""

from tables.schema import (
    MASTER,
    PROFILE,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    int16,
    reserved,
    stored,
    uint8,
    uint16,
)

ET02 = Table(
    "ET02",
    "Battery and RTC",
    read=READ,
    write=MASTER,
    source=stored(),
    origin=PROFILE,
    doc="The guides call it Battery Information, with the voltage that a low battery alarm begins "
    "at (OPT p.61), and RTC Calibration (MEP p.260).",
    departs="There is neither a battery nor a clock that runs without power: kept and not used.",
    fields=(
        cited(
            "profile: ET02",
            uint16("low_battery", "H", "the alarm begins below it; 0: never", unit="mV"),
            uint16("battery", "M", "0: there is none", unit="mV"),
            int16("rtc_calibration", "H", "what the clock is slow by", unit="0.1 ppm"),
        ),
    ),
)

_OPTIONS = cited(
    "MEP p.100-101",
    bits(
        "options",
        bit("pulse_output", "F", default=1),
        bit("pulse_input_1", "F", default=1),
        bit("pulse_input_2", "F", default=1),
        filler(2),
        bit("disconnect", "F", default=1),
        bit("control_relay_1", "F", default=1),
        bit("control_relay_2", "F"),
        bit("mbus", "F", default=1),
        bit("cover_tamper", "F", default=1),
        bit("mep_1", "F", default=1),
        bit("disconnect_sensor", "F"),
        bit("magnetic_tamper", "F", default=1),
        bit("noise_detection_off", "F", default=1),
        bit("two_line_disconnect", "F", default=1),
        bit("no_metering", "F"),
        bit("no_lcd", "F"),
        bit("external_ct", "F"),
        bit("backup_power", "F"),
        bit("external_disconnect", "F"),
        bit("external_voltage", "F"),
        bit("voltage_inverted", "F"),
        bit("non_latching_relay", "F"),
        bit("mep_2", "F"),
        size=3,
    ),
)

_EXTENDED_OPTIONS = cited(
    "MEP p.102-103",
    bits(
        "extended_options",
        bit("two_sensors_refresh", "F"),
        bit("toggle_button", "F", default=1),
        filler(1),
        bit("backlight", "F"),
        bit("buzzer", "F"),
        bit("battery", "F", "0 none, 1 standard, 3 supercap", width=2),
        bit("earth_fault", "F"),
        bit("external_tamper_1", "F"),
        bit("external_tamper_2", "F"),
        bit("pulse_output_2", "F"),
        bit("security_chip", "F"),
        bit("last_gasp", "F"),
        bit("relay_1_latching", "F"),
        bit("relay_2_latching", "F"),
        filler(17),
        size=4,
    ),
)

_MATRIX = (
    uint8("board", "F", "1 wireless, 2 wired, 3 PLC"),
    uint8("port", "F", "1 MEP, 2 M-Bus, 3 PLC"),
    uint8("number", "F", "of the MEP client"),
)

ET29 = Table(
    "ET29",
    "Hardware configuration",
    read=READ,
    write=None,
    source=fixed(),
    doc="What a meter of this firmware has. What is not wired on a board is played by its stub.",
    fields=(
        _OPTIONS,
        cited("MEP p.101", reserved(2)),
        cited(
            "MEP p.101-102",
            bits(
                "configuration",
                bit("single_phase", "F", default=1),
                bit("polyphase", "F"),
                filler(4),
                bit("pulse_relay", "F"),
                bit("power_boost", "F"),
            ),
            reserved(18),
            array(
                "ports",
                3,
                _MATRIX,
                by="USARTs",
                default=(
                    {"board": 3, "port": 3},
                    {"board": 2, "port": 1, "number": 1},
                    {"board": 2, "port": 2},
                ),
            ),
        ),
        _EXTENDED_OPTIONS,
        cited(
            "MEP p.103",
            reserved(10),
            bits(
                "current_sensors",
                bit("line", "F", "0 shunt, 1 coil; 2 in a single-phase meter", width=5, default=2),
                bit("neutral", "F", "0 shunt, 1 coil, 2 earth fault", width=3, default=2),
            ),
            reserved(6, "ports of a P2P meter"),
        ),
    ),
)

ET70 = Table(
    "ET70",
    "RAM-only status",
    read=READ,
    write=None,
    source=fixed(),
    doc="Tells a MEP client which port it is at.",
    departs="Always 1, whoever asks: there is one MEP port.",
    fields=(
        cited(
            "MEP p.174",
            reserved(142),
            uint8("channel", "M", "1 MEP client 1, 2 MEP client 2", default=1),
            reserved(13),
        ),
    ),
)

ET76 = Table(
    "ET76",
    "Externally configurable hardware options",
    read=READ,
    write=MASTER,
    source=stored(),
    origin=PROFILE,
    doc="The guides name it, say that it maps to the options of ET29 (MEP p.99) and place one bit "
    "of it (MEP p.59); meters do not have it.",
    departs="Kept and not used: nothing of this hardware is configured from outside.",
    fields=(
        cited(
            "profile: ET76",
            bits(
                "options",
                bit("lower", "H", "options 0 to 12", width=13),
                bit("separate_zero_cross", "H", "MEP p.59"),
                bit("upper", "H", "options 14 to 23", width=10),
                size=3,
            ),
        ),
    ),
)

TABLES = (ET02, ET29, ET70, ET76)
