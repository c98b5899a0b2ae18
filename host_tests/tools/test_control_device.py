"""Credit and tariffs on the whole device: what its registers count is what is paid for."""

import random
import struct

import pytest

import ticks
from device import Device
from meter.clock import day_number
from meter.element import SimulatedElement
from meter_support import source
from osgp_tools.model import encode
from rig import MemoryBoard
from tables.model import MASTER, OK

TODAY = day_number(26, 11, 21)
FIRST = TODAY - 1
NOON = 12 * 3600
USED = [random.Random(k).randrange(0, 900000) for k in range(4 * 96)]  # mWh a quarter hour
RATES = (700, 1300, 1000, 2500)


class House:
    """A device whose power may go; `start` is a power-up, and the true time goes on."""

    def __init__(self):
        self.board = MemoryBoard(None)
        self.board.now = 1000
        self.second = TODAY * 86400 + NOON
        self.start()

    def start(self):
        self.board._element = SimulatedElement(source(FIRST, USED))
        self.device = Device(self.board)
        self.set_clock()

    def set_clock(self, ahead=0):
        self.second += ahead
        day, second = divmod(self.second, 86400)
        self.device.application.set_clock(day, second, 0, self.board.now)
        self.catch_up()

    def catch_up(self):
        self.device.application.poll(self.board.now)
        while self.device.application.behind:
            self.device.application.poll(self.board.now)

    def run(self, seconds, step=1):
        for _ in range(0, seconds, step):
            self.board.now = ticks.add(self.board.now, 1000 * step)
            self.second += step
            self.catch_up()

    def write(self, number, values):
        body = encode(number, values)
        model = self.device.model
        assert model.write(number, 0, body, 0, len(body), MASTER, self.board.now) == OK

    def energy(self):
        """mWh in total and by tier, of both directions."""
        registers = self.device.application.registers
        return [
            registers.value(block, 0) * 1000 + registers.fraction(block, 0) for block in range(5)
        ]

    def credit(self):
        prepay = self.device.control.prepay
        prepay.count()
        return prepay.total * 1000000 + prepay.part


def cost(energy):
    tiers = sum(mwh * rate for mwh, rate in zip(energy[1:], RATES))
    return tiers + (energy[0] - sum(energy[1:])) * 1000


def call(house, number, parameters):
    body = struct.pack("<HB", number, 10 + (house.board.now // 1000) % 240) + parameters
    code = house.device.model.write(7, 0, body, 0, len(body), MASTER, house.board.now)
    assert code == OK
    return house.device.model.body(8)[3]


@pytest.fixture
def house():
    return House()


def test_credit_is_what_the_registers_leave(house):
    house.write(2053, {"prepay": {"enabled": 1}, "prepay_rates": list(RATES)})
    before = house.energy()
    house.run(1)
    assert call(house, 2048 + 21, struct.pack("<BIi", 0, 1, 100000)) == 0
    for k in range(12):
        house.run(1800, 30)
        used = [after - begun for after, begun in zip(house.energy(), before)]
        assert house.credit() == 100000 * 1000000 - cost(used), k
        if k % 3 == 2:
            house.second += 777  # without power
            house.start()
    assert used[0] > 1000000 and house.device.control.switch.opened is not True


def test_override_counts_in_its_tier_to_the_second(house):
    house.run(10)
    before = house.energy()
    house.write(2095, {"tariff": 3, "cancellation": 2, "duration": 400, "cancel_time": (0,) * 6})
    house.run(1000, 7)
    after = [now - then for now, then in zip(house.energy(), before)]
    element = SimulatedElement(source(FIRST, USED))
    begun = TODAY * 86400 + NOON + 10
    element.start(*divmod(begun, 86400))
    element.take(*divmod(begun + 400, 86400))
    assert after[4] == element.forward > 0
    assert after[1] == after[0] - after[4]
    assert after[2] == after[3] == 0


def test_supply_stays_open_over_a_restart(house):
    house.run(20)
    assert call(house, 2048 + 2, b"\x00\x00") == 0
    house.start()
    assert house.device.control.switch.opened is True
    house.run(20)
    assert house.device.control.switch.opened is True
    assert call(house, 2048 + 2, b"\x00\x01") == 0
    assert house.device.control.switch.opened is False


def test_pending_override(house):
    """ET47's pending table (6191), activated by BP12."""
    body = encode(2095, {"tariff": 2, "cancellation": 1})
    pending = b"\x02" + bytes(5) + body
    model = house.device.model
    assert model.write(6191, 0, pending, 0, len(pending), MASTER, house.board.now) == OK
    house.run(5)
    assert house.device.application.calendar.override is None
    assert call(house, 12, b"") == 0
    house.run(1)
    assert house.device.application.calendar.override.tier == 2
    assert house.device.application.calendar.tier == 2
