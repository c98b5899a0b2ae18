"""The concentrator from discovery to readings, against devices in memory."""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from fake_line import FakeDevice, FakeLine

from osgp_tools import concentrator as module
from osgp_tools import discovery, model
from osgp_tools.client import Client, Effort
from osgp_tools.concentrator import Concentrator, ConcentratorError, midnight
from osgp_tools.discovery import Discovery, DiscoveryError
from osgp_tools.membership import InstallationKeys
from osgp_tools.profile_readout import ReadoutError
from osgp_tools.readings import Readings
from osgp_tools.session import SessionError
from osgp_tools.store import Vault

FAST = Effort(1, 0.05)
QUARTERS = 96
BLOCKS = ("total", "tiers.0", "tiers.1", "tiers.2", "tiers.3")  # of BT23
ET03 = 2048 + 3
DAY_END = midnight(datetime.now(UTC))  # the device's newest interval may lie in this day


def stime(moment):
    return (moment.year - 2000, moment.month, moment.day, moment.hour, moment.minute)


def profile(use, newest=2):
    """Bodies of BT63 and BT64: three days, the newest in block `newest`, `use` Wh a quarter."""
    blocks: list = [None] * 10
    register = 999_999_999 - 100 * use  # so that it begins again at 0 within the day read
    for age in (2, 1, 0):
        intervals = []
        for _ in range(QUARTERS):
            register = (register + use) % 1_000_000_000
            intervals.append({"extended_status": bytes(2), "values": [register, 5]})
        blocks[(newest - age) % 10] = {
            "end_time": stime(DAY_END + timedelta(days=1 - age)),
            "simple_status": tuple(range(QUARTERS)),
            "intervals": intervals,
        }
    status = {"valid_blocks": 3, "last_block": newest % 10, "valid_intervals": QUARTERS}
    return {63: model.encode(63, {"sets": [status]}), 64: model.encode(64, {"blocks": blocks})}


