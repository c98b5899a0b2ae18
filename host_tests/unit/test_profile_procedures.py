"""EP11 and EP52: the load profile configured by procedures, on a whole meter."""

import struct

import rare
from meter_rig import NOON, TODAY, Rig
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE
from support import noise
from tables.model import MASTER, NO_TABLE

EP11 = 2048 + 11
EP52 = 2048 + 52
ET75 = 2048 + 75


class Device:
    """What a procedure sees of a device."""

    def __init__(self):
        self.rig = Rig()
        self.rig.set_clock()
        self.rig.catch_up()
        self.restarted()

    def restarted(self):
        self.model = self.rig.model
        self.application = self.rig.meter
        self.events = self.rig.events

    def call(self, number, parameters):
        response = bytearray(12)
        family = "osgp.procedures.profile"
        result, n = rare.run(family, number, bytes(parameters), response, self, self.rig.now)
        assert (n, response) == (0, bytearray(12))
        return result

    def read(self, number, offset=0, n=None):
        buf = bytearray(self.model.size(number) - offset if n is None else n)
        code = self.model.read(number, offset, len(buf), buf, 0, MASTER)
        return None if code == NO_TABLE else bytes(buf)


def shape(blocks, intervals, time, sources, hour=0, minute=0):
    return struct.pack("<HHBBB", blocks, intervals, time, hour, minute) + bytes(sources)


def test_configure_a_set():
    device = Device()
    version = device.read(2052, 116, 1)[0]
    assert device.call(EP11, b"\x01\x01" + shape(5, 48, 30, (0, 8, 15), 6)) == DONE
    for _ in range(2):
        assert device.read(61, 13, 6) == struct.pack("<HHBB", 5, 48, 3, 30)
        assert device.model.size(65) == 5 * (5 + 6 + 48 * 14)
        assert device.read(65) == bytes(device.model.size(65))
        assert device.read(65, device.model.size(65) - 4, 10) == bytes(10)
        assert device.read(62) == b"\0\0\0\0\1\0\x20" + b"\0\0\0\0\x08\0\0\x0f\0\x20" + b"\x20\x20"
        assert device.read(2069, 131 + 89, 2) == b"\x06\x00"
        assert device.read(2052, 116, 1)[0] == version + 1
        device.rig.start()
        device.restarted()
    device.rig.set_clock()
    device.rig.catch_up()
    device.rig.pass_seconds(3600, 30)
    assert struct.unpack_from("<BHHIHH", device.read(63), 13)[5] == 2


def test_what_changes_is_told():
    device = Device()
    assert device.call(EP11, b"\x03\x01" + shape(5, 24, 60, (0,))) == DONE
    assert (88, EP11) in device.events.posted
    length = struct.unpack_from("<H", device.read(2048 + 42), 0)[0]
    assert device.call(EP11, b"\x03\x01" + shape(0, 0, 0, ())) == DONE
    assert struct.unpack_from("<H", device.read(2048 + 42), 0)[0] < length
    assert device.call(EP11, b"\x03\x01" + shape(5, 24, 60, (0,))) == DONE
    assert [event for event, _ in device.events.posted].count(88) == 3
    assert device.read(ET75, 1, 1) == b"\0"  # that was not the primary set


def test_parameters_that_cannot_be():
    device = Device()
    before = device.read(61), device.rig.settings.replaced
    good = b"\x02\x01" + shape(5, 24, 60, (0, 1))
    bad = [
        b"\x04" + good[1:],
        b"\x02\x02" + good[2:],
        b"\x02\x00" + good[2:],  # a reset has no shape
        b"\x02\x01",
        good[:8],
        b"\x02\x01" + shape(0, 24, 60, (0,)),
        b"\x02\x01" + shape(5, 0, 60, (0,)),
        b"\x02\x01" + shape(5, 1441, 60, (0,)),
        b"\x02\x01" + shape(5, 24, 0, (0,)),
        b"\x02\x01" + shape(5, 24, 7, (0,)),
        b"\x02\x01" + shape(5, 24, 61, (0,)),
        b"\x02\x01" + shape(5, 24, 85, (0,)),
        b"\x02\x01" + shape(5, 24, 60, (0,), 24),
        b"\x02\x01" + shape(5, 24, 60, (0,), 0, 60),
        b"\x02\x01" + shape(5, 24, 60, (0, 245)),
        b"\x02\x01" + shape(5, 24, 60, (0,) * 17),
    ]
    for parameters in bad:
        assert device.call(EP11, parameters) == BAD_PARAMETER, parameters
    assert device.call(EP11, b"\x02\x01" + shape(100, 100, 60, (0,))) == CONFLICT
    assert device.call(EP11, b"\x02\x00") == CONFLICT  # there is nothing to reset
    assert device.call(EP52, b"\x6f\0\0") == BAD_PARAMETER
    assert device.call(EP52, b"\xa4\0\0") == BAD_PARAMETER
    assert (device.read(61), device.rig.settings.replaced) == before
    assert device.call(EP11, good) == DONE


