"""What the calendar brings: self reads, demand resets, seasons, days, each once and on time."""

import struct

from meter.clock import DAY, day_number, from_ltime
from meter_rig import Chip, Rig
from meter_support import dates, rdate

SELF_READ = 0x40
DEMAND_RESET = 0x20
DST_ON = 1
DST_OFF = 2
SEASON = 3  # and more
SPECIAL = 19
WEEKLY = 14
PERIOD = 15
LAST = 6
EVERY_DAY = PERIOD | 1 << 4

# events
RESET, SELF, DST_BEGINS, DST_ENDS, SEASON_CHANGE = 20, 21, 22, 23, 24
SPECIAL_DAY, TIER, OVERFLOW = 26, 27, 65

ENTRY = 989  # octets of a self read
RESET_ENTRY = 992


class Strong(Chip):
    forward = 7000


class Meter(Rig):
    """A rig with a chip that gives 7 Wh at a time, in Central Europe's zone and summer time."""

    def __init__(self, day, second, *rows):
        super().__init__(Strong(), day, second)
        self.write(54, 0, self.dates(rows))
        self.set_clock()
        self.catch_up()

    def dates(self, rows):
        summer = ((25, rdate(3, LAST, 0, 1), DST_ON), (26, rdate(10, LAST, 0, 1), DST_OFF))
        return dates(*(summer + rows))

    def self_reads(self):
        """[(local time, season, forward Wh in total)] of BT26, from the oldest to the newest."""
        body = self.read(26)
        return self._entries(body, 12, 6, ENTRY, 2)

    def resets(self):
        """The same of ET41."""
        return self._entries(self.read(2089), 6, 6, RESET_ENTRY, 5)

    def _entries(self, body, most, header, size, time):
        valid, last, sequence = struct.unpack_from("<BBH", body, 1)
        found = []
        for n in range(sequence - valid + 1, sequence + 1):
            o = header + n % most * size + time
            wh = struct.unpack_from("<i", body, o + 7)[0]
            found.append((tuple(body[o : o + 5]), body[o + 5], wh))
        if valid:
            assert last == sequence % most
        return found

    def times(self):
        """(day of the month, hour, minute) of the self reads."""
        return [time[2:] for time, _, _ in self.self_reads()]


def at(year, month, day):
    return day_number(year, month, day)


def test_a_self_read_at_its_time_each_week():
    meter = Meter(at(26, 11, 21), 0, (30, WEEKLY | 1 << 8, SELF_READ))  # Mondays
    meter.write(2052, 65, (6, 20))
    meter.pass_seconds(16 * DAY, 300)
    assert meter.times() == [(23, 6, 20), (30, 6, 20)]
    assert meter.events.numbers().count(SELF) == 2
    body = meter.read(26)
    assert bytes(body[:6]) == b"\x04\x02\x01\x01\x00\x02"
    wh = [wh for _, _, wh in meter.self_reads()]
    assert 0 < wh[0] < wh[1] <= meter.registers()[0]
    newest = 6 + ENTRY
    assert body[newest + 8] == 0  # no demand reset yet
    assert bytes(body[newest + 2 : newest + 8]) == bytes((26, 11, 30, 6, 20, 0))


def test_daily_self_reads_go_round():
    meter = Meter(at(26, 11, 21), 3600, (30, EVERY_DAY, SELF_READ))
    meter.pass_seconds(14 * DAY, 900)
    assert len(meter.self_reads()) == 12
    assert meter.times() == [(day, 0, 0) for day in range(24, 31)] + [
        (day, 0, 0) for day in range(1, 6)
    ]
    assert meter.events.numbers().count(SELF) == 14
    assert meter.events.numbers().count(OVERFLOW) == 2
    assert meter.read(26)[0] == 0x06
    assert meter.read(26)[5] == 12


def test_a_time_that_summer_time_leaves_out_or_has_twice():
    meter = Meter(at(27, 3, 26), 0, (30, EVERY_DAY, SELF_READ))
    meter.write(2052, 65, (2, 30))
    meter.pass_seconds(4 * DAY, 600)
    assert meter.times() == [(26, 2, 30), (27, 2, 30), (28, 3, 0), (29, 2, 30)]
    assert DST_BEGINS in meter.events.numbers()
    meter = Meter(at(27, 10, 29), 0, (30, EVERY_DAY, SELF_READ))
    meter.write(2052, 65, (2, 30))
    meter.pass_seconds(4 * DAY, 600)
    assert meter.times() == [(29, 2, 30), (30, 2, 30), (31, 2, 30), (1, 2, 30)]
    assert meter.events.numbers().count(DST_ENDS) == 1


