"""A device whose application sleeps between the moments at which something changes counts what
one counts that looks at each second.
"""

import pytest

from meter.clock import day_number
from osgp_tools.airtime import SECOND
from osgp_tools.simulation import Network
from tables.model import MASTER, OK

A_DAY = 86_400
TODAY = day_number(26, 11, 21)

# BT23, BT25, BT28's demands, the load profile, the self reads, daily registers
REGISTERS, PROFILE_STATUS, PROFILE = 23, 63, 64
DAILY, EVENTS = 2060, 74


def read(device, number):
    model = device.model
    body = bytearray(model.size(number))
    assert model.read(number, 0, len(body), body, 0, MASTER) == OK
    return bytes(body)


def lived(sleeps, days=1):
    """A network of one device after so many days, and how often it was polled."""
    network = Network(devices=1)
    (one,) = network.devices
    one.sleeps = sleeps
    network.channel.advance(5 * SECOND)
    application = one.device.application
    polls = 0
    poll = application.poll

    def counted(now):
        nonlocal polls
        polls += 1
        return poll(now)

    application.poll = counted
    one.set_clock()
    network.channel.advance((5 + days * A_DAY) * SECOND)
    one.wake()
    return one.device, polls


@pytest.fixture(scope="module")
def both():
    return lived(sleeps=True), lived(sleeps=False)


@pytest.mark.parametrize("table", [REGISTERS, PROFILE_STATUS, PROFILE, DAILY, EVENTS])
def test_a_day_in_large_steps_leaves_what_a_day_in_seconds_leaves(both, table):
    (asleep, _), (awake, _) = both
    assert read(asleep, table) == read(awake, table)


def test_it_does_sleep(both):
    (_, few), (_, many) = both
    assert many > A_DAY
    assert few < A_DAY / 100


def test_the_day_is_there(both):
    """What is compared is not twice nothing."""
    (asleep, _), _ = both
    assert read(asleep, REGISTERS)[1:9] != bytes(8)
    assert asleep.application.clock.day == TODAY + 1