class FakeMeter(FakeDevice):
    """A device with the model's default tables, three days of profile and a clock."""

    def __init__(self, number, use=25, newest=2):
        bodies = {n: model.default(n) for n in (1, 3, 5, 8, 23, 28, 61, 62, ET03)}
        bodies |= profile(use, newest) | {7: b""}
        bodies[ET03] = model.encode(ET03, {"utility_serial_number": f"U{number:04}"})
        tiers = [{"summations": {"forward_wh": 10 * number + k}} for k in range(4)]
        total = {"summations": {"forward_wh": 1000 + number}}
        bodies[23] = model.encode(23, {"total": total, "tiers": tiers})
        bodies[28] = model.encode(28, {"values": {"voltage_l1": 230_000, "q4_var": -7}})
        super().__init__(number, bodies)
        self.set_to = []
        self.bp10 = self.set_clock

    def set_clock(self, parameters):
        self.set_to.append((parameters, time.time()))
        return 0, parameters[1:7] * 2


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a scenario(concentrator, devices, line) and look at what was kept."""
    monkeypatch.setattr(module, "LOOK_PAUSE", 0.0)

    def runner(scenario, devices):
        async def main():
            line = FakeLine()
            line.devices += devices
            vault = Vault(tmp_path / "concentrator.db")
            readings = Readings(tmp_path / "readings.db")
            client = Client(line, silence=0, reading=FAST, writing=FAST)
            try:
                concentrator = Concentrator(client, vault, readings, InstallationKeys())
                return await scenario(concentrator, devices, line)
            finally:
                vault.close()
                readings.close()

        return asyncio.run(main())

    return runner


def kept(tmp_path, query):
    base = sqlite3.connect(tmp_path / "readings.db")
    try:
        return base.execute(query).fetchall()
    finally:
        base.close()


def test_discovery_finds_all_and_silences_them(run):
    async def scenario(concentrator, devices, line):
        told = []
        found = await Discovery(concentrator.client, 0.03).find(told.append)
        assert sorted(told) == found
        assert not any(device.selected for device in devices)
        return found

    devices = [FakeMeter(k) for k in (3, 1, 2)]
    assert run(scenario, devices) == sorted(device.unique_id for device in devices)


def test_discovery_survives_lost_answers_and_a_service_pin_helps(run):
    async def scenario(concentrator, devices, line):
        seen = set()

        def lose_the_first(frame, down):
            if down or frame.body[:1] != b"\x21" or frame.body[1:7] in seen:
                return [frame]
            seen.add(frame.body[1:7])
            return []

        line.faults = lose_the_first
        finder = Discovery(concentrator.client, 0.03)
        finder.pins.add(bytes(6))  # of a device that is gone
        return await finder.find()

    devices = [FakeMeter(k) for k in (1, 2)]
    assert run(scenario, devices) == [device.unique_id for device in devices]
    assert run(scenario, []) == []


def test_a_device_that_cannot_be_silenced_does_not_keep_us_for_ever(run, monkeypatch):
    monkeypatch.setattr(discovery, "ROUNDS", 3)

    async def scenario(concentrator, devices, line):
        line.faults = lambda frame, down: [] if frame.body[:1] == b"\x22" else [frame]
        with pytest.raises(DiscoveryError, match="told to be quiet"):
            await Discovery(concentrator.client, 0.03).find()

    device = FakeMeter(1)
    device.dispatch = lambda apdu, old=device.dispatch: (
        b"\x21" + device.unique_id + bytes(8) if apdu == b"\x61\x01" else old(apdu)
    )
    run(scenario, [device])


def test_joining_commissions_once_and_again_when_the_key_is_lost(run):
    async def scenario(concentrator, devices, line):
        device = devices[0]
        first = await concentrator.join(device.unique_id)
        key = device.key
        again = await concentrator.join(device.unique_id)
        assert device.key == key and again.member == first.member
        device.key = bytes(12)  # it answers 0B now
        second = await concentrator.join(device.unique_id)
        assert device.key not in (key, bytes(12))
        for _ in range(8):
            await second.meter.table(5)
        device.expected = 0  # its numbers went back: ours must not
        third = await concentrator.join(device.unique_id)
        return await third.meter.table(5)

    assert run(scenario, [FakeMeter(1)]) == {"identification": "0" * 20}


def test_the_clock_is_set_to_the_second_of_arrival(run):
    async def scenario(concentrator, devices, line):
        await concentrator.set_clock(await concentrator.join(devices[0].unique_id))
        return devices[0].set_to

    [(parameters, at)] = run(scenario, [FakeMeter(1)])
    year, *rest = parameters[1:7]
    told = datetime(2000 + year, *rest, tzinfo=UTC)
    assert parameters[0] == 7 and len(parameters) == 8
    assert abs(told.timestamp() - at) < 0.3
    assert parameters[7] == int(told.strftime("%w"))


def test_a_clock_that_was_set_by_a_retry_is_set_again(run):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        lost = []

        def lose_one_write(frame, down):
            if down and len(frame.body) == 29 and not lost:
                lost.append(frame)
                return []
            return [frame]

        line.faults = lose_one_write
        await concentrator.set_clock(device)
        return len(devices[0].set_to)

    assert run(scenario, [FakeMeter(1)]) == 2


def test_a_device_that_refuses_the_time_is_reported(run):
    async def scenario(concentrator, devices, line):
        devices[0].bp10 = lambda parameters: (2, b"")
        with pytest.raises(SessionError, match="result 2"):
            await concentrator.set_clock(await concentrator.join(devices[0].unique_id))

    run(scenario, [FakeMeter(1)])


def test_waiting_for_the_past(run, monkeypatch):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        wrong = model.encode(3, {"status_1": {"clock_error": 1}})
        right = devices[0].tables[3]
        devices[0].tables[3] = bytearray(wrong)
        asyncio.get_running_loop().call_later(0.02, devices[0].tables.update, {3: right})
        offset, size = model.field(64, "blocks.2.end_time")
        now = stime(datetime.now(UTC))
        devices[0].tables[64][offset : offset + size] = bytes(now)
        await concentrator.wait_for_past(device)
        assert devices[0].tables[3] is right
        monkeypatch.setattr(module, "FILLED_IN", 0.05)
        devices[0].tables[64][offset] -= 1
        with pytest.raises(ConcentratorError, match="does not reach"):
            await concentrator.wait_for_past(device)

    run(scenario, [FakeMeter(1)])


def test_identity_registers_and_instantaneous_values(run, tmp_path):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        identity = await concentrator.read_identity(device)
        registers = await concentrator.read_registers(device)
        values = await concentrator.read_instantaneous(device)
        return identity, registers, values

    identity, registers, values = run(scenario, [FakeMeter(4)])
    assert identity["utility"] == "U0004" and identity["manufacturer"] == "OED"
    forward = {one.tier: one.value for one in registers if one.quantity == "forward_wh"}
    assert forward == {-1: 1004, 0: 40, 1: 41, 2: 42, 3: 43}
    assert {one.unit for one in registers if one.quantity == "forward_wh"} == {"Wh"}
    assert {one.quantity: one.value for one in values}["q4_var"] == -7
    assert all(one.not_before <= one.not_after <= time.time() for one in registers)
    assert len(registers) == 75 and len(values) == 26
    total = "SELECT value FROM register WHERE tier = -1 AND quantity = 'forward_wh'"
    assert kept(tmp_path, total) == [(1004,)]
    assert kept(tmp_path, "SELECT utility, subnet, node FROM device") == [("U0004", 1, 1)]


def test_no_figure_is_split_between_two_reads(run):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        devices[0].executed.clear()
        await concentrator.read_registers(device)
        return [(int.from_bytes(c[3:6], "big"), c[7]) for c in devices[0].executed]

    reads = run(scenario, [FakeMeter(1)])
    assert reads == [(model.field(23, f"{where}.summations")[0], 60) for where in BLOCKS]


@pytest.mark.parametrize("newest", [2, 0, 11])
def test_a_day_of_load_profile(run, tmp_path, newest):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        progress = []
        day = await concentrator.read_day(device, DAY_END, lambda a, b: progress.append((a, b)))
        return day, progress

    day, progress = run(scenario, [FakeMeter(1, use=25, newest=newest)])
    assert day.quantities == (("forward_wh", "Wh"), ("reverse_wh", "Wh"))
    assert len(day.intervals) == QUARTERS
    assert {one.consumption for one in day.intervals} == {(25, 0)}
    assert day.intervals[0].ends_at == DAY_END - timedelta(hours=23, minutes=45)
    assert day.intervals[-1].ends_at == DAY_END
    assert progress[-1] == (977, 977) and len(progress) == 12
    sums = "SELECT quantity, SUM(consumption), COUNT(*) FROM interval GROUP BY quantity"
    assert kept(tmp_path, sums) == [("forward_wh", 2400, 96), ("reverse_wh", 0, 96)]


def test_a_day_that_is_not_there_or_not_whole_is_refused(run):
    async def scenario(concentrator, devices, line):
        device = await concentrator.join(devices[0].unique_id)
        with pytest.raises(ReadoutError, match="no day"):
            await concentrator.read_day(device, DAY_END - timedelta(days=5))
        offset, _ = model.field(64, "blocks.1.simple_status")
        devices[0].tables[64][offset] = 0xFE
        with pytest.raises(ReadoutError, match="intervals are missing"):
            await concentrator.read_day(device, DAY_END)
        shape = {"sets": [{"blocks": 5, "intervals": 12, "channels": 2, "interval_time": 60}]}
        devices[0].tables[61] = bytearray(model.encode(61, shape))
        with pytest.raises(ReadoutError, match="is no day"):
            await concentrator.read_day(device, DAY_END)

    run(scenario, [FakeMeter(1)])
