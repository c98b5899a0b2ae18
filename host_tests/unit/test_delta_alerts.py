"""ET71: sources looked at each second."""

import struct

from fakes import Settings
from meter.delta_alerts import DeltaAlerts
from quality_support import ET71, Application, model, read, write
from support import allocated, noise


class Rig:
    def __init__(self):
        self.settings = Settings()
        self.model = model(self.settings)
        self.application = Application()
        self.application.sources = {8: 100}
        DeltaAlerts(self.model, self.application)

    def watch(self, k, source, delta, comparison=0):
        write(self.model, ET71, 13 * k, struct.pack("<HHi", source, delta, comparison))

    def sample(self, k, value):
        """(comparison, sample, status) of alert k a second after source 8 became value."""
        self.application.sources[8] = value
        self.application.poll(0)
        return struct.unpack_from("<iiB", read(self.model, ET71), 13 * k + 4)


def test_defaults():
    rig = Rig()
    assert read(rig.model, ET71) == (b"\xff" + bytes(12)) * 10
    assert not rig.application.on_second


def test_the_comparison_follows_in_steps():
    rig = Rig()
    rig.watch(3, 8, 10, 100)
    assert rig.sample(3, 109) == (100, 109, 0)
    assert rig.sample(3, 110) == (110, 110, 0)
    assert rig.sample(3, 101) == (110, 101, 0)
    assert rig.sample(3, 100) == (100, 100, 0)
    rig.watch(3, 8, 500, -400)
    assert rig.sample(3, 99) == (-400, 99, 0)
    assert rig.sample(3, 100) == (100, 100, 0)
    assert rig.sample(3, 2**31 - 1) == (2**31 - 1, 2**31 - 1, 0)


def test_no_delta_no_alert():
    rig = Rig()
    rig.watch(0, 8, 0)
    assert rig.sample(0, 5000) == (0, 5000, 0)


def test_a_source_that_is_none():
    rig = Rig()
    rig.watch(9, 999, 1)
    assert rig.sample(9, 7) == (0, 0, 1)
    rig.watch(9, 8, 1)
    assert rig.sample(9, 7) == (7, 7, 0)


def test_a_host_sets_what_is_a_hosts():
    rig = Rig()
    before = read(rig.model, ET71)
    write(rig.model, ET71, 0, noise(200))
    body = read(rig.model, ET71)
    for k in range(130):
        assert body[k] == (noise(200)[k] if k % 13 < 8 else before[k])
    write(rig.model, ET71, 129, b"\x01\x01")
    write(rig.model, ET71, 500, b"\x01\x01")
    assert read(rig.model, ET71) == body
    rig.application.poll(0)


def test_a_restart_forgets():
    rig = Rig()
    rig.watch(0, 8, 1)
    rig.model = model(rig.settings)
    assert read(rig.model, ET71) == (b"\xff" + bytes(12)) * 10
    assert not rig.settings.kept


def test_allocation():
    rig = Rig()
    rig.watch(0, 255, 1)
    rig.watch(1, 8, 50, 110)
    poll = rig.application.on_second[0]
    assert allocated(lambda: poll(0)) in (None, 0)
