"""Who hears whom."""

import pytest

from osgp_tools.simulation import topologies
from osgp_tools.simulation.topologies import USABLE, Layout, line, star, streets


def test_a_star_is_one_hop():
    made = star(5)
    assert made.hops == (0, 1, 1, 1, 1, 1)
    assert len(made.links) == 6 * 5


def test_a_line_of_sixteen_hops():
    made = line(16, 2)
    assert made.devices == 32
    assert made.farthest == 16
    assert (0, 1) in made.links
    assert (0, 3) not in made.links
    assert (1, 2) in made.links  # two at one hop hear each other


@pytest.mark.parametrize("seed", range(1, 6))
def test_streets_reach_everybody(seed):
    made = streets(200, seed)
    assert len(made.hops) == len(made.phases) == len(made.position) == 201
    assert min(made.hops[1:]) == 1
    assert all(link.audible for link in made.links.values())
    assert 5 < made.neighbours < 60


def test_five_hundred_houses_are_up_to_sixteen_hops_away():
    assert 8 < streets(500, 1).farthest <= 16


def test_the_same_seed_gives_the_same_streets():
    assert streets(60, 1) == streets(60, 1)
    assert streets(60, 1) != streets(60, 2)


def test_nobody_hears_well_beyond_his_street():
    far = Layout(spacing=400.0)
    made = streets(20, 1, far)
    good = [pair for pair, link in made.links.items() if link.margin >= USABLE]
    assert len(good) == 2 * 20  # a tree: the house before, and those behind


@pytest.mark.parametrize("text", ["ring:5", "streets", "line:axb", ""])
def test_what_is_no_topology(text):
    with pytest.raises(ValueError):
        topologies.parse(text)


def test_topologies_by_name():
    assert topologies.parse("star:7").devices == 7
    assert topologies.parse("line:3").devices == 3
    assert topologies.parse("line:3x4").devices == 12
    assert topologies.parse("streets:30", 2) == streets(30, 2)
