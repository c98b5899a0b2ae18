"""Extended decade 5: the configuration of the meter (OSGP ET55)."""

from tables.dimensions import BT21_TIERS
from tables.schema import (
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    int8,
    int16,
    ltime,
    octets,
    reserved,
    stored,
    text,
    uint8,
    uint16,
    uint32,
)

_READ_ONCE = "set when the meter is made (MEP p.159)"

_LINE = (
    cited(
        "MEP p.140",
        reserved(3),
        bits(
            "tariffs",
            filler(1),
            bit("consumption_enabled", "H", "the consumption-based tariff"),
            filler(3),
            bit("step_enabled", "H", "the step tariff"),
            filler(2),
        ),
        uint8("clock_rate", "H", "of EP16, 0-16", unit="s/min", default=1),
    ),
    cited(
        "MEP p.141",
        reserved(9),
        int8("signal_threshold", "H", "-84: every message counts", unit="dB", default=-84),
        uint16("plc_active_timeout", "H", "then no ATM answers", unit="min", default=60),
        reserved(3),
        uint8("plc_lockout_threshold", "H", "failures in a row, from 30; 0: never"),
        uint8("plc_lockout_duration", "H", unit="min"),
    ),
    cited(
        "MEP p.142",
        uint8("optical_lockout_threshold", "H", "failures in a row; 0: never"),
        uint8("optical_lockout_duration", "H", unit="min"),
        reserved(28),
    ),
)

_MESSAGE = (
    cited("MEP p.142", octets("message_id", 5, "H", "left to right; OBIS code of a free text")),
    cited(
        "MEP p.143",
        uint8("message_points", "H", "decimal points of the id, bit 0 on the right"),
        text("message_text", 8, "M", "what the display shows"),
        ltime("message_start", "M", "UTC"),
    ),
    cited("MEP p.144", ltime("message_end", "M", "UTC; before the start: no message")),
    cited(
        "MEP p.145-146",
        bits(
            "message_override",
            bit("disabled", "H", "1: the push button does not take it away"),
            bit("overridden", "H/M", "1: it is not shown any more"),
            bit("not_scrolled", "H", "1: it does not go on in the primary list"),
            filler(5),
        ),
    ),
)

_OVER_POWER = (
    cited(
        "MEP p.146",
        uint16("phase_loss_time", "H", "before the event", unit="s", default=10),
        bits(
            "tariffs_disabled",
            bit("reserved_0", "-", default=1),
            bit("consumption", "H", "1: the consumption-based tariff is off"),
            bit("reserved_2", "-"),
            bit("step", "H", "1: the step tariff is off"),
            filler(4),
        ),
    ),
    cited(
        "MEP p.147",
        uint32("over_power", "H", "threshold of the consumption-based tariff", unit="W"),
        uint16("over_power_time", "H", "before it holds", unit="s"),
        uint8("over_power_tier", "H", "the tier while it holds"),
        uint8("over_power_source", "H", "0 forward + reverse, 1 forward, 2 forward - reverse"),
        reserved(4),
    ),
    cited(
        "MEP p.148",
        uint8("transformer_current", "H", "of the secondary side", unit="A", default=1),
        uint32("clock_error_calendar", "H", "calendar id shown in a clock error"),
        uint32("over_power_calendar", "H", "calendar id shown in the consumption-based tariff"),
        reserved(1),
    ),
)

_DETECTION = (
    cited(
        "MEP p.149",
        uint16("cover_removed_time", "H", "lower cover; 0: off", unit="s", default=10),
        uint16("cover_quality_time", "H", "unused from firmware 4", unit="s", default=10),
    ),
    cited(
        "MEP p.149-150",
        bits(
            "cover_quality_events",
            bit("phase_loss", "H", "unused from firmware 4"),
            bit("missing_phase_current", "H"),
            bit("subsequent_outage", "H"),
            bit("preceding_outage", "H"),
            filler(12),
            size=2,
        ),
    ),
    cited("MEP p.150", uint8("primary_profile", "H", "load profile data set, less 1: 0-3")),
    cited(
        "MEP p.151",
        int16("noise_threshold", "H", "above 512: off"),
        uint16("noise_time", "H", unit="s"),
    ),
    cited("MEP p.151-152", uint16("earth_fault_current", "H", unit="mA")),
    cited(
        "MEP p.152",
        uint8("reserved_117", "H", "reserved"),
        uint16("earth_fault_time", "H", unit="s"),
        uint16("broken_conductor_time", "M", unit="s", default=600),
        uint16("zero_fault_time", "M", "0: off", unit="s", default=10),
    ),
    cited(
        "MEP p.153",
        uint8("normal_upper", "M", unit="% of rated", default=115),
        uint8("normal_lower", "M", unit="% of rated", default=85),
        uint8("low_upper", "M", unit="% of rated", default=60),
    ),
    cited(
        "MEP p.153-154",
        uint8("fluctuation_limit", "M", unit="%", default=5),
        reserved(1, "no field in the guide"),
    ),
)

