"""The topology: which ways it takes for the best, and what exchanges teach it."""

import pytest

from osgp_tools import topology_store
from osgp_tools.exchange import DIRECT, Exchange, Target, Way
from osgp_tools.ltep import Hop
from osgp_tools.store import Vault
from osgp_tools.topology import HERE, Topology

DOMAIN = b"OSG"
GOOD, FAIR, POOR = 24.0, 9.0, 3.0  # dB; 9: one frame of a hundred is lost, 3: every second


def device(number: int) -> bytes:
    return bytes((4, 0, 0, 0, 0, number))


def target(number: int) -> Target:
    return Target(DOMAIN, 1, number)


def way(*numbers: int) -> Way:
    return Way(DOMAIN, tuple(Hop(1, number) for number in numbers)) if numbers else DIRECT


def network(*links: tuple[int, int, float], members: range = range(1, 100)) -> Topology:
    """Device 0 is the concentrator. `links`: two devices and the margin both ways."""
    topology = Topology()
    for a, b, margin in links:
        ends = [device(k) if k else HERE for k in (a, b)]
        topology.heard(*ends, margin)
        topology.heard(*reversed(ends), margin)
    for node in topology.nodes():
        if node.unique_id[5] in members:
            topology.admit(node.unique_id, target(node.unique_id[5]))
    return topology


def exchange(to: int, over: Way, sent=1, answer=30, broken=None, busy=False) -> Exchange:
    return Exchange(target(to), sent, 1.0, 30, answer, over, broken, busy, 1000.0)


DIAMOND = ((0, 1, GOOD), (0, 2, GOOD), (1, 3, GOOD), (2, 3, FAIR))


def test_a_way_over_two_good_links_is_better_than_a_poor_one():
    topology = network((0, 1, GOOD), (1, 2, GOOD), (0, 2, POOR))
    assert next(topology.ways(target(2))) == way(1)
    assert topology.hops(device(2)) == 2


def test_one_good_link_is_better_than_two():
    topology = network((0, 1, GOOD), (1, 2, GOOD), (0, 2, GOOD))
    assert next(topology.ways(target(2))) == DIRECT


def test_the_worse_direction_counts():
    topology = network((0, 1, GOOD), (0, 2, GOOD), (1, 3, GOOD), (2, 3, GOOD))
    topology.heard(device(3), device(1), POOR)
    assert next(topology.ways(target(3))) == way(2)


def test_only_members_repeat_but_everybody_passes_discovery_on():
    topology = network(*DIAMOND, members=range(2, 4))
    assert next(topology.ways(target(3))) == way(2)
    assert topology.path(device(3), anybody=True) == [HERE, device(1), device(3)]
    assert topology.path(device(3)) == [HERE, device(2), device(3)]


def test_a_device_is_known_by_its_unique_id_before_it_is_a_member():
    topology = network(*DIAMOND, members=range(1, 3))
    assert next(topology.ways(Target(b"OSGP\0\0", unique_id=device(3)))) == way(1)


def test_who_is_not_known_is_asked_directly_and_once():
    topology = network(*DIAMOND)
    assert list(topology.ways(target(9))) == [DIRECT]
    assert list(topology.ways(Target(DOMAIN))) == [DIRECT]
    assert list(topology.ways(target(1))) == [DIRECT, way(2, 3)]


def test_a_member_with_a_new_address_is_not_known_by_the_old_one():
    topology = network(*DIAMOND)
    topology.admit(device(3), Target(DOMAIN, 2, 7))
    assert list(topology.ways(target(3))) == [DIRECT]
    assert next(topology.ways(Target(DOMAIN, 2, 7))) == way(1)


def test_each_next_way_avoids_what_was_tried():
    topology = network(*DIAMOND)
    ways = list(topology.ways(target(3)))
    assert ways[:2] == [way(1), way(2)]
    assert len(ways) == 3


def test_the_only_way_is_tried_again():
    topology = network((0, 1, GOOD), (1, 2, GOOD))
    assert list(topology.ways(target(2))) == [way(1), way(1), way(1)]


def test_a_repeater_that_fails_is_routed_around_and_comes_back():
    topology = network(*DIAMOND)
    ways = topology.ways(target(3))
    topology.learn(exchange(3, next(ways), sent=3, answer=0))
    assert next(ways) == way(2)
    assert next(topology.ways(target(3))) == way(2)
    for _ in range(40):
        topology.learn(exchange(1, DIRECT))
    assert next(topology.ways(target(3))) == way(1)


