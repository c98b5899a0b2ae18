"""The concentrator's ways through a network of real firmware, in virtual time: a chain of sixteen
hops, repeaters that die, devices that move, frames that get lost, a second concentrator.
"""

from types import SimpleNamespace

import pytest

from osgp_tools import topology_store
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.concentrator import Concentrator
from osgp_tools.discovery import DISCOVERY
from osgp_tools.exchange import Target
from osgp_tools.link_budget import Link
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.readings import Readings
from osgp_tools.search import Search
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.network import unique_id
from osgp_tools.simulation.topologies import Topology as Places
from osgp_tools.simulation.topologies import line, streets
from osgp_tools.store import Vault
from osgp_tools.topology import HERE, Topology

GOOD = Link()
STARTED = 4.0  # s until every device has power and may speak


@pytest.fixture
def living(tmp_path):
    """Run work(it) in a network's time. `it`: the parts of a concentrator at place 0."""

    def runner(network, work):
        async def main():
            client = Client(network.client_link, silence=STARTED)
            vault = Vault(tmp_path / "concentrator.db")
            readings = Readings(tmp_path / "readings.db")
            topology = Topology()
            keys = InstallationKeys()
            it = SimpleNamespace(
                network=network,
                client=client,
                vault=vault,
                topology=topology,
                search=Search(client, topology, network.client_link.unique_id),
                concentrator=Concentrator(client, vault, readings, keys, topology=topology),
                path=tmp_path / "concentrator.db",
            )
            try:
                return await work(it)
            finally:
                vault.close()
                readings.close()

        return run(main, network.channel)

    return runner


async def members(it):
    """Find everybody and make them members, the nearest first: the devices, by place."""
    found = await it.search.everybody()
    devices = [await it.concentrator.commission(one) for one in found]
    return sorted(devices, key=lambda device: device.member.unique_id)


def identity(device):
    return device.session.read(1)


def diamond(devices: int = 4) -> Places:
    """The concentrator hears 1 and 2; both hear 3; 3 hears 4."""
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)][: devices + 1]
    links = {pair: GOOD for a, b in pairs for pair in ((a, b), (b, a))}
    return Places("diamond", (0,) * (devices + 1), links, (0,) * (devices + 1), ())


def test_sixteen_hops_from_discovery_to_reading(living):
    async def work(it):
        devices = await members(it)
        bodies = [await identity(device) for device in devices]
        name = bytes(range(10))
        await devices[-1].session.write(5, name, 0)
        assert await devices[-1].session.read(5) == name
        return devices, bodies, it.client.statistics.by_hops

    devices, bodies, by_hops = living(Network(1, topology=line(16)), work)
    assert [device.member.unique_id for device in devices] == [unique_id(k) for k in range(1, 17)]
    assert len(set(map(len, bodies))) == 1
    assert sorted(by_hops) == list(range(16))
    assert all(sums.failed == 0 for sums in by_hops.values())


def test_a_repeater_that_dies_is_routed_around_within_a_request(living):
    async def work(it):
        devices = await members(it)
        fourth = devices[3]
        it.topology.heard(unique_id(2), unique_id(3), 30.0)  # discovery knows one way only
        it.topology.heard(HERE, unique_id(2), 30.0)
        before = next(it.topology.ways(fourth.session.target))
        dead = 1 if before.hops[0].node == devices[0].member.node else 2
        it.network.cut(dead - 1)
        await identity(fourth)
        last = it.client.last
        await identity(fourth)
        return before, last, it.client.last

    before, first, second = living(Network(1, topology=diamond()), work)
    assert not first.failed and first.way != before
    assert second.way == first.way and second.seconds < 3  # without trying the dead one again


def test_a_device_that_moved_is_found_and_read(living):
    async def work(it):
        devices = await members(it)
        it.network.move(4, {2: GOOD})
        told = await it.concentrator.with_each(devices, identity, it.search)
        return told, it.topology.hops(devices[4].member.unique_id)

    failed, hops = living(Network(1, topology=line(5)), work)
    assert failed == {}
    assert hops == 3


