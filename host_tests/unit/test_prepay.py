"""Prepaid credit: added once, used up exactly, over writes of the rates and power cuts."""

import struct

from control_support import Cut, changed, rested, settings_body
from support import allocated, noise

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:  # MicroPython
    given = None

CLOSED, OPENED = 1, 2
ON, REVERSE, NEGATIVE, POWER = 1, 2, 4, 8  # ET05.24


def prepaid(total=0, **more):
    rig = rested()
    more["prepay"] = more.get("prepay", ON)
    rig.write(2053, 0, settings_body(**more))
    rig.total = 0
    if total:
        assert add(rig, total)[0] == 0
        rig.events.take()
    return rig


def add(rig, amount, number=None, kind=0):
    """(result, credit, emergency, number) of EP21."""
    if number is None:
        number = rig.control.prepay.number + 1
    result, data = rig.call(21, struct.pack("<BIi", kind, number, amount))
    return (result,) + (struct.unpack("<iiI", data) if data else ())


def test_credit_is_added_once():
    rig = prepaid()
    assert add(rig, 5000, 7) == (0, 5000, 0, 7)
    assert add(rig, 5000, 7) == (3, 5000, 0, 7), "it was"
    assert add(rig, 100, 6) == (3, 5000, 0, 7), "an older one"
    rig.start()
    assert add(rig, 5000, 7) == (3, 5000, 0, 7), "after a restart too"
    assert add(rig, -1000, 8) == (0, 4000, 0, 8)
    assert add(rig, 300, 9, kind=1) == (0, 4000, 300, 9)
    assert add(rig, 1, 10, kind=2)[0] == 2
    assert add(rig, 1000000000, 10)[0] == 2
    assert add(rig, -301, 10, kind=1)[0] == 2
    assert add(rig, 1, 2**32 - 1) == (0, 4001, 300, 2**32 - 1)
    assert rig.read(2078, 40, 12) == struct.pack("<iiI", 4001, 300, 2**32 - 1)


def test_without_prepay_there_is_no_credit():
    rig = rested()
    assert rig.call(21, struct.pack("<BIi", 0, 1, 100)) == (3, b"")
    assert rig.read(2078, 40, 12) == bytes(12)
    assert rig.control.prepay is None


def test_credit_runs_out():
    rig = prepaid(10)
    rig.registers.use(8999)
    rig.run()
    assert rig.state == CLOSED and rig.read(2078, 40, 4) == struct.pack("<i", 1)
    rig.registers.use(1000)
    rig.run()
    assert rig.state == OPENED, "less than a Wh is left"
    assert rig.events.take() == [(84, 0), (106, 1), changed(OPENED, 3)]
    rig.run(10)
    rig.switch.pressed = True
    rig.run()
    assert rig.state == OPENED, "no credit, no button"
    assert rig.call(2, b"\x00\x01")[0] == 3
    add(rig, 100)
    rig.run(60)
    assert rig.state == OPENED, "the consumer closes it"
    rig.switch.pressed = True
    rig.run()
    assert rig.state == CLOSED
    rig.registers.use(200000)
    rig.run(10)
    assert rig.state == OPENED and rig.credit() == (-100, 1000)
    assert [event for event, _ in rig.events.take()] == [106, 66, 84, 106, 66]


def test_emergency_and_negative_credit():
    rig = prepaid(10, prepay=ON | NEGATIVE, negative=5)
    assert rig.read(2094, 13, 4) == struct.pack("<i", 5)
    add(rig, 20, kind=1)
    rig.registers.use(10000)
    rig.run(10)
    assert rig.state == CLOSED and rig.events.take() == [(84, 0)]
    rig.registers.use(23999)
    rig.run(10)
    rig.write(2053, 37, b"\x01")
    rig.run(10)
    assert rig.state == CLOSED
    rig.registers.use(1000)
    rig.run(10)
    assert rig.state == OPENED
    rig.write(2053, 24, bytes([ON]))
    assert rig.read(2094, 13, 4) == bytes(4)


def test_without_credit_a_limit():
    rig = prepaid(10, prepay=ON | POWER, exhausted=500, primary_time=5)
    rig.registers.use(10000)
    rig.element.values[0] = 500
    rig.run(60)
    assert rig.state == CLOSED and rig.read(2078, 36, 4) == struct.pack("<I", 500)
    rig.element.values[0] = 501
    rig.run(5)
    assert rig.state == OPENED and rig.events.take()[-1] == changed(OPENED, 4)
    rig.run(10)
    rig.switch.pressed = True
    rig.element.values[0] = 400
    rig.run(60)
    assert rig.state == CLOSED
    add(rig, 1000)
    rig.element.values[0] = 9000
    rig.run(60)
    assert rig.state == CLOSED and rig.read(2078, 36, 4) == bytes(4)


def test_warning_is_acknowledged_by_the_button():
    rig = prepaid(100, warning=20)
    rig.registers.use(80001)
    rig.run()
    rig.switch.pressed = True
    rig.run()
    assert rig.state == CLOSED and rig.events.take() == [(85, 0)]
    rig.run(20)
    rig.switch.pressed = True
    rig.run()
    assert rig.state == OPENED, "now it is a switch again"
    rig.run(10)
    add(rig, 1000)
    rig.run()
    rig.registers.use(1005000)
    rig.run()
    rig.events.take()
    rig.switch.pressed = True
    rig.run()
    assert rig.events.take() == [(85, 0)]


