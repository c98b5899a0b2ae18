"""Who hears whom: a star, a line of hops, streets.

Place 0 is the concentrator at its transformer; the others are devices. Streets are what networks
are like: houses along feeders that branch, and a signal that loses strength with each metre of
cable and each joint. The figures are this model's; each result says which topology it is of.
"""

import math
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from osgp_tools.link_budget import Link

GOOD = Link()  # next to each other
STRENGTH, MARGIN = GOOD.strength, GOOD.margin  # dB, without any cable
USABLE = 9.0  # dB of margin: of a hundred frames one is lost
PHASES = 3
MAIN = 0.8  # of all houses stand on the streets that begin at the transformer, or more

Links = dict[tuple[int, int], Link]


@dataclass(frozen=True)
class Topology:
    """`phases`: of each place, 0 to 2. `links`: both directions, (sender, receiver); who is not
    in there hears nothing. `hops`: frames that a message to each place takes, at the fewest.
    `position`: where to draw it."""

    name: str
    phases: tuple[int, ...]
    links: Links = field(repr=False)
    hops: tuple[int, ...] = field(repr=False)
    position: tuple[tuple[float, float], ...] = field(repr=False)

    @property
    def devices(self) -> int:
        return len(self.phases) - 1

    @property
    def farthest(self) -> int:
        return max(self.hops)

    @property
    def neighbours(self) -> float:
        """Places that a place hears, on average."""
        return len(self.links) / len(self.phases)


def parse(text: str, seed: int = 1) -> Topology:
    """Of "star:60", "line:16" (hops), "line:16x2" (two devices at each), "streets:500".

    ValueError: it is none of these.
    """
    kind, _, size = text.partition(":")
    first, _, second = size.partition("x")
    if kind == "line":
        return line(int(first), int(second or 1))
    if kind == "star":
        return star(int(size))
    if kind == "streets":
        return streets(int(size), seed)
    raise ValueError(f"{text!r} is not star:N, line:HOPS[xN] or streets:N")


def star(devices: int) -> Topology:
    """Everybody hears everybody well."""
    places = range(devices + 1)
    links = {(a, b): GOOD for a in places for b in places if a != b}
    position = ((0.0, 0.0),) + tuple((1.0, float(k)) for k in range(devices))
    return Topology("star", (0,) * (devices + 1), links, _hops(devices + 1, links), position)


def line(hops: int, devices_a_hop: int = 1, good: Link = GOOD) -> Topology:
    """Clusters in a row, each of which hears the one before, the one behind, and nobody else.

    The last of `hops` clusters is that many frames away from the concentrator.
    """
    places = hops * devices_a_hop + 1
    cluster = [0] + [k // devices_a_hop + 1 for k in range(places - 1)]
    links = {
        (a, b): good
        for a in range(places)
        for b in range(places)
        if a != b and abs(cluster[a] - cluster[b]) <= 1
    }
    position = tuple((float(cluster[k]), float((k - 1) % devices_a_hop)) for k in range(places))
    return Topology(f"line of {hops} hops", (0,) * places, links, _hops(places, links), position)


@dataclass(frozen=True)
class Layout:
    """How streets are laid out, and what a signal loses on them."""

    feeders: int = 6  # cables that leave the transformer
    spacing: float = 25.0  # m from one house to the next
    branch: float = 0.06  # probability that the next house begins a side street
    metre: float = 0.12  # dB lost on a metre of cable
    fading: float = 3.0  # dB: standard deviation of what joints and houses take besides
    phase: float = 6.0  # dB lost from one phase to another


def streets(devices: int, seed: int, layout: Layout = Layout()) -> Topology:
    """Houses along streets that branch off each other. The same seed gives the same streets."""
    rng = random.Random(f"streets {devices} {seed}")
    parents, position = _houses(devices, rng, layout)
    phases = tuple([0] + [rng.randrange(PHASES) for _ in range(devices)])
    links: Links = {}
    for a, b, metres in _pairs(parents, layout):
        lost = metres * layout.metre + abs(rng.gauss(0, layout.fading))
        if phases[a] != phases[b]:
            lost += layout.phase
        if parents[b] == a:
            lost = min(lost, MARGIN - USABLE - 3)  # next door is always heard
        link = Link(round(STRENGTH - lost, 1), round(MARGIN - lost, 1))
        if link.audible:
            links[a, b] = links[b, a] = link
    name = f"streets of {devices} houses, seed {seed}"
    return Topology(name, phases, links, _hops(devices + 1, links), tuple(position))


def _houses(
    devices: int, rng: random.Random, layout: Layout
) -> tuple[list[int], list[tuple[float, float]]]:
    """By place: the house before it on the way to the transformer, and where it stands.

    Each new house lengthens one of the streets, or begins a side street at any house.
    """
    parents = [0]
    position = [(0.0, 0.0)]
    ends: list[tuple[int, float]] = [
        (0, 2 * math.pi * (k + rng.uniform(-0.2, 0.2)) / layout.feeders)
        for k in range(layout.feeders)
    ]  # the last house of each street, and the street's direction
    for place in range(1, devices + 1):
        if place > layout.feeders and rng.random() < layout.branch:
            parent = rng.randrange(1, place)
            street, heading = len(ends), rng.choice((0.5, -0.5)) * math.pi
            ends.append((parent, _heading(position, parents, parent) + heading))
        else:
            street = (
                (place - 1) % layout.feeders if rng.random() < 0.8 else rng.randrange(len(ends))
            )
        parent, direction = ends[street]
        direction += rng.gauss(0, 0.06)
        x, y = position[parent]
        parents.append(parent)
        position.append(
            (x + layout.spacing * math.cos(direction), y + layout.spacing * math.sin(direction))
        )
        ends[street] = (place, direction)
    return parents, position


def _heading(position: list[tuple[float, float]], parents: list[int], place: int) -> float:
    """The direction in which a house was reached."""
    (x, y), (before_x, before_y) = position[place], position[parents[place]]
    return math.atan2(y - before_y, x - before_x)


def _pairs(parents: list[int], layout: Layout) -> Iterator[tuple[int, int, float]]:
    """All (a, b, metres of cable) with a < b that are near enough to hear each other."""
    reach = max(int(MARGIN / layout.metre / layout.spacing), 1)  # houses
    neighbours: list[list[int]] = [[] for _ in parents]
    for place, parent in enumerate(parents[1:], start=1):
        neighbours[place].append(parent)
        neighbours[parent].append(place)
    for a in range(len(parents)):
        seen = {a}
        edge = [a]
        for away in range(1, reach + 1):
            edge = [b for house in edge for b in neighbours[house] if b not in seen]
            seen.update(edge)
            yield from ((a, b, away * layout.spacing) for b in edge if b > a)


def _hops(places: int, links: Links) -> tuple[int, ...]:
    """Of each place: over how many links that lose little a message comes to it, at the fewest.

    ValueError: somebody cannot be reached.
    """
    heard_by: list[list[int]] = [[] for _ in range(places)]
    for (a, b), link in links.items():
        if link.margin >= USABLE:
            heard_by[a].append(b)
    hops = [-1] * places
    hops[0] = 0
    edge: deque[int] = deque([0])
    while edge:
        a = edge.popleft()
        for b in heard_by[a]:
            if hops[b] < 0:
                hops[b] = hops[a] + 1
                edge.append(b)
    if min(hops) < 0:
        raise ValueError(f"place {hops.index(-1)} cannot be reached")
    return tuple(hops)
