"""Decade 2: registers (ANSI C12.19 decade 2)."""

from tables.dimensions import (
    BT20_COINCIDENTS,
    BT20_SELF_READS,
    BT21_COINCIDENTS,
    BT21_CONTINUOUS,
    BT21_CUMULATIVE,
    BT21_DATE_TIME,
    BT21_DEMANDS,
    BT21_OCCURRENCES,
    BT21_PRESENT_DEMANDS,
    BT21_PRESENT_VALUES,
    BT21_RESET_COUNTER,
    BT21_RESET_LOCK,
    BT21_SEASON,
    BT21_SELF_READS,
    BT21_SUMMATIONS,
    BT21_TIERS,
    BT21_TIME_REMAINING,
)
from tables.schema import (
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    live,
    ni1,
    ni2,
    record,
    set_,
    stime,
    time,
    uint8,
    when,
)

# Name, source id (MEP p.204) and meaning of the accumulated values, in the order of BT23.
_SUMMATIONS = (
    ("forward_wh", 0, "Wh", "active energy taken, all phases"),
    ("reverse_wh", 1, "Wh", "active energy given, all phases"),
    ("import_varh", 2, "varh", "reactive energy taken"),
    ("export_varh", 3, "varh", "reactive energy given"),
    ("outage_time", 4, "s", "without power; not by tier"),
    ("outages", 5, "", "power outages; not by tier"),
    ("sum_wh", 6, "Wh", "forward + reverse"),
    ("net_wh", 7, "Wh", "forward - reverse, at least 0"),
    ("pulses_1", 26, "", "pulse input 1; not by tier"),
    ("pulses_2", 27, "", "pulse input 2; not by tier"),
    ("errors", 28, "", "memory, measurement and save errors; not by tier"),
    ("q1_varh", 108, "varh", "reactive energy of quadrant 1"),
    ("q2_varh", 109, "varh", "reactive energy of quadrant 2"),
    ("q3_varh", 110, "varh", "reactive energy of quadrant 3"),
    ("q4_varh", 111, "varh", "reactive energy of quadrant 4"),
)

# Source ids of the demands, in the order of BT23, and of the present ones in that of BT28. The
# guides leave the choice to the head-end; this one is by profile: all powers that are metered as
# energy.
_DEMANDS = (8, 9, 10, 11, 104, 105, 106, 107)
_PRESENT_DEMANDS = (88, 89, 90, 91, 92, 93, 94, 95)

# Name, source id and unit of the instantaneous values, in the order of BT28 (MEP p.216-217).
_PRESENT_VALUES = (
    ("forward_w", 8, "W"),
    ("reverse_w", 9, "W"),
    ("import_var", 10, "var"),
    ("export_var", 11, "var"),
    ("current_l1", 12, "mA"),
    ("current_l2", 13, "mA"),
    ("current_l3", 14, "mA"),
    ("voltage_l1", 15, "mV"),
    ("voltage_l2", 16, "mV"),
    ("voltage_l3", 17, "mV"),
    ("power_factor_l1", 18, "1/1000"),
    ("frequency", 19, "mHz"),
    ("apparent_va", 20, "VA"),
    ("power_factor_l2", 21, "1/1000"),
    ("power_factor_l3", 22, "1/1000"),
    ("sine_l1", 23, "1/1000"),
    ("sine_l2", 24, "1/1000"),
    ("sine_l3", 25, "1/1000"),
    ("forward_w_primary", 81, "W"),
    ("reverse_w_primary", 82, "W"),
    ("import_var_primary", 83, "var"),
    ("export_var_primary", 84, "var"),
    ("q1_var", 104, "var"),
    ("q2_var", 105, "var"),
    ("q3_var", 106, "var"),
    ("q4_var", 107, "var"),
)


def _dimensions(clause_flags, clause_numbers, who, self_reads, coincidents):
    """BT20 and BT21 have one layout: the most there can be, and what is configured."""
    return (
        cited(
            clause_flags,
            bits(
                "function_1",
                bit("season", "F", "season fields in BT24-BT26", default=BT21_SEASON),
                bit("date_time", "F", "time fields in BT23-BT26", default=BT21_DATE_TIME),
                bit("reset_counter", who, "demand resets in BT23", default=BT21_RESET_COUNTER),
                bit("reset_lock", who, "demand resets can be locked", default=BT21_RESET_LOCK),
                bit("cumulative", who, "cumulative demand in BT23", default=BT21_CUMULATIVE),
                bit("continuous", who, "continuous cumulative", default=BT21_CONTINUOUS),
                bit("time_remaining", "P", "in BT28", default=BT21_TIME_REMAINING),
                filler(1),
            ),
            bits(
                "function_2",
                bit("self_read_inhibit", "F"),
                bit("self_read_sequence", "P", "a BIDN in BT26", default=1),
                bit("daily_self_read", "F", default=1),
                bit("weekly_self_read", "F", default=1),
                bit("self_read_demand", "P", "one never causes the other", width=2),
                filler(2),
            ),
        ),
        cited(
            clause_numbers,
            uint8("self_reads", who, default=self_reads),
            uint8("summations", who, default=BT21_SUMMATIONS),
            uint8("demands", who, default=BT21_DEMANDS),
            uint8("coincidents", who, default=coincidents),
            uint8("occurrences", who, default=BT21_OCCURRENCES),
            uint8("tiers", "P", default=BT21_TIERS),
            uint8("present_demands", who, default=BT21_PRESENT_DEMANDS),
            uint8("present_values", who, default=BT21_PRESENT_VALUES),
        ),
    )