def test_rates_and_directions():
    rig = prepaid(1000, rates=(750, 1000, 1250, 1500))
    for tier in range(4):
        rig.registers.use(1000, tier)
    rig.registers.use(10000, 5)  # of a tier that has no register
    rig.registers.use(500000, 0, reverse=True)
    assert rig.credit() == (1000 - 15, 500000)
    rig.write(2053, 0, settings_body(prepay=ON | REVERSE, rates=(2000, 0, 0, 0)))
    rig.registers.use(1, 0)
    rig.registers.use(1, 0, reverse=True)
    rig.registers.use(99999, 1)
    assert rig.credit() == (1000 - 15, 500000 - 4000)


def test_registers_that_pass_nine_digits():
    rig = rested()
    rig.registers.use(999999999900)
    rig.write(2053, 24, bytes([ON]))
    add(rig, 1000)
    rig.registers.use(1234567)
    assert rig.credit() == (1000 - 1235, 433000)


def test_off_and_on_again():
    rig = prepaid(1000)
    rig.registers.use(100000)
    rig.write(2053, 24, b"\x00")
    assert rig.control.prepay is None
    rig.registers.use(500000)
    rig.start()
    rig.write(2053, 24, bytes([ON]))
    assert rig.credit() == (900, 0), "what was used meanwhile is not paid for"
    assert rig.control.prepay.number == 1


def test_consumption_costs_no_writes():
    rig = prepaid(300000)
    before = rig.settings.replaced
    for _ in range(99):
        rig.registers.use(1000000)
        rig.run()
    assert rig.settings.replaced == before
    rig.registers.use(1000000)
    rig.run()
    assert rig.settings.replaced == before + 1
    rig.run(100)
    assert rig.settings.replaced == before + 1


def test_a_second_without_consumption_allocates_nothing():
    rig = prepaid(1000, control=1, primary=9000, primary_time=9)
    rig.run(20)

    def second():
        rig.pass_time(1)
        rig.control.second(rig.now)

    assert not allocated(second, 20)


def cut_at(rig, operation):
    """Power goes before the n-th time that something is kept; every second one is kept yet."""
    count = [0]

    def on_replace(name):
        count[0] += 1
        if count[0] == operation:
            raise Cut

    rig.settings.on_replace = on_replace


def test_power_cut_at_every_write():
    """Credit, rates, off, on: what is left afterwards is what one of the two states gives."""
    operation = 0
    done = False
    while not done:
        operation += 1
        rig = prepaid(10000, rates=(1000, 1000, 1000, 1000))
        rig.registers.use(1500)
        cut_at(rig, operation)
        added = written = False
        try:
            added = add(rig, 500, 50)[0] == 0
            rig.registers.use(2500)
            rig.write(2053, 0, settings_body(prepay=ON, rates=(3000, 0, 0, 0)))
            written = True
            rig.registers.use(7)
            done = True
        except Cut:
            pass
        rig.settings.on_replace = None
        rig.start()
        used = 1500 + (2500 if added else 0) + (7 if done else 0)
        used_uwh = (used - 7) * 1000 + 7 * 3000 if done else used * 1000
        expected = (10000 + (500 if added else 0)) * 1000000 - used_uwh
        total, part = rig.credit()
        assert total * 1000000 + part == expected, (operation, added, written)
        again = add(rig, 500, 50)
        assert again[0] == (3 if added else 0), operation
    assert operation > 3


class Story:
    """Credits, consumption, rates and power cuts, and beside them what must be left."""

    def __init__(self):
        self.rig = prepaid()
        self.rates = [1000] * 4
        self.left = 0
        self.number = 0
        self.saved = list(self.rig.registers.mwh)
        self.since = 0  # uWh used since the registers were saved

    def tell(self, kind, a, b):
        rig = self.rig
        if kind == 0:
            rig.registers.use(a, b % 6)
            cost = a * (self.rates[b % 6] if b % 6 < 4 else 1000)
            self.left -= cost
            self.since += cost
        elif kind == 1:
            self.number += b + 1
            if add(rig, a, self.number)[0] == 0:
                self.left += a * 1000000
            assert add(rig, a, self.number)[0] == 3
        elif kind == 2:
            self.save()
            self.rates[b % 4] = a % 1000001
            rig.write(2053, 0, settings_body(prepay=ON, rates=self.rates))
        elif kind == 3:
            self.save()
        elif kind == 4:
            rig.start()
        else:  # the registers lose what came after their last snapshot, and so does the bill
            rig.registers.mwh[:] = self.saved
            rig.registers.show()
            self.left += self.since
            self.since = 0
            rig.start()
        total, part = rig.credit()
        assert total * 1000000 + part == self.left
        assert 0 <= part < 1000000

    def save(self):
        self.saved = list(self.rig.registers.mwh)
        self.since = 0


def test_stories():
    random = noise(900, 7)
    story = Story()
    for k in range(0, 900, 3):
        amount = random[k + 1] * 5003 + random[k + 2] if random[k] % 6 else random[k + 1]
        story.tell(random[k] % 6, amount, random[k + 2])


if given:
    STEPS = st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5000000), st.integers(0, 255)), max_size=40
    )

    @settings(max_examples=60, deadline=None)
    @given(STEPS)
    def test_any_story(steps):
        story = Story()
        for step in steps:
            story.tell(*step)
