"""Places that the firmware writes in ET04, ET09, ET10, ET55 and ET81, against the definitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quality_support
from meter import delta_alerts, outage_record, quality_changes, quality_events, quality_limits
from meter import quality_save as saving
from meter.quality import LOSS, SAG, SAG2, SURGE
from osgp_tools.model import default, field, table
from tables.dimensions import ET04_OUTAGES, ET11_DELTA_ALERTS, ET81_ENTRIES

ET04, ET09, ET10, ET55, ET71, ET81 = (2048 + n for n in (4, 9, 10, 55, 71, 81))
B = 18 * 10  # the guide's own arithmetic (MEP p.70-77)
A = B + 357
EVENTS = {SAG: "sags", SURGE: "surges", SAG2: "sags2", LOSS: "phase_losses"}
VOLTAGES = {SAG: "sag_voltages", SURGE: "surge_voltages", SAG2: "sag2_voltages"}


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("long_outage", 0),
        ("sag_minutes", 2),
        ("sag", 3),
        ("surge", 4),
        ("over_current", 5),
        ("outages.0.power_on", 6),
        ("outages.0.cause", 12),
        ("outages.0.power_off", 14),
        ("outages.0.duration", 20),
        ("sags.0.last", B + 6),
        ("sags.1.events", B + 20),
        ("surges.0.last", B + 30),
        ("surges.2.events", B + 52),
        ("min_frequency", B + 54),
        ("max_frequency_time", B + 68),
        ("over_currents.2", B + 82),
        ("phase_loss.l3", B + 86),
        ("phase_losses.0.last", B + 87),
        ("sag_voltages.0", B + 111),
        ("surge_voltages.2", B + 131),
        ("short_outages", B + 135),
        ("configuration_id", B + 139),
        ("sag_seconds", B + 143),
        ("hold", B + 144),
        ("over_current_time", B + 145),
        ("distortions.0.time", B + 147),
        ("distortions.0.threshold", B + 149),
        ("distortions.0.phases.0.events", B + 151),
        ("distortions.0.phases.0.maximum", B + 159),
        ("distortions.0.phases.0.average", B + 167),
        ("distortions.2", B + 147 + 140),
        ("transgressions.0.drp", A),
        ("sag2_time", A + 120),
        ("sag2", A + 122),
        ("sags2.2.events", A + 145),
        ("sag2_voltages.2", A + 155),
        ("average_current_interval", A + 159),
        ("options.early", A + 161),
    ],
)
def test_et09_lies_as_in_the_guide(name, offset):
    assert field(ET09, name)[0] == offset


def test_defaults_of_the_guide():
    body = default(ET09)
    assert (body[3], body[4], body[B + 144], body[A + 122]) == (10, 10, 2, 255)
    assert body[A + 159 : A + 161] == (600).to_bytes(2, "little")
    assert table(ET09).size == A + 162


def at(number, name):
    return field(number, name)[0]


def test_what_the_firmware_reads():
    module = quality_limits
    for constant, number, name in (
        (module._REGISTRATION, ET04, "registration_current"),
        (module._MAX_CURRENT, ET04, "max_current"),
        (module._RATED_VOLTAGE, ET04, "rated_voltage"),
        (module._INACTIVE, ET04, "inactive_phases"),
        (module._ROTATION, ET04, "phase_rotation"),
        (module._REVERSE_CURRENT, ET04, "reverse_energy_current"),
        (module._GENERATION, ET04, "generation"),
        (module._PHASE_LOSS, ET04, "phase_loss_threshold"),
        (module._CONSTANT_ALARM, ET04, "alarms"),
        (module._MIN_REGISTRATION, ET04, "min_registration_current"),
        (module._REGISTRATION_FRACTION, ET04, "registration_fraction"),
        (module._REVERSE_TIME, ET04, "reverse_energy_ms"),
        (module._REVERSE_TIME + 1, ET04, "reverse_energy_s"),
        (module._SAG_MINUTES, ET09, "sag_minutes"),
        (module._SAG, ET09, "sag"),
        (module._SURGE, ET09, "surge"),
        (module._OVER, ET09, "over_current"),
        (module._MIN_FREQUENCY, ET09, "min_frequency"),
        (module._MAX_FREQUENCY, ET09, "max_frequency"),
        (module._SAG_SECONDS, ET09, "sag_seconds"),
        (module._HOLD, ET09, "hold"),
        (module._OVER_TIME, ET09, "over_current_time"),
        (module._THD, ET09, "distortions.0.time"),
        (module._THD + module._THD_SIZE + 2, ET09, "distortions.1.threshold"),
        (module._SAG2_TIME, ET09, "sag2_time"),
        (module._SAG2, ET09, "sag2"),
        (module._PHASE_LOSS_TIME, ET55, "phase_loss_time"),
        (module._COVER_TIME, ET55, "cover_removed_time"),
        (module._MAGNET_TIME, ET55, "magnetic_tamper_time"),
        (quality_changes._ROTATION, ET04, "phase_rotation"),
        (saving._EXTREMES, ET09, "min_frequency"),
        (saving._EXTREMES + saving._SIZE, ET09, "max_frequency"),
    ):
        assert constant == at(number, name), name


def test_what_the_firmware_writes():
    module = quality_events
    for condition, place in enumerate(module._RECORDS):
        for phase in range(3):
            o = place + phase * module._RECORD_SIZE
            assert o == at(ET09, f"{EVENTS[condition]}.{phase}.last")
            assert o + module._TIME_SIZE == at(ET09, f"{EVENTS[condition]}.{phase}.events")
    for condition, place in enumerate(module._VOLTAGES):
        assert place == at(ET09, VOLTAGES[condition])
    assert at(ET09, "over_currents") == module._OVER_CURRENTS
    assert at(ET09, "phase_loss") == module._LOST
    assert at(ET09, "options") == module._OPTIONS
    o = module._DISTORTIONS + 2 * module._TYPE_SIZE + module._DISTORTION_SIZE
    names = {"events": 0, "last": 2, "maximum": 8, "maximum_time": 10, "average": 16}
    for name, offset in names.items():
        assert o + offset == at(ET09, f"distortions.2.phases.1.{name}")


def test_outages():
    module = outage_record
    assert (module._RECORDS, module._ENTRIES) == (ET04_OUTAGES, ET81_ENTRIES)
    assert at(ET10, "short") == module._SHORT
    assert at(ET10, "records.1.power_off") == module._NEWEST + module._RECORD_SIZE
    assert at(ET10, "records.0.duration") == module._NEWEST + module._TIME_SIZE
    assert at(ET09, "outages.1.power_on") == module._OUTAGES + module._OUTAGE_SIZE
    assert at(ET09, "outages.0.power_off") == module._OUTAGES + 8
    assert at(ET09, "short_outages") == module._SHORT_OUTAGES
    assert at(ET81, "entries.1.start") == module._HEADER + module._ENTRY_SIZE
    names = {"valid": 1, "last": 2, "sequence": 3, "unread": 5}
    assert {name: at(ET81, name) for name in names} == names
    assert at(2048 + 36, "unread") == module._UNREAD


def test_delta_alerts():
    module = delta_alerts
    assert at(ET71, "alerts.1.source") == module._SIZE
    assert at(ET71, "alerts.0.comparison") == module._COMPARISON
    assert at(ET71, "alerts.0.status") == module._STATUS
    assert at(ET71, "alerts.0.sample") == module._BY_HOST
    assert table(ET71).size == module._SIZE * ET11_DELTA_ALERTS


class Sags:
    """Sags of one phase after the guide, in plain Python: a look a second."""

    def __init__(self, limit, needed):
        self.limit, self.needed = limit, needed
        self.count = 0
        self.told = []
        self.lasting = []

    def look(self, volts, lost):
        if lost <= volts < self.limit:
            self.lasting.append(volts)
            if len(self.lasting) == self.needed + 1:
                self.count += 1
        else:
            if len(self.lasting) > self.needed:
                self.told.append(min(self.lasting))
            self.lasting = []


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 120, 139, 140, 180, 206, 207, 230, 253, 254]), st.integers(1, 9)
        ),
        max_size=25,
    ),
    st.integers(0, 6),
    st.integers(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_any_voltage_as_computed_independently(pieces, needed, phase):
    rig = quality_support.Rig(seconds=needed)
    for k in (4, 5, 6):
        rig.line.values[k] = 0
    sags = Sags(207000, needed)
    lost = 230000 * 61 // 100
    for volts, seconds in [*pieces, (230, 1)]:
        for _ in range(seconds):
            rig.line.values[7 + phase] = volts * 1000
            rig.pass_seconds(1)
            sags.look(volts * 1000, lost)
    told = [argument for event, argument in rig.events.take() if event == 98]
    assert told == [phase | voltage // 1000 << 2 for voltage in sags.told]
    body = rig.et09()
    assert body[B + 12 + 8 * phase] == sags.count == len(sags.told)