def test_one_that_has_no_power_does_not_keep_the_others(living):
    async def work(it):
        devices = await members(it)
        it.network.cut(1)
        failed = await it.concentrator.with_each(devices, identity)
        return [device.member.unique_id for device in failed]

    assert living(Network(1, topology=diamond()), work) == [unique_id(2)]


@pytest.mark.parametrize(("topology", "loss"), [(line(4), 0.2), (streets(12, 2), 0.2)])
def test_with_every_fifth_frame_lost(living, topology, loss):
    async def work(it):
        devices = []
        for one in await it.search.everybody():
            device = None
            while device is None:
                device = await joined(it, one)
            devices.append(device)
        failed = await it.concentrator.with_each(devices, identity)
        return len(devices), failed

    done, failed = living(Network(1, topology=topology, loss=loss), work)
    assert done == topology.devices
    assert failed == {}


async def joined(it, one):
    try:
        return await it.concentrator.commission(one)
    except NoAnswerError:
        return None


def test_a_second_concentrator_takes_over_by_commissioning_only(living, tmp_path):
    async def work(it):
        first = await members(it)
        vault = Vault(tmp_path / "other.db")
        readings = Readings(tmp_path / "other-readings.db")
        try:
            keys = InstallationKeys()
            other = Concentrator(it.client, vault, readings, keys, topology=it.topology)
            target = first[2].session.target
            sealed = first[1].session  # a stranger's key: another device's
            refused = await refusal(it, sealed, target)
            taken = [await other.commission(device.member.unique_id) for device in first]
            read = [await identity(device) for device in taken]
            lost = await refusal(it, first[2].session, target)
            return refused, len(read), lost
        finally:
            vault.close()
            readings.close()

    assert living(Network(1, topology=line(3)), work) == (b"\0\x0b", 3, b"\0\x0b")


async def refusal(it, session, target):
    """What the device at `target` says to a request under another key."""
    apdu = session._suite.seal(7, b"\x30\0\x01").apdu
    return await it.client.request(target, apdu, it.client.reading)


def test_what_is_kept_is_gone_by_after_a_restart(living):
    async def work(it):
        devices = await members(it)
        topology_store.save(it.path, it.topology)
        again = Client(it.network.client_link, silence=0)
        with topology_store.kept(again, it.path, it.vault):
            session = it.concentrator.device(devices[2].member).session
            session.client = again
            await session.read(1)
            return again.last.way

    way = living(Network(1, topology=line(3)), work)
    assert [hop.node for hop in way.hops] == [1, 2]


def test_commissioning_goes_by_way_of_members(living):
    """FCM to a unique id: the agent sends it on (target type 6)."""

    async def work(it):
        found = await it.search.everybody()
        for one in found[:2]:
            await it.concentrator.commission(one)
        place = it.vault.new_place(found[2])
        target = Target(DISCOVERY, unique_id=found[2])
        await commission(it.client, target, InstallationKeys().of(found[2]), place)
        return it.client.last.way

    assert len(living(Network(1, topology=line(3)), work).hops) == 2


def test_when_the_repeater_of_a_street_dies_the_street_is_found_again(living):
    """Discovery had found one way to most; the others are found when they are needed."""

    async def work(it):
        devices = await members(it)
        over: dict[bytes, list] = {}
        for device in devices:
            for one in it.topology.path(device.member.unique_id)[1:-1]:
                over.setdefault(one, []).append(device)
        dead = max(over, key=lambda one: (len(over[one]), one))
        it.network.cut(int.from_bytes(dead, "big") - int.from_bytes(unique_id(1), "big"))
        failed = await it.concentrator.with_each(devices, identity, it.search)
        return dead, len(over[dead]), [device.member.unique_id for device in failed]

    dead, behind, failed = living(Network(1, topology=streets(60, 2)), work)
    assert behind >= 3
    assert failed == [dead]