def test_octets_by_chance():
    device = Device()
    octets = noise(4000, 9)
    at = 0
    for k in range(300):
        n = 2 + octets[at] % 30
        parameters = bytearray(octets[at : at + n])
        at = (at + n) % 3900
        parameters[0] &= 3
        parameters[1] &= 1
        assert device.call(EP11, parameters) in (DONE, BAD_PARAMETER, CONFLICT), (k, parameters)


def test_a_reset():
    device = Device()
    assert struct.unpack_from("<BHHIHH", device.read(63), 0)[1] == 3
    assert device.call(EP11, b"\0\0") == DONE
    assert struct.unpack_from("<BHHIHH", device.read(63), 0)[1:] == (0, 0, 0, 0, 0)
    assert device.read(64) == bytes(9770)
    device.rig.pass_seconds(1800, 30)
    assert struct.unpack_from("<BHHIHH", device.read(63), 0)[1:] == (1, 0, 0, 1, 2)


def test_changes_of_the_primary_set_are_logged():
    """ET75 (MEP p.178-180): what was until then, and the first interval with what is now."""
    device = Device()
    assert device.call(EP52, struct.pack("<BH", 112, 9)) == DONE
    assert device.read(ET75, 1, 1) == b"\0"  # no channel has it
    assert device.call(EP11, b"\0\x01" + shape(4, 24, 60, (0, 112))) == DONE
    assert device.call(EP52, struct.pack("<BH", 112, 10)) == DONE
    log = device.read(ET75)
    assert len(log) == 6 + 6 * 159
    assert log[:6] == b"\x04\x02\x01\x02\x00\x02"
    first, second = log[6:165], log[165:324]
    assert first[:5] == second[:5] == bytes((26, 11, 21, 13, 0))
    assert struct.unpack_from("<16H", first, 5) == (0, 1) + (0,) * 14
    assert struct.unpack_from("<16H", second, 5) == (0, 9) + (0,) * 14
    assert first[37:45] == device.read(22, 15, 8)
    assert first[47:] == device.read(2048 + 62, 25, 112)
    assert first[47:54] == b"CH01 \0\x40"
    for k in range(6):
        assert device.call(EP52, struct.pack("<BH", 112, k)) == DONE
    log = device.read(ET75)
    assert log[:6] == b"\x06\x06\x01\x08\x00\x06"  # the oldest two went unread
    assert struct.unpack_from("<2H", log, 6 + 159 + 5) == (0, 4)


def test_the_time_of_a_change_over_midnight():
    device = Device()
    device.rig.set_clock(TODAY, 86400 - 600)
    device.rig.day, device.rig.second = TODAY, 86400 - 600
    device.rig.catch_up()
    assert NOON < 86400 - 600
    assert device.call(EP11, b"\0\x01" + shape(4, 24, 15, (1,))) == DONE
    assert device.read(ET75, 6, 5) == bytes((26, 11, 22, 0, 0))


def test_power_fails_during_the_procedure():
    """Each write of it in turn is the last one: old or new, and it can be done again."""
    for cut in range(6):
        device = Device()
        device.call(EP11, b"\x01\x01" + shape(4, 24, 60, (0, 1)))
        old = device.read(61)
        left = [cut]

        def fail(name, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5)

        device.rig.settings.on_replace = fail
        try:
            done = device.call(EP11, b"\x01\x01" + shape(6, 12, 30, (2,))) == DONE
        except OSError:
            done = False
        device.rig.settings.on_replace = None
        device.rig.start()
        device.restarted()
        new = struct.pack("<HHBB", 6, 12, 1, 30)
        assert device.read(61, 13, 6) == (old[13:19] if cut == 0 else new)
        assert device.read(61, 7, 6) == old[7:13]
        control = b"\0\0\0\0\1\0\x20" if cut == 0 else b"\0\2\0\x20"
        assert device.read(62) == b"\0\0\0\0\1\0\x20" + control + b"\x20\x20"
        assert done or device.call(EP11, b"\x01\x01" + shape(6, 12, 30, (2,))) == DONE
        assert device.read(61, 13, 6) == new
