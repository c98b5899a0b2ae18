"""Power quality in a whole device: what the line does stands in tables, alarms and the log."""

from datetime import date, timedelta

from meter.element import SimulatedElement
from osgp_tools.disturbances import Disturbance
from osgp_tools.model import decode
from osgp_tools.source import EPOCH, Source
from rig import MemoryBoard, Rig
from tables.model import MASTER, OK

FIRST = date(2026, 11, 21)
DAY = (FIRST - EPOCH).days
FORWARD = (100_000,) * 96 * 2
NOON = 12 * 3600
START = 777  # ms, when a device starts again
BT03, BT23, BT74, ET09, ET10, ET81 = 3, 23, 74, 2057, 2058, 2129


def disturbance(second: int, duration: int, kind: str, value: float = 1, phase: int = 1):
    times = timedelta(seconds=NOON + second), timedelta(seconds=duration)
    return Disturbance(*times, kind, value, phase)


def house(*disturbances) -> SimulatedElement:
    data = Source(FIRST, FORWARD, (), 3, disturbances).encode()

    def read(offset, buf):
        buf[:] = data[offset : offset + len(buf)]

    return SimulatedElement(read)


class Meter:
    """A device whose application is polled each second. `second`: of FIRST."""

    def __init__(self, *disturbances):
        self.disturbances = disturbances
        self.rig = Rig(house(*disturbances))
        self.second = NOON - 10
        self.set_clock()

    def set_clock(self):
        application = self.rig.device.application
        application.set_clock(DAY, self.second, 0, self.rig.board.now)
        while application.poll(self.rig.board.now) == self.rig.board.now:
            pass

    def run_to(self, second: int):
        while self.second < NOON + second:
            self.second += 1
            self.rig.advance(1000)
            self.rig.device.application.poll(self.rig.board.now)

    def restart(self, seconds: int, cause: str = "power on"):
        """No power for so long, then the device starts, and its clock is set 5 s or more later."""
        old = self.rig.board
        board = MemoryBoard(house(*self.disturbances), self.second)
        board.flash, board._settings = old.flash, old._settings
        board.now, board.reset_cause = START, cause
        self.rig = Rig(None, board)
        for _ in range(5):
            self.rig.advance(1000)
            self.rig.device.application.poll(board.now)
        self.second += seconds + (board.now - START) // 1000
        self.set_clock()

    def table(self, number: int) -> dict:
        model = self.rig.device.model
        body = bytearray(model.size(number))
        assert model.read(number, 0, len(body), body, 0, MASTER) == OK
        return decode(number, body)

    def events(self) -> list[tuple[int, int]]:
        """(event, argument) of the log, the oldest first."""
        body = self.table(BT74)
        return [
            (one["event"], one["argument"]) for one in body["entries"][: body["valid_entries"]]
        ]


def test_a_sag_is_in_et09_in_the_log_and_an_alarm():
    meter = Meter(disturbance(0, 30, "voltage", 180.0, 2), disturbance(100, 60, "voltage", 0, 3))
    meter.run_to(50)
    body = meter.table(ET09)
    assert [one["events"] for one in body["sags"]] == [0, 1, 0]
    assert body["sags"][1]["last"] == (26, 11, 21, 12, 0, 0)
    assert body["sag_voltages"] == [0, 180000, 0]
    assert (98, 1 | 180 << 2) in meter.events()
    assert meter.rig.device.model.body(BT03)[7] & 0x08  # power quality event detected
    meter.run_to(200)
    body = meter.table(ET09)
    assert [one["events"] for one in body["phase_losses"]] == [0, 0, 1]
    assert body["phase_loss"] == {"l1": 0, "l2": 0, "l3": 0}
    assert meter.rig.device.model.body(BT03)[4] & 0x10  # phase loss
    assert body["min_frequency"] == 49980 and body["max_frequency"] == 50020


def test_energy_is_not_disturbed():
    meter = Meter(disturbance(0, 3000, "voltage", 0, 1), disturbance(0, 3000, "current", 90, 2))
    meter.run_to(1800)
    total = meter.table(BT23)["total"]["summations"]
    assert total["forward_wh"] == (NOON + 1800) // 9


def test_an_outage_and_a_reset():
    meter = Meter()
    meter.run_to(130)
    kept = meter.rig.device.application.registers
    kept.save()
    begin = kept.second
    meter.restart(600)
    body = meter.table(ET09)["outages"]
    assert body[0]["power_off"] == (26, 11, 21, 12, 0, 0)[:3] + (
        begin // 3600,
        begin // 60 % 60,
        begin % 60,
    )
    assert (body[0]["duration"], body[0]["cause"], body[1]["duration"]) == (600, 3, 0)
    assert meter.table(ET10)["outages"] == 1
    assert meter.table(ET81)["valid"] == 1
    summations = meter.table(BT23)["total"]["summations"]
    assert (summations["outage_time"], summations["outages"]) == (600, 1)
    meter.run_to(1500)
    meter.restart(60, cause="watchdog")
    assert meter.table(ET10)["outages"] == 1