_TARIFFS = (
    cited(
        "MEP p.154",
        array(
            "prepay_rates",
            4,
            uint32("rate", "H", "of tiers 5 to 8, at most 1,000,000", unit="Wh/kWh"),
            by="tiers 5-8",
        ),
    ),
    cited(
        "MEP p.154-155",
        uint16("reverse_energy_current", "F", "of the alarm", unit="mA", default=1000),
    ),
    cited(
        "MEP p.155",
        array(
            "step_thresholds",
            BT21_TIERS - 1,
            uint32("threshold", "H", "0: no step", unit="energy register units"),
            by="BT20.7",
        ),
        uint8(
            "step_source",
            "H",
            "0 forward Wh, 1 reverse, 2 forward + reverse, 3 forward - reverse",
        ),
        uint32("step_calendar", "H", "calendar id in the step tariff"),
    ),
    cited(
        "MEP p.156",
        uint8("step_reset_day", "H", "of the month, 1-28", default=1),
        uint8("step_reset_hour", "H", "local"),
        uint8("step_reset_minute", "H"),
        uint8("step_reset_second", "H"),
        uint8("reserved_168", "H", "reserved"),
    ),
)

_VOLTAGE = (
    cited("MEP p.156", uint16("rms_cycles", "H", "of an RMS voltage, 10-800", default=15)),
    cited(
        "MEP p.157",
        uint16("average_time", "H", "of an average voltage", unit="s", default=600),
        uint16("averages", "H", "average voltages of nlc and nlp", default=1008),
        uint32("proper_upper", "H", "proper range, above rated", unit="mV"),
    ),
    cited(
        "MEP p.158",
        uint32("proper_lower", "H", "proper range, below rated", unit="mV"),
        uint32("medium_upper", "H", "beyond the proper range", unit="mV"),
        uint32("medium_lower", "H", "beyond the proper range", unit="mV"),
        uint16("disturbance_shortest", "H", unit="mains cycles", default=1),
        uint16("disturbance_longest", "H", unit="mains cycles", default=180),
        uint8("interruption_threshold", "H", unit="% of rated", default=10),
        uint8("sag_threshold", "H", unit="% of rated", default=90),
        uint8("swell_threshold", "H", unit="% of rated", default=110),
    ),
    cited(
        "MEP p.158-159",
        uint8("energy_unit", "H", "1, 10 or 100", unit="Wh", default=1, closed=_READ_ONCE),
    ),
)

_PORTS = (
    cited(
        "MEP p.159",
        bits(
            "mep_flags",
            bit("house_icon", "H", "0 nobody, 1 or 2 the MEP client that sets it", width=2),
            bit("discovery_confirmed", "H", "M-Bus discovery confirms itself"),
            filler(5),
        ),
    ),
    cited(
        "MEP p.160",
        bits(
            "optical",
            bit("session_limited", "H", "1: the two times below count"),
            bit("disabled", "H", "1: the optical port is off"),
            filler(6),
        ),
        uint16("optical_session", "H", "the longest session", unit="s", default=600),
        uint16("optical_hold_off", "H", "before the next", unit="s", default=300),
        bits(
            "external_tampers",
            bit("input_1", "H", "is used", default=1),
            bit("input_2", "H", "is used", default=1),
            filler(6),
        ),
    ),
    cited(
        "MEP p.161",
        array(
            "tamper_levels",
            3,
            int16("level", "H", "below: both inputs, input 2, input 1"),
            by="both, 2, 1",
        ),
        uint8("external_tamper_time", "H", "0: off", unit="s", default=5),
    ),
    cited(
        "MEP p.162",
        uint16("upper_cover_time", "H", "upper cover; 0: off", unit="s", default=10),
        uint16("magnetic_tamper_time", "H", "0: off", unit="s", default=10),
        uint8("apparent_method", "H", "0 U x I, 1 from W and var"),
    ),
    cited(
        "MEP p.162-163",
        bits("locks", bit("bev", "H", "primary load profile for billing"), filler(15), size=2),
    ),
    cited("MEP p.163", uint8("reverse_energy_msb", "H", "above reverse_energy_current")),
)

ET55 = Table(
    "ET55",
    "Meter configuration",
    read=READ,
    write=PROVISION,
    source=stored("configuration"),
    doc="Clock rate, lockouts, display message, consumption-based and step tariffs, detection of "
    "faults, primary load profile, ports.",
    departs="The offsets are those of the column for firmware 4.0 and later, because this meter "
    "has what came with it (ET11 beyond octet 31, ET97, security modes). In that column the "
    "octets from 56 on lie one later than in the other, and A is 159 with four tiers. The guides "
    "place the lockouts inside a reserved range. Fields without a VCI there (disabled "
    "tariffs, voltage quality, MEP flags) a host may set.",
    fields=(_LINE, _MESSAGE, _OVER_POWER, _DETECTION, _TARIFFS, _VOLTAGE, _PORTS),
)

TABLES = (ET55,)
PROCEDURES = ()
