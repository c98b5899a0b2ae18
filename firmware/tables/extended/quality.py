"""Power quality (OSGP ET09, ET71, ET80)."""

from tables.dimensions import ET04_OUTAGES, ET11_DELTA_ALERTS
from tables.schema import (
    MASTER,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    int32,
    live,
    ltime,
    ni1,
    reserved,
    stored,
    uint8,
    uint16,
    uint32,
)

PHASES = ("l1", "l2", "l3")

_THRESHOLDS = cited(
    "MEP p.68-69",
    uint16(
        "long_outage",
        "H",
        "shorter outages are only counted; 0: all are recorded",
        unit="s",
    ),
    uint8("sag_minutes", "H", "that a sag or a surge has to last", unit="min"),
    uint8("sag", "H", unit="% under rated", default=10),
    uint8("surge", "H", unit="% over rated", default=10),
    uint8("over_current", "H", "of ET04.58", unit="% over"),
)

_OUTAGES = array(
    "outages",
    ET04_OUTAGES,
    cited(
        "MEP p.69-70",
        ltime("power_on", "M", "UTC"),
        uint8("cause", "M", "3 power failure; 8 brown-out, which this meter cannot tell"),
        uint8("internal", "M", "reserved"),
        ltime("power_off", "M", "UTC"),
        uint32("duration", "M", unit="s"),
    ),
    by="ET04.53",
)


def _events(name, text):
    """Time of the last one and number of them, for each phase."""
    return array(
        name,
        len(PHASES),
        (ltime("last", "M", f"begin of the last {text}, UTC"), uint16("events", "M")),
        by="phases",
    )


def _voltages(name, text):
    return array(name, len(PHASES), ni1("voltage", "M", text, unit="mV"), by="phases")


_COUNTED = (
    cited("MEP p.70", _events("sags", "sag")),
    cited("MEP p.70-71", _events("surges", "surge")),
    cited(
        "MEP p.71",
        int32("min_frequency", "M", "0: not measured yet", unit="mHz"),
        ltime("min_frequency_time", "M", "UTC"),
        int32("max_frequency", "M", unit="mHz"),
        ltime("max_frequency_time", "M", "UTC"),
        array("over_currents", len(PHASES), uint32("events", "M"), by="phases"),
    ),
    cited(
        "MEP p.72",
        bits(
            "phase_loss",
            bit("l1", "M", "1: lost"),
            bit("l2", "M"),
            bit("l3", "M"),
            filler(5),
        ),
    ),
    cited("MEP p.72-73", _events("phase_losses", "phase loss")),
    cited(
        "MEP p.73",
        _voltages("sag_voltages", "lowest of the last sag"),
        _voltages("surge_voltages", "highest of the last surge"),
        uint32("short_outages", "M"),
        uint32("configuration_id", "H", "of the thresholds; the meter does not use it"),
        uint8("sag_seconds", "H", "added to sag_minutes", unit="s"),
    ),
)

_TIMES = cited(
    "MEP p.74",
    uint8("hold", "H", "after power-up, before anything is recorded", unit="s", default=2),
    uint16("over_current_time", "H", "that an over-current has to last; 0: any", unit="s"),
)

_DISTORTION = array(
    "distortions",
    3,
    (
        cited(
            "MEP p.74",
            uint16("time", "H", "that THD has to last; 0: any, by tens", unit="s"),
            uint16("threshold", "H", "0: no event is recorded", unit="0.1 %"),
        ),
        array(
            "phases",
            len(PHASES),
            (
                cited(
                    "MEP p.74-75",
                    uint16("events", "M"),
                    ltime("last", "M", "begin of the last one, UTC"),
                    uint16("maximum", "M", "of the last one", unit="0.1 %"),
                    ltime("maximum_time", "M", "UTC"),
                    uint16("average", "M", "of the last one", unit="0.1 %"),
                ),
                cited("MEP p.74", reserved(4, "records of 22 octets, of which 18 are named")),
            ),
            by="phases",
        ),
    ),
    by="voltage, current, VA",
)

_LATER_METERS = (
    array(
        "transgressions",
        12,
        cited(
            "MEP p.75",
            uint16("drp", "M", unit="0.1 %"),
            uint16("drc", "M", unit="0.1 %"),
            ltime("time", "M"),
        ),
        by="MEP p.75",
    ),
    cited("MEP p.75", uint16("sag2_time", "H", "that a second kind of sag has to last", unit="s")),
    cited(
        "MEP p.76",
        uint8("sag2", "H", "above 100: there are none", unit="% under rated", default=255),
        _events("sags2", "sag2"),
        _voltages("sag2_voltages", "lowest of the last sag2"),
    ),
    cited("MEP p.76-77", uint16("average_current_interval", "F", unit="s", default=600)),
    cited(
        "MEP p.77",
        bits(
            "options",
            bit("early", "H", "1: an event as soon as a sag or a surge counts, and at its end"),
            filler(7),
        ),
    ),
)

ET09 = Table(
    "ET09",
    "Power quality",
    read=READ,
    write=MASTER,
    source=stored("quality"),
    doc="Thresholds, and what happened on the line: outages newest first, then by phase sags, "
    "surges, phase losses, over-currents and distortion. A sag or a surge is counted when it has "
    "lasted long enough, and gets its voltage when it ends.",
    departs="Looked at each second, not each 120 ms. The extremes of the frequency are saved each "
    "hour and before a read; power failing loses what came since. The beginning of an outage is "
    "the last moment that was kept, at most a minute before while something is used. DRP and DRC "
    "are not measured: their records stay 0.",
    fields=(_THRESHOLDS, _OUTAGES, _COUNTED, _TIMES, _DISTORTION, _LATER_METERS),
)

ET71 = Table(
    "ET71",
    "Delta data alerts",
    read=READ,
    write=READ,
    source=live("quality"),
    doc="Sources that are looked at each second; begins with its defaults after each start. The "
    "comparison becomes the sample when they differ by the delta or more.",
    departs="There is no MEP client yet that could be alerted.",
    fields=(
        array(
            "alerts",
            ET11_DELTA_ALERTS,
            cited(
                "MEP p.174-175",
                uint16("source", "H", "source id (MEP p.204); 255: not in use", default=255),
                uint16("delta", "H", "0: no alerts"),
                ni1("comparison", "H/M", "the sample at the last alert"),
                ni1("sample", "M", "the source's value"),
                bits(
                    "status",
                    bit("invalid", "M", "there is no such source"),
                    filler(7),
                ),
            ),
            by="ET11.27",
        ),
    ),
)

ET80 = Table(
    "ET80",
    "Average power settings",
    read=READ,
    write=MASTER,
    source=stored("control"),
    doc="Average power that opens the supply. The sub-interval divides a minute, an hour or a "
    "day; it times the multiplier is the time that is averaged over.",
    fields=(
        cited(
            "MEP p.184",
            uint8("enabled", "H"),
            uint16("sub_interval", "H", unit="s", default=1),
        ),
        cited(
            "MEP p.185",
            uint8("multiplier", "H", "1-15", default=15),
            uint32("threshold", "H", unit="W"),
        ),
    ),
)

TABLES = (ET09, ET71, ET80)
