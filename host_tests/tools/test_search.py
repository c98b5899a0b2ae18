"""Finding everybody through each other, by devices that know only discovery, in virtual time."""

import pytest
from fake_discovery import PROGRAM, FinderNetwork

from osgp_tools.client import Client
from osgp_tools.link_budget import Link
from osgp_tools.search import Search
from osgp_tools.simulation.loop import run
from osgp_tools.simulation.network import unique_id
from osgp_tools.simulation.topologies import line, star, streets
from osgp_tools.topology import HERE, Topology

FAIR = Link(-30.0, 15.0)
POOR = Link(-50.0, 5.0)


def searching(network, work):
    """Run work(search) in the network's time."""

    async def main():
        client = Client(network.client_link, silence=0)
        return await work(Search(client, Topology(), network.client_link.unique_id))

    return run(main, network.channel)


async def everybody(search):
    found = await search.everybody()
    return found, search


@pytest.mark.parametrize("devices", [0, 1, 3, 70])
def test_everybody_in_reach(devices):
    network = FinderNetwork(star(devices))
    found, search = searching(network, everybody)
    assert sorted(found) == [unique_id(k) for k in range(1, devices + 1)]
    for one in found:
        assert search.topology.path(one, anybody=True) == [HERE, one]
        assert search.topology.node(one).program == PROGRAM


def test_through_sixteen_hops():
    network = FinderNetwork(line(16))
    found, search = searching(network, everybody)
    assert found == [unique_id(k) for k in range(1, 17)]
    assert [search.topology.hops(one) for one in found] == list(range(1, 17))
    assert search.topology.path(found[-1]) == []  # nobody of them is a member


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_streets_that_lose_frames(loss):
    network = FinderNetwork(streets(30, 3), loss=loss)
    found, _ = searching(network, everybody)
    assert len(found) == 30


def test_margins_strengths_and_phases_come_with_it():
    network = FinderNetwork(line(3, good=FAIR))
    network.channel.set_link(
        network.station(2), network.station(1), Link(-36.0, 9.5), both_ways=False
    )
    network.channel.set_link(
        network.station(1), network.client_link.station, POOR, both_ways=False
    )
    found, search = searching(network, everybody)
    first, second, _ = found
    link = search.topology.link(first, second)
    assert (link.margins[first], link.margins[second]) == (15, 9)
    assert (link.strengths[first], link.strengths[second]) == (-30, -36)
    assert search.topology.link(HERE, first).margins == {HERE: 15, first: 3}
    assert [node.phase for node in search.topology.nodes()] == [0, 0, 0]


def test_phases_add_up_over_hops():
    topology = line(3)
    network = FinderNetwork(type(topology)("", (0, 1, 2, 1), topology.links, topology.hops, ()))
    found, search = searching(network, everybody)
    assert [search.topology.node(one).phase for one in found] == [2, 4, 2]


def test_who_is_badly_heard_is_found_again_by_somebody_nearer():
    topology = line(2)
    links = dict(topology.links) | {(0, 2): POOR, (2, 0): POOR}
    network = FinderNetwork(type(topology)("", topology.phases, links, topology.hops, ()))
    _, search = searching(network, everybody)
    assert search.topology.link(HERE, unique_id(2)).margin == 3
    assert search.topology.path(unique_id(2), anybody=True) == [HERE, unique_id(1), unique_id(2)]


def test_a_second_search_finds_the_same_and_what_is_new():
    network = FinderNetwork(line(4))
    network.devices[3].on = False

    async def work(search):
        first = await search.everybody()
        network.devices[3].on, network.devices[0].on = True, True
        return first, await search.everybody(), search.topology.epoch

    first, second, epoch = searching(network, work)
    assert first == [unique_id(k) for k in (1, 2, 3)]
    assert second == [unique_id(k) for k in (1, 2, 3, 4)]
    assert 1 <= epoch <= 15


def test_one_that_moved_is_found_where_it_is():
    network = FinderNetwork(line(6))
    moving = unique_id(6)

    async def work(search):
        await search.everybody()
        network.move(6, {2: Link()})
        before = search.queries
        assert await search.one(moving)
        return search.queries - before, search.topology.path(moving, anybody=True)

    queries, path = searching(network, work)
    assert path == [HERE, unique_id(1), unique_id(2), moving]
    assert queries <= 6


def test_one_that_is_gone_is_not_found_and_keeps_its_place():
    network = FinderNetwork(line(3))

    async def work(search):
        await search.everybody()
        network.devices[2].on = False
        assert not await search.one(unique_id(3))
        return search.topology.hops(unique_id(3))

    assert searching(network, work) == 3


def test_answers_that_are_none_do_no_harm():
    network = FinderNetwork(star(1))

    async def work(search):
        hear = network.client_link.heard
        found = await search.everybody()
        for listener in hear:
            for length in range(40):
                listener(b"\x4a" * length)
        return found

    assert searching(network, work) == [unique_id(1)]


def test_the_same_seed_searches_alike():
    runs = [searching(FinderNetwork(star(12), seed=4), everybody)[1].queries for _ in range(2)]
    assert runs[0] == runs[1]