def test_the_leap_day_and_the_turn_of_the_year():
    meter = Meter(
        at(28, 2, 27),
        0,
        (0, 28 | 2 << 7 | 29 << 11, SELF_READ | DEMAND_RESET),
        (30, rdate(1, 0, 0, 1), SELF_READ),
    )
    meter.pass_seconds(4 * DAY, 900)
    assert meter.times() == [(29, 0, 0)]
    assert [entry[0] for entry in meter.resets()] == [(28, 2, 29, 0, 0)]
    meter.sleep((at(28, 12, 31) - meter.day) * DAY)
    meter.start()
    meter.set_clock()
    meter.catch_up()
    meter.pass_seconds(2 * DAY, 900)
    assert [time for time, _, _ in meter.self_reads()][-1] == (29, 1, 1, 0, 0)
    assert len(meter.self_reads()) == 2


def test_a_demand_reset_at_its_time():
    meter = Meter(at(26, 11, 29), 0, (30, rdate(13, 0, 0, 1), DEMAND_RESET))
    meter.write(2088, 0, (12, 30))
    meter.pass_seconds(3 * DAY, 300)
    assert meter.read(23)[0] == 1
    assert [entry[0] for entry in meter.resets()] == [(26, 12, 1, 12, 30)]
    assert (RESET, 0) in meter.events.posted
    log = meter.read(2089)
    assert bytes(log[:9]) == b"\x04\x01\x00\x00\x00\x01\xe0\x03\x00"
    assert meter.read(25) == log[11 : 11 + 987]
    assert not meter.self_reads()
    demand = struct.unpack_from("<iii", meter.read(23), 1 + 60 + 5)
    assert demand[0] > 0 and demand[1] == demand[0] + demand[2]


def test_a_time_that_no_day_has():
    """Any octets may stand there: they count modulo a day."""
    meter = Meter(at(26, 11, 29), 0, (30, EVERY_DAY, DEMAND_RESET | SELF_READ))
    meter.write(2088, 0, (25, 10))
    meter.write(2052, 65, (255, 255))
    meter.pass_seconds(DAY, 300)
    assert [entry[0][3:] for entry in meter.resets()] == [(1, 10)]
    assert [entry[0][3:] for entry in meter.self_reads()] == [(19, 15)]


def test_what_was_before_the_clock_or_the_calendar_is_not_made_up_for():
    meter = Meter(at(26, 11, 21), 12 * 3600, (30, EVERY_DAY, SELF_READ | DEMAND_RESET))
    meter.pass_seconds(3600, 60)
    assert not meter.self_reads() and not meter.resets()
    meter.write(54, 0, meter.dates(((31, EVERY_DAY, SELF_READ),)))
    meter.write(2052, 65, (13, 0))  # local time is 14:00
    meter.pass_seconds(3600, 60)
    assert not meter.self_reads()
    meter.write(2052, 65, (16, 0))
    meter.pass_seconds(3660, 60)
    assert meter.times() == [(21, 16, 0)]
    meter.write(2052, 65, (17, 0))  # the day has had its self read
    meter.pass_seconds(DAY, 60)
    assert meter.times() == [(21, 16, 0)]
    meter.pass_seconds(DAY, 60)
    assert meter.times() == [(21, 16, 0), (22, 17, 0)]


def test_a_calendar_written_in_the_second_of_a_self_read():
    meter = Meter(at(26, 11, 21), 12 * 3600, (30, EVERY_DAY, SELF_READ))
    meter.write(2052, 65, (14, 0))
    meter.pass_seconds(3600, 60)
    assert meter.times() == []  # it is 14:00:00, and the second has not begun to be counted
    for _ in range(3):
        meter.write(54, 0, meter.dates(((30, EVERY_DAY, SELF_READ),)))
        meter.pass_seconds(1)
        assert meter.times() == [(21, 14, 0)]
        meter.meter.tariff.change()
    meter.pass_seconds(3600, 60)
    assert meter.times() == [(21, 14, 0)]


def test_time_without_power_is_made_up_for():
    meter = Meter(at(26, 11, 21), 12 * 3600, (30, EVERY_DAY, SELF_READ))
    meter.pass_seconds(600, 60)
    meter.sleep(3 * DAY)
    meter.start()
    meter.set_clock()
    meter.catch_up()
    assert meter.times() == [(22, 0, 0), (23, 0, 0), (24, 0, 0)]


def test_a_clock_set_forward_and_back():
    meter = Meter(at(26, 11, 21), 12 * 3600, (30, EVERY_DAY, SELF_READ))
    meter.day += 1
    meter.set_clock()
    meter.catch_up()
    assert meter.times() == [(22, 0, 0)]
    meter.second -= 7200
    meter.set_clock()
    meter.catch_up()
    meter.pass_seconds(3 * 3600, 60)
    assert len(meter.self_reads()) == 1
    meter.day -= 1
    meter.second = 22 * 3600  # 23:00, and the same midnight comes again: it has its self read
    meter.set_clock()
    meter.pass_seconds(3 * 3600, 60)
    assert meter.times() == [(22, 0, 0)]
    meter.pass_seconds(DAY, 60)
    assert meter.times() == [(22, 0, 0), (23, 0, 0)]


