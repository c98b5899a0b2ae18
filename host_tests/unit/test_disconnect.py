"""The load disconnect: commands, button, and a contactor that does not obey."""

from control_support import changed, rested, settings_body

CLOSED, OPENED, LOCKED = 1, 2, 3
OPEN = b"\x00\x00"  # EP02
CLOSE = b"\x00\x01"


def test_command():
    rig = rested()
    assert rig.call(2, OPEN) == (0, bytes([OPENED]))
    assert rig.switch.opened is True
    assert rig.events.take() == [(106, 1), changed(OPENED, 1)]
    assert rig.read(2071, 94, 1) == b"\x02"
    assert rig.call(2, CLOSE) == (4, bytes([OPENED])), "ten seconds are not over"
    rig.run(9)
    assert rig.call(2, CLOSE)[0] == 4
    rig.run(1)
    assert rig.call(2, CLOSE) == (0, bytes([CLOSED]))
    assert rig.switch.opened is False
    assert rig.events.take() == [(106, 2), changed(CLOSED, 1)]
    assert rig.read(2071, 94, 1) == b"\x00"
    assert rig.call(2, CLOSE) == (0, bytes([CLOSED])), "closed is closed"
    assert rig.switch.pulses == [True, False]
    assert rig.call(2, b"\x03\x00") == (2, b"")
    assert rig.call(2, b"\x00\x02") == (2, b"")


def test_contactor_that_takes_its_time():
    rig = rested()
    rig.switch.slow = True
    assert rig.call(2, OPEN) == (1, bytes([OPENED]))
    assert rig.read(2071, 94, 1) == b"\x03"
    assert rig.call(2, OPEN)[0] == 4
    rig.run()
    assert rig.read(2071, 94, 1) == b"\x02"
    assert rig.events.take() == [(106, 1), changed(OPENED, 1)]
    rig.run(10)
    assert rig.call(2, CLOSE) == (1, bytes([OPENED])), "closed when it is, not before"
    assert rig.read(2071, 94, 1) == b"\x01"
    rig.run()
    assert rig.state == CLOSED
    assert rig.events.take() == [(106, 2), changed(CLOSED, 1)]


def test_contactor_that_stays_closed():
    """An error, and one more try that fails as well: not one each second."""
    rig = rested()
    rig.switch.stuck = True
    assert rig.call(2, OPEN)[0] == 1
    rig.run(60)
    assert rig.state == OPENED, "what it should be"
    assert rig.events.take() == [
        (106, 1),
        changed(OPENED, 1, 0x10),
        (50, 1 | OPENED << 1 | 8),
    ]
    rig.switch.stuck = False
    assert rig.call(30) == (0, bytes([OPENED, 0]))
    assert rig.events.take() == [(106, 2), changed(OPENED, 8, 0x80)]
    rig.run(20)
    assert rig.events.take() == []


def test_contactor_that_stays_open():
    rig = rested()
    rig.call(2, OPEN)
    rig.run(10)
    rig.switch.stuck = True
    rig.events.take()
    assert rig.call(2, CLOSE)[0] == 1
    rig.run(20)
    assert rig.state == OPENED
    assert rig.events.take() == [(106, 2), changed(OPENED, 1, 0x10), (50, 1 | OPENED << 1)]


def test_contactor_that_moves_by_itself():
    rig = rested()
    rig.call(2, OPEN)
    rig.run(10)
    rig.events.take()
    rig.switch.opened = False  # somebody closed it
    rig.run(2)
    assert rig.switch.opened is True
    assert rig.events.take() == [(106, 2), changed(OPENED, 9, 0x80)]
    rig.run(10)
    rig.call(2, CLOSE)
    rig.run(10)
    rig.events.take()
    rig.switch.opened = True  # it fell open: it is told, and not closed
    rig.run(30)
    assert rig.switch.opened is True
    assert rig.events.take() == [(50, 1 | CLOSED << 1)]
    assert rig.call(30) == (0, bytes([CLOSED, 1])), "but by command"
    assert rig.events.take() == [(106, 4), changed(CLOSED, 8, 0x40)]


def test_load_side_voltage():
    rig = rested()
    rig.switch.load_voltage = True
    rig.run(5)
    assert rig.events.take() == [], "closed: of course there is"
    rig.call(2, OPEN)
    rig.events.take()
    rig.run(5)
    assert rig.events.take() == [(107, 0)]
    rig.switch.load_voltage = False
    rig.run(5)
    rig.switch.load_voltage = True
    rig.run(5)
    assert rig.events.take() == [(107, 0)]


def test_button():
    rig = rested()
    rig.switch.pressed = True
    rig.run()
    assert rig.state == OPENED and not rig.switch.pressed
    assert rig.events.take() == [(106, 1), changed(OPENED, 6)]
    rig.run(10)
    rig.switch.pressed = True
    rig.run()
    assert rig.state == CLOSED
    assert rig.events.take() == [(106, 2), changed(CLOSED, 6)]


def test_remote_disconnect_is_locked():
    rig = rested()
    assert rig.call(23, b"\x00") == (0, bytes([LOCKED]))
    assert rig.events.take() == [(106, 1), changed(LOCKED, 5)]
    rig.run(10)
    rig.switch.pressed = True
    rig.run()
    assert rig.state == LOCKED and rig.switch.opened
    assert rig.call(2, CLOSE) == (3, bytes([LOCKED])), "EP02 does not go round EP23"
    assert rig.call(23, b"\x01") == (0, bytes([CLOSED]))
    assert rig.events.take() == [(106, 2), changed(CLOSED, 5)]
    rig.run(10)
    rig.call(23, b"\x00")
    rig.run(10)
    assert rig.call(23, b"\x02") == (0, bytes([OPENED])), "unlocked for the button"
    rig.switch.pressed = True
    rig.run()
    assert rig.state == CLOSED
    assert rig.call(23, b"\x03") == (2, b"")


def test_remote_disconnect_can_be_off():
    rig = rested()
    rig.write(2053, 0, settings_body(control=2))
    assert rig.call(23, b"\x00") == (3, bytes([CLOSED]))
    assert rig.switch.opened is False
