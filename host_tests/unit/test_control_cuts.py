"""Power goes at each write and each pulse of the disconnect; any octets for its procedures."""

import struct

from control_support import NOON, TODAY, Cut, ltime, rested, settings_body
from support import noise

CLOSED = 1
COMMANDS = (
    (2, b"\x00\x00"),  # open
    (2, b"\x00\x01"),  # close
    (23, b"\x00"),  # disconnect and lock
    (23, b"\x01"),  # reconnect
    (36, ltime(TODAY, NOON) + struct.pack("<H", 10)),  # lock for ten minutes
    (36, bytes(8)),
    (23, b"\x01"),
    (22, b"\x01" + bytes(8)),
    (22, b"\x00" + bytes(8)),
)
LEAVES_IT_OPEN = (True, False, True, False, True, True, False, False, False)


class Power:
    """Goes at the n-th write or pulse, before it is done or after."""

    def __init__(self, rig, operation, after):
        self.operation = operation
        self.after = after
        self.last = None
        self.rig = rig
        self.replace = rig.settings.replace
        rig.settings.replace = self.keep
        rig.switch.on_pulse = self.on_pulse
        rig.settings.on_replace = self.on_replace

    def gone(self):
        self.operation -= 1
        return self.operation == 0

    def on_replace(self, name):
        if self.gone():
            if self.after:
                self.last = name  # what is to be kept is kept, and nobody hears of it
            else:
                raise Cut

    def keep(self, name, buf, n):
        self.replace(name, buf, n)
        if self.last:
            raise Cut

    def on_pulse(self, opened):
        if self.gone():
            if self.after:
                self.rig.switch.opened = opened
            raise Cut

    def back(self):
        self.rig.switch.on_pulse = None
        self.rig.settings.on_replace = None
        self.rig.settings.replace = self.replace


def command(rig, k):
    rig.run(10)
    result = rig.call(*COMMANDS[k])[0]
    assert result == 0, (k, result)


def test_power_cut_at_every_operation():
    for after in (False, True):
        operation = 0
        done = False
        while not done:
            operation += 1
            done = one_cut(operation, after)
        assert operation > 12


def one_cut(operation, after):
    """True: the story ended before the power went."""
    rig = rested()
    power = Power(rig, operation, after)
    answered = -1
    try:
        for k in range(len(COMMANDS)):
            command(rig, k)
            answered = k
    except Cut:
        pass
    ended = answered == len(COMMANDS) - 1
    power.back()
    was_open = rig.switch.opened
    rig.switch.pulses.clear()
    rig.start()
    rig.run(30)
    assert False not in rig.switch.pulses, "a restart closes nothing"
    assert rig.switch.opened == (rig.state != CLOSED), "the contactor is where the state says"
    if was_open:
        assert rig.switch.opened
    allowed = [answered < 0 or not LEAVES_IT_OPEN[answered]]
    if not ended:
        allowed.append(not LEAVES_IT_OPEN[answered + 1])
    assert (rig.state == CLOSED) in allowed, (operation, after, answered)
    rig.run(10)
    rig.call(36, bytes(8))
    assert rig.call(23, b"\x01")[0] == 0, "and it can be closed"
    return ended


def test_nothing_kept_is_a_closed_supply():
    rig = rested()
    assert rig.state == CLOSED and rig.switch.pulses == []
    rig.start()
    rig.run(30)
    assert rig.switch.pulses == []


def test_contactor_of_unknown_place():
    """As on a board that has none: after a restart what was open is told to be open."""
    rig = rested()
    rig.call(2, b"\x00\x00")
    rig.switch.opened = None
    rig.switch.pulses.clear()
    rig.events.take()
    rig.start()
    rig.run(20)
    assert rig.switch.pulses == [True] and rig.events.take() == []


def test_any_parameters():
    """Of the right length, which is all that a procedure is called with."""
    lengths = {2: 2, 21: 9, 22: 9, 23: 1, 30: 0, 36: 8}
    rig = rested()
    rig.write(2053, 0, settings_body(prepay=1))
    octets = noise(40000, 3)
    at = 0
    for k in range(600):
        number = (2, 21, 22, 23, 30, 36)[k % 6]
        parameters = bytearray(octets[at : at + lengths[number]])
        at += lengths[number]
        for n in range(len(parameters)):
            if octets[at + n] & 1:
                parameters[n] &= 3  # so that some make sense
        result, data = rig.call(number, bytes(parameters))
        assert result <= 4 and len(data) <= 12
        if k % 7 == 0:
            rig.run(3)


def test_any_tables():
    """Whatever a host writes, seconds pass and tables are read."""
    octets = noise(6000, 9)
    rig = rested()
    for k in range(60):
        chunk = octets[100 * k : 100 * k + 100]
        rig.write(2053, 0, chunk[:49])
        rig.write(2095, 0, chunk[49:65])
        rig.write(2109, 2 * k, chunk[65:])
        rig.write(2128, 0, chunk[20:28])
        rig.write(2103, 82, chunk[30:38])
        rig.write(2103, 3, b"\x02")
        rig.element.values = {0: chunk[0] * 100, 1: chunk[1] * 50, 4: chunk[2]}
        rig.registers.use(chunk[3] * 1000, chunk[4] % 8)
        rig.run(5)
        rig.read(2071, 0, 218)
        rig.read(2078, 0, 52)
        rig.read(2094, 0, 23)
        if k % 10 == 0:
            rig.start()


def test_flash_that_fails():
    """What nobody waits for is tried again; a command is not answered."""
    rig = rested()
    rig.write(2053, 0, settings_body(control=1, primary=1000))
    rig.settings.fails = True
    rig.element.values[0] = 2000
    rig.run(3)
    assert rig.state == CLOSED and rig.switch.opened is False and rig.registers.errors == 3
    try:
        rig.call(2, b"\x00\x00")
        raise AssertionError("it cannot be kept")
    except OSError:
        assert rig.switch.opened is False
    rig.settings.fails = False
    rig.run()
    assert rig.state != CLOSED and rig.switch.opened
    rig.call(36, ltime(TODAY, NOON + 100) + bytes(2))
    rig.run(70)
    rig.settings.fails = True
    rig.run(60)
    assert rig.state == 2
    rig.settings.fails = False
    rig.run()
    assert rig.state == 3, "the lock, late"