def test_seasons():
    meter = Meter(
        at(26, 11, 29),
        0,
        (30, rdate(12, 0, 0, 1), SEASON + 2),
        (31, rdate(6, 0, 0, 1), SEASON + 1),
    )
    assert meter.read(24)[:6] == bytes(6)
    meter.pass_seconds(3 * DAY, 900)
    previous = meter.read(24)
    assert bytes(previous[:6]) == bytes((26, 12, 1, 0, 0, 1))
    assert meter.events.posted.count((SEASON_CHANGE, 2)) == 1
    wh = struct.unpack_from("<i", previous, 6)[0]
    assert 0 < wh <= meter.registers()[0]
    assert meter.read(55)[8] >> 4 == 2
    meter.sleep((at(27, 5, 31) - meter.day) * DAY)
    meter.start()
    meter.set_clock()
    meter.catch_up()
    assert meter.read(24) == previous
    meter.pass_seconds(2 * DAY, 900)
    assert bytes(meter.read(24)[:6]) == bytes((27, 6, 1, 0, 0, 2))
    assert meter.events.posted.count((SEASON_CHANGE, 1)) == 1


def test_tiers_and_special_days_are_told():
    meter = Meter(at(26, 11, 21), 0, (30, WEEKLY | 0 << 8, SPECIAL + 1))
    meter.pass_seconds(2 * DAY, 900)
    assert (SPECIAL_DAY, 1) in meter.events.posted
    assert meter.events.numbers().count(SPECIAL_DAY) == 1
    assert [event for event in meter.events.posted if event[0] == TIER][:2] == [(27, 0), (27, 1)]


def test_flash_that_fails_is_counted_and_the_meter_goes_on():
    meter = Meter(at(26, 11, 21), 22 * 3600, (30, EVERY_DAY, SELF_READ | DEMAND_RESET))
    meter.pass_seconds(3000, 60)
    meter.settings.fails = True
    meter.pass_seconds(1200, 60)
    meter.settings.fails = False
    assert meter.meter.source(28) == 2
    assert not meter.self_reads() and not meter.resets()
    before = meter.registers()[0]
    meter.pass_seconds(DAY, 60)
    assert meter.times() == [(23, 0, 0)]
    assert len(meter.resets()) == 1
    assert meter.registers()[0] > before


def test_days_of_consumption():
    meter = Meter(at(26, 11, 21), 3600)
    meter.pass_seconds(3 * DAY, 60)
    body = meter.read(2060)
    valid, last, _ = struct.unpack_from("<BBH", body, 0)
    assert (valid, last) == (3, 2)
    days = [struct.unpack_from("<HI", body, 4 + 18 * k) for k in range(3)]
    assert [date >> 11 for date, _ in days] == [21, 22, 23]
    assert [wh for _, wh in days[1:]] == [1440 * 7, 1440 * 7]  # 7 Wh a minute


def test_sources():
    meter = Meter(at(26, 11, 21), 3600)
    meter.pass_seconds(DAY, 60)
    source = meter.meter.source
    total, tier = meter.registers(), meter.registers(2)
    assert (source(0), source(40)) == (total[0], tier[0])
    assert source(40 + 6) == tier[0] and source(40 + 7) == tier[0]
    assert source(6) == total[0]
    assert [source(k) for k in range(8, 26)] == [100 + k for k in range(18)]
    assert [source(k) for k in range(81, 85)] == [118, 119, 120, 121]
    assert [source(k) for k in range(104, 108)] == [122, 123, 124, 125]
    assert source(88) == meter.meter.demand.value(0)
    assert source(96) == meter.meter.demand.value(0, True)
    for number in range(73, 81):
        assert source(number) == 0
    for number in (33, 34, 37, 38, 39, 4, 5, 26, 27, 28):
        assert source(number) == 0
    for number in (85, 86, 87, 112, 163, 200, 255):
        assert source(number) is None
    for number in range(112):
        if not 85 <= number < 88:
            assert isinstance(source(number), int)


def test_clock_hook():
    told = []
    meter = Meter(at(26, 11, 21), 3600)
    meter.meter.on_clock.append(lambda day, second: told.append((day, second)))
    meter.set_clock(meter.day, 7200)
    meter.set_clock(meter.day, 3600)
    assert told == [(meter.day, 3600), (meter.day, 7200)]
    assert from_ltime(meter.read(52), 0) == (meter.day, 3600)
    meter.start()
    meter.meter.on_clock.append(lambda day, second: told.append((day, second)))
    meter.set_clock()
    assert told[-1][0] == -1