BT20 = Table(
    "BT20",
    "Dimension registers",
    read=READ,
    write=None,
    source=fixed(),
    doc="The most that the tables BT22-BT28 can hold, as the guide's sample meter says it. What "
    "they hold is BT21, which cannot be changed in this meter.",
    fields=_dimensions("OPT p.20-21", "OPT p.21", "P", BT20_SELF_READS, BT20_COINCIDENTS),
)

BT21 = Table(
    "BT21",
    "Actual registers",
    read=READ,
    write=None,
    source=fixed(),
    doc="What the tables BT22-BT28 hold.",
    fields=_dimensions("MEP p.201", "MEP p.202", "M", BT21_SELF_READS, BT21_COINCIDENTS),
)

BT22 = Table(
    "BT22",
    "Data selection",
    read=READ,
    write=None,
    source=fixed(),
    doc="The source id of each value of BT23, in its order.",
    fields=(
        cited(
            "MEP p.203",
            array(
                "summations",
                BT21_SUMMATIONS,
                uint8("source", "M"),
                by="BT21.3",
                default=[row[1] for row in _SUMMATIONS[:BT21_SUMMATIONS]],
            ),
            array(
                "demands",
                BT21_DEMANDS,
                uint8("source", "M"),
                by="BT21.4",
                default=_DEMANDS[:BT21_DEMANDS],
            ),
            set_(
                "maxima",
                (BT21_DEMANDS + 7) // 8,
                "M",
                "demands that are maxima",
                default=tuple(range(BT21_DEMANDS)),
            ),
            array("coincidents", BT21_COINCIDENTS, uint8("source", "M"), by="BT21.5"),
            array("coincident_demands", BT21_COINCIDENTS, uint8("demand", "M"), by="BT21.5"),
        ),
    ),
)


def _register_block():
    """Summations, demands and coincident values: once in total, once for each tier."""
    return (
        cited(
            "MEP p.208-210",
            record(
                "summations",
                *[
                    ni1(name, "M", doc, unit=unit)
                    for name, _, unit, doc in _SUMMATIONS[:BT21_SUMMATIONS]
                ],
            ),
        ),
        cited(
            "MEP p.210",
            array(
                "demands",
                BT21_DEMANDS,
                (
                    when(
                        BT21_DATE_TIME,
                        "BT21.0.1",
                        array(
                            "times",
                            BT21_OCCURRENCES,
                            stime("time", "M", "local end of the interval"),
                            by="BT21.6",
                        ),
                    ),
                    when(
                        BT21_CUMULATIVE,
                        "BT21.0.4",
                        ni1("cumulative", "M", "sum of the maxima at all demand resets"),
                    ),
                    when(
                        BT21_CONTINUOUS,
                        "BT21.0.5",
                        ni1("continuous", "M", "the same and the present maximum"),
                    ),
                    array(
                        "values",
                        BT21_OCCURRENCES,
                        ni2("demand", "M", "maximum since the last demand reset"),
                        by="BT21.6",
                    ),
                ),
                by="BT21.4",
            ),
            array(
                "coincidents",
                BT21_COINCIDENTS,
                array("values", BT21_OCCURRENCES, ni2("value", "M"), by="BT21.6"),
                by="BT21.5",
            ),
        ),
    )


def register_data():
    """The total block and the tiers': what BT23-BT26 have in common."""
    return (
        record("total", *_register_block()),
        array("tiers", BT21_TIERS, _register_block(), by="BT21.7"),
    )


def _demand_resets():
    """The first field of BT23 and of each copy of it."""
    return when(
        BT21_RESET_COUNTER, "BT21.0.2", uint8("demand_resets", "M", "begins again after 255")
    )


def register_copy(clause):
    """BT23 as it stands in a log: its octets, one field after the other."""
    return (cited(clause, _demand_resets()), register_data())


BT23 = Table(
    "BT23",
    "Current registers",
    read=READ,
    write=None,
    source=live("registers"),
    doc="The total, then the same for each tier. Demands are averages of a quarter hour by UTC; "
    "one that ends in a tier counts in its block.",
    departs="The guides let MAK write it; this meter never lets a register be set.",
    fields=register_copy("MEP p.208"),
)

BT27 = Table(
    "BT27",
    "Present register selection",
    read=READ,
    write=None,
    source=fixed(),
    doc="The source id of each value of BT28, in its order.",
    fields=(
        cited(
            "MEP p.214",
            array(
                "demands",
                BT21_PRESENT_DEMANDS,
                uint8("source", "F"),
                by="BT21.8",
                default=_PRESENT_DEMANDS[:BT21_PRESENT_DEMANDS],
            ),
            array(
                "values",
                BT21_PRESENT_VALUES,
                uint8("source", "F"),
                by="BT21.9",
                default=[row[1] for row in _PRESENT_VALUES[:BT21_PRESENT_VALUES]],
            ),
        ),
    ),
)

BT28 = Table(
    "BT28",
    "Present registers",
    read=READ,
    write=None,
    source=live("measuring element"),
    doc="Instantaneous values. Those named primary are multiplied by the ratios of BT15 when "
    "BT15 says so.",
    fields=(
        cited(
            "MEP p.215",
            array(
                "demands",
                BT21_PRESENT_DEMANDS,
                (
                    when(BT21_TIME_REMAINING, "BT21.0.6", time("time_remaining", "M")),
                    ni2("demand", "M"),
                ),
                by="BT21.8",
            ),
        ),
        cited(
            "MEP p.216-217",
            record(
                "values",
                *[
                    ni1(name, "M", unit=unit)
                    for name, _, unit in _PRESENT_VALUES[:BT21_PRESENT_VALUES]
                ],
            ),
        ),
    ),
)

TABLES = (BT20, BT21, BT22, BT23, BT27, BT28)
