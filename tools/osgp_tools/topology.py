"""The network as the concentrator knows it: who hears whom and how well, and the best ways.

What it knows comes from discovery (margins) and from every exchange (what was lost, and where).
The best way takes the fewest expected transmissions, the ETX of De Couto et al. 2003: a link costs
1 / (probability that a frame and its answer both arrive). Links and devices that failed a whole
transaction cost more for a while, so that the next way goes round them.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from osgp_tools import clock, ltep
from osgp_tools.exchange import DIRECT, Exchange, Target, Way
from osgp_tools.links import PENALTY, Failures, Link, Node

HERE = b""  # the concentrator, where unique ids stand
MOST_REPEATERS = ltep.MOST_HOPS + 1
WAYS = 3  # tried within one request
_SETTLED = 0.2  # share by which a cost has to change before ways are computed anew


@dataclass
class _Ways:
    """From HERE to each device: what the best way costs, and over whom it goes."""

    costs: dict[bytes, float]
    paths: dict[bytes, list[bytes]]


class Topology:
    """Devices and links, and the ways over members. Give it to a client as its `routes`, and
    `learn` as a listener of its exchanges."""

    def __init__(self) -> None:
        self.graph = nx.Graph()
        self.graph.add_node(HERE)
        self._members: dict[tuple[bytes, int, int], bytes] = {}
        self.epoch = 0  # of the last discovery, 1 to 15 (`addp`)
        self._best: dict[bool, _Ways] = {}  # by `anybody`
        self._settled: dict[tuple[bytes, bytes], float] = {}  # costs of which `_best` was made

    # ---- what is known

    def node(self, unique_id: bytes) -> Node:
        """The device; a new one when it is not known."""
        if unique_id not in self.graph:
            self.graph.add_node(unique_id, node=Node(unique_id))
        return self.graph.nodes[unique_id]["node"]

    def nodes(self) -> list[Node]:
        return [data["node"] for one, data in self.graph.nodes(data=True) if one != HERE]

    def link(self, a: bytes, b: bytes) -> Link | None:
        return self.graph.edges[a, b]["link"] if self.graph.has_edge(a, b) else None

    def links(self) -> Iterator[tuple[bytes, bytes, Link]]:
        for a, b, data in self.graph.edges(data=True):
            yield a, b, data["link"]

    def admit(self, unique_id: bytes, target: Target) -> None:
        """The device is a member there: it repeats, and is asked there."""
        node = self.node(unique_id)
        if node.member:
            self._members.pop(_place(node.member), None)
        node.member = target
        self._members[_place(target)] = unique_id
        self._best.clear()

    def heard(
        self,
        sender: bytes,
        receiver: bytes,
        margin: float | None = None,
        strength: float | None = None,
        when: float = 0.0,
    ) -> Link:
        """`receiver` hears `sender`, so well as its transceiver says (dB)."""
        known = self.link(sender, receiver)
        link = known or Link()
        if margin is not None:
            link.margins[sender] = margin
        if strength is not None:
            link.strengths[sender] = strength
        link.seen = max(link.seen, when)
        if known is None:
            self.put(sender, receiver, link)
        elif link.failures.count or self._has_changed(sender, receiver, link):
            link.failures = Failures()
            self._best.clear()
        for one in (sender, receiver):
            if one != HERE:
                self._is_there(self.node(one), when)
        return link

    def _is_there(self, node: Node, when: float) -> None:
        node.seen = max(node.seen, when)
        if node.failures.count:
            node.failures = Failures()
            self._best.clear()

    def put(self, a: bytes, b: bytes, link: Link) -> Link:
        """A link between two, in the place of the one that was known."""
        for one in (a, b):
            if one != HERE:
                self.node(one)
        replaced = self.graph.has_edge(a, b)
        self.graph.add_edge(a, b, link=link)
        self._settled[a, b] = self._settled[b, a] = link.transmissions
        if replaced:
            self._best.clear()
        else:
            self._extend(a, b, link)
        return link

    def forget_links(self, unique_id: bytes) -> None:
        """It is not where it was."""
        self.graph.remove_edges_from(list(self.graph.edges(unique_id)))
        self._best.clear()

    def neighbours(self, unique_id: bytes) -> int:
        """With how many others it has a link, as far as is known."""
        return self.graph.degree(unique_id) if unique_id in self.graph else 0

    def around(self, unique_id: bytes) -> list[bytes]:
        """The concentrator and all other devices, those nearest to a device first."""
        start = unique_id if unique_id in self.graph else HERE
        far = self.graph.number_of_nodes()
        away = nx.single_source_shortest_path_length(self.graph, start)
        others = [one for one in self.graph if one != unique_id]
        return sorted(others, key=lambda one: (away.get(one, far), one))

    # ---- ways

    def path(self, unique_id: bytes, anybody: bool = False) -> list[bytes]:
        """From the concentrator to the device, both ends included; empty: no way is known.

        Members repeat messages; `anybody`: every device does, as it does in discovery.
        """
        if anybody not in self._best:
            self._best[anybody] = self._all_paths(anybody)
        path = self._best[anybody].paths.get(unique_id, [])
        if len(path) - 2 > MOST_REPEATERS:
            return self._cheapest(unique_id, {}, 4.0)
        return path

    def hops(self, unique_id: bytes) -> int | None:
        """Frames from the concentrator to the device at the fewest; None: no way is known."""
        return len(self.path(unique_id, True)) - 1 if self.path(unique_id, True) else None

    def ways(self, target: Target) -> Iterator[Way]:
        """The best way first; while each fails, what `learn` made of it counts for the next."""
        unique_id = self.whose(target)
        tried: dict[tuple[bytes, bytes], int] = {}
        given: list[list[bytes]] = []
        if unique_id is None or not self.path(unique_id):
            yield DIRECT
            return
        for _ in range(WAYS):
            path = self.path(unique_id)
            if path in given:
                path = self._cheapest(unique_id, tried)
            if not path or (path in given and len(path) == 2):
                return
            given.append(path)
            for a, b in pairwise(path):
                tried[_pair(a, b)] = tried.get(_pair(a, b), 0) + 1
            yield self._way(path)

    def whose(self, target: Target) -> bytes | None:
        """The unique id of a target, as far as it is known here."""
        unique_id = target.unique_id or self._members.get(_place(target))
        return unique_id if unique_id in self.graph else None

    def _way(self, path: list[bytes]) -> Way:
        members = [self.node(one).member for one in path[1:-1]]
        if not members:
            return DIRECT
        hops = tuple(ltep.Hop(one.subnet, one.node) for one in members if one)
        return Way(members[0].domain if members[0] else b"", hops)

    def _cost(self, a: bytes, b: bytes, link: Link, now: float) -> float:
        """Of the step from a to b."""
        penalty = link.failures.penalty(now)
        if b != HERE:
            penalty += self.node(b).failures.penalty(now)
        return self._settled[a, b] + penalty

    def _settle(self) -> None:
        """What each link costs, as far as it works."""
        self._settled.clear()
        for a, b, link in self.links():
            self._settled[a, b] = self._settled[b, a] = link.transmissions

    def _repeats(self, one: bytes) -> bool:
        return one == HERE or self.node(one).member is not None

    def _all_paths(self, anybody: bool) -> _Ways:
        now = clock.wall()
        self._settle()

        def cost(a: bytes, b: bytes, data: dict) -> float | None:
            return self._cost(a, b, data["link"], now) if anybody or self._repeats(a) else None

        costs, paths = nx.single_source_dijkstra(self.graph, HERE, weight=cost)
        assert isinstance(costs, dict) and isinstance(paths, dict)  # to all, not to one
        return _Ways(costs, paths)

    def _extend(self, a: bytes, b: bytes, link: Link) -> None:
        """A new link: a device that had none is at its end, and where it shortens a way all are
        computed anew. In a discovery most links do neither."""
        now = clock.wall()
        for anybody, best in list(self._best.items()):
            for near, far in ((a, b), (b, a)):
                if near not in best.costs or not (anybody or self._repeats(near)):
                    continue
                cost = best.costs[near] + self._cost(near, far, link, now)
                if far not in best.costs and self.graph.degree(far) == 1:
                    best.costs[far] = cost
                    best.paths[far] = [*best.paths[near], far]
                elif cost < best.costs.get(far, math.inf):
                    self._best.pop(anybody, None)

    def _has_changed(self, a: bytes, b: bytes, link: Link) -> bool:
        """Does it cost something else than when ways were computed?"""
        before = self._settled.get((a, b), 0.0)
        return abs(link.transmissions - before) > _SETTLED * before

    def _cheapest(
        self, unique_id: bytes, tried: dict[tuple[bytes, bytes], int], hop: float = 0.0
    ) -> list[bytes]:
        """Over members, with links that were tried, and hops, more expensive; empty: no way."""
        now = clock.wall()
        self._settle()

        def cost(a: bytes, b: bytes, data: dict) -> float | None:
            extra = hop + PENALTY * tried.get(_pair(a, b), 0)
            return self._cost(a, b, data["link"], now) + extra if self._repeats(a) else None

        try:
            path = nx.dijkstra_path(self.graph, HERE, unique_id, weight=cost)
        except nx.NetworkXNoPath:
            return []
        return path if len(path) - 2 <= MOST_REPEATERS else []

    # ---- what exchanges teach

    def learn(self, exchange: Exchange) -> None:
        """Which links carried it, and which one failed."""
        unique_id = self.whose(exchange.target)
        if unique_id is None:
            return
        path = [HERE, *self._repeaters(exchange.way), unique_id]
        steps = list(pairwise(path))
        good = steps
        if exchange.failed:
            failed = 0 if exchange.broken is None else exchange.broken + 1
            good = steps[:failed]
            if not exchange.busy:
                self._fail(*steps[failed], exchange)
        for k, (a, b) in enumerate(good):
            self._succeed(a, b, exchange.retries if k == 0 else 0, exchange)

    def _repeaters(self, way: Way) -> Iterable[bytes]:
        places = ((way.domain, hop.subnet, hop.node) for hop in way.hops)
        return (self._members[place] for place in places)

    def _succeed(self, a: bytes, b: bytes, retries: int, exchange: Exchange) -> None:
        link = self.heard(a, b, when=exchange.ended)
        link.tried(1 + retries, retries)
        if self._has_changed(a, b, link):
            self._best.clear()

    def _fail(self, a: bytes, b: bytes, exchange: Exchange) -> None:
        link = self.link(a, b)
        if link is None:
            return
        link.tried(exchange.sent, exchange.sent)
        for failures in (link.failures, self.node(b).failures):
            failures.count += 1
            failures.last = exchange.ended
        self._best.clear()


def _place(target: Target) -> tuple[bytes, int, int]:
    return target.domain, target.subnet, target.node


def _pair(a: bytes, b: bytes) -> tuple[bytes, bytes]:
    return (a, b) if a < b else (b, a)