def test_a_failure_is_forgotten_with_time():
    topology = network(*DIAMOND)
    for _ in range(3):
        topology.learn(exchange(3, way(1), sent=3, answer=0))
    link = topology.link(HERE, device(1))
    assert link.failures.penalty(1000.0) > 8 > link.failures.penalty(1000.0 + 3600) > 0


def test_a_broken_way_tells_which_link_failed():
    topology = network((0, 1, GOOD), (1, 2, GOOD), (2, 3, GOOD), (1, 4, GOOD), (4, 3, FAIR))
    assert next(topology.ways(target(3))) == way(1, 2)
    topology.learn(exchange(3, way(1, 2), broken=1))
    assert topology.link(device(2), device(3)).failures.count == 1
    assert topology.link(HERE, device(1)).failures.count == 0
    assert topology.link(device(1), device(2)).failures.count == 0
    assert next(topology.ways(target(3))) == way(1, 4)


def test_a_busy_repeater_has_not_failed():
    topology = network(*DIAMOND)
    topology.learn(exchange(3, way(1), broken=0, busy=True))
    assert next(topology.ways(target(3))) == way(1)


def test_losses_that_margins_do_not_show_are_learned():
    topology = network(*DIAMOND)
    for _ in range(8):
        topology.learn(exchange(1, DIRECT, sent=4))
    assert topology.link(HERE, device(1)).arrives < 0.5
    assert next(topology.ways(target(3))) == way(2)


def test_a_success_by_a_way_that_was_given_up_makes_it_good_again():
    topology = network(*DIAMOND)
    topology.learn(exchange(3, way(1), broken=0))
    assert topology.link(device(1), device(3)).failures.count == 1
    for _ in range(40):
        topology.learn(exchange(3, way(1)))
    assert next(topology.ways(target(3))) == way(1)


def test_no_way_is_longer_than_sixteen_repeaters():
    chain = [(k, k + 1, GOOD) for k in range(18)]
    topology = network(*chain)
    assert len(next(topology.ways(target(17))).hops) == 16
    assert topology.path(device(18)) == []
    assert list(topology.ways(target(18))) == [DIRECT]


def test_a_shorter_way_over_poor_links_is_taken_where_the_best_is_too_long():
    chain = [(k, k + 1, GOOD) for k in range(18)]
    topology = network(*chain, (2, 6, POOR))
    assert len(topology.path(device(18))) == 16


def test_a_device_that_moved_leaves_its_links_behind():
    topology = network(*DIAMOND)
    topology.forget_links(device(3))
    assert list(topology.ways(target(3))) == [DIRECT]
    topology.heard(device(2), device(3), GOOD)
    assert next(topology.ways(target(3))) == way(2)


def test_around_a_device_the_near_ones_come_first():
    topology = network((0, 1, GOOD), (1, 2, GOOD), (2, 3, GOOD), (0, 4, GOOD))
    assert topology.around(device(3)) == [device(2), device(1), HERE, device(4)]
    assert topology.around(device(9)) == [HERE, device(1), device(4), device(2), device(3)]


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path / "concentrator.db")
    yield vault
    vault.close()


def test_what_is_known_is_kept(vault, tmp_path):
    place = vault.new_place(device(1))
    vault.admit(device(1), place)
    topology = network(*DIAMOND, members=range(1, 2))
    topology.epoch = 5
    topology.heard(device(1), HERE, GOOD, -12.0, 1234.5)
    topology.node(device(2)).program, topology.node(device(2)).phase = b"program!", 4
    topology.learn(exchange(3, way(1), broken=0))
    path = tmp_path / "concentrator.db"
    topology_store.save(path, topology)
    topology_store.save(path, topology)  # twice is once
    again = topology_store.load(path, vault)
    assert again.epoch == 5
    assert again.nodes() == topology.nodes()
    assert {frozenset(one[:2]): one[2] for one in again.links()} == {
        frozenset(one[:2]): one[2] for one in topology.links()
    }
    assert again.node(device(1)).member == target(1)


def test_nothing_is_known_of_a_new_network(vault, tmp_path):
    topology = topology_store.load(tmp_path / "concentrator.db", vault)
    assert topology.nodes() == [] and topology.epoch == 0
