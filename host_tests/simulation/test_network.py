"""Devices and a concentrator on one simulated line."""

import asyncio

import pytest

from osgp_tools import clock
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.concentrator import Concentrator
from osgp_tools.discovery import DISCOVERY, Discovery
from osgp_tools.exchange import Target
from osgp_tools.link_budget import Link
from osgp_tools.lpdu import decode
from osgp_tools.membership import InstallationKeys
from osgp_tools.readings import Readings
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.network import household_source, unique_id
from osgp_tools.simulation.topologies import line
from osgp_tools.store import Vault

QUERY_STATUS, STATUS = 0x51, 0x31
GOOD = Link()


class Desk:
    """A concentrator at a network, as a context."""

    def __init__(self, network, folder):
        self.client = Client(network.client_link)
        self.vault = Vault(folder / "vault.db")
        self.readings = Readings(folder / "readings.db")
        keys = InstallationKeys()
        self.concentrator = Concentrator(self.client, self.vault, self.readings, keys)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vault.close()
        self.readings.close()


async def answers(client, k):
    """Does device k answer? By unique id, directly, once."""
    target = Target(DISCOVERY, unique_id=unique_id(k + 1))
    try:
        answer = await client.request(target, bytes((QUERY_STATUS,)), client.reading)
    except NoAnswerError:
        return False
    return answer[0] == STATUS


def status_of(network):
    async def main():
        client = Client(network.client_link)
        return [await answers(client, k) for k in range(len(network.devices))]

    return run(main, network.channel)


def test_the_main_job_in_virtual_time(tmp_path):
    """Found, made a member, its clock set, its day read and true to the watt-hour."""
    network = Network(seed=1, devices=2)

    async def main():
        with Desk(network, tmp_path) as desk:
            found = await Discovery(desk.client).find()
            assert found == [unique_id(1), unique_id(2)]
            for one in found:
                device = await desk.concentrator.join(one)
                await desk.concentrator.set_clock(device)
                await desk.concentrator.wait_for_past(device)
                midnight = clock.utc().replace(hour=0, minute=0, second=0, microsecond=0)
                day = await desk.concentrator.read_day(device, midnight)
                place = int.from_bytes(one, "big") & 0xFF
                check(day, household_source(place % 20))

    def check(day, source):
        assert len(day.intervals) == 96
        for before, after in zip(day.intervals, day.intervals[1:]):
            assert after.consumption[0] == source.consumption(before.ends_at, after.ends_at)

    run(main, network.channel)


def test_only_who_is_in_reach_answers():
    network = Network(topology=line(2))
    assert status_of(network) == [True, False]


def test_a_device_without_power_is_silent_and_comes_back_as_what_it_was(tmp_path):
    network = Network(devices=1)

    async def main():
        with Desk(network, tmp_path) as desk:
            device = await desk.concentrator.commission(unique_id(1))
            made = await device.meter.table(1)
            network.cut(0)
            assert network.devices[0].device is None
            assert not await answers(desk.client, 0)
            network.power(0)
            await asyncio.sleep(3)
            assert await answers(desk.client, 0)
            assert await device.meter.table(1) == made

    run(main, network.channel)


def test_a_device_that_moves_is_heard_where_it_is():
    network = Network(topology=line(2))
    assert status_of(network) == [True, False]
    network.move(1, {0: GOOD})
    assert status_of(network) == [True, True]
    network.move(0, {2: GOOD})
    assert status_of(network) == [False, True]


def test_frames_for_others_are_left_out_and_it_changes_nothing(tmp_path):
    """A transceiver that hands on all it hears, and one that hands on what may be for its
    device: the same frames at the same moments."""
    digests = []
    for filtered in (True, False):
        network = Network(seed=5, devices=3, loss=0.1)
        for one in network.devices:
            one.filtered = filtered
        folder = tmp_path / str(filtered)

        async def main(network=network, folder=folder):
            with Desk(network, folder) as desk:
                for place in (1, 2, 3):
                    device = await desk.concentrator.commission(unique_id(place))
                    await desk.concentrator.read_identity(device)

        run(main, network.channel)
        digests.append(network.digest)
    assert digests[0] == digests[1]


def test_a_restart_that_is_asked_for_happens():
    network = Network(devices=1)
    network.channel.advance(5_000_000_000)
    before = network.devices[0].device
    before.restart()
    network.channel.advance(70_000_000_000)
    assert network.devices[0].device is not before


def test_listeners_hear_every_frame():
    network = Network(devices=2)
    heard = []
    network.listeners.append(lambda when, place, lpdu: heard.append((place, decode(lpdu).body[0])))
    network.channel.advance(10_000_000_000)
    assert sorted(heard) == [(1, 0x7F), (2, 0x7F)]  # a service pin each


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_random_follows_from_the_seed(seed):
    digests = set()
    for _ in range(2):
        network = Network(seed=seed, devices=4, loss=0.2)
        status_of(network)
        digests.add(network.digest)
    assert len(digests) == 1
