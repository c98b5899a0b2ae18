"""Devices that know discovery and nothing else, on a simulated line in virtual time.

Made of the host's own codecs: what is tested with them is how the concentrator searches, not the
firmware.
"""

from osgp_tools import addp, lpdu
from osgp_tools.addp import Heard
from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel
from osgp_tools.link_budget import Link
from osgp_tools.simulation.network import NOTHING, ClientLink, unique_id
from osgp_tools.simulation.topologies import Topology

PROGRAM = bytes.fromhex("9FFFFF4F53475001")


class Finder:
    """One device at a place of a topology."""

    def __init__(self, channel: Channel, place: int, phase: int):
        self.unique_id = unique_id(place)
        self.epoch = 0
        self.on = True
        self._channel = channel
        self.station = channel.attach(self._frame, phase=phase)

    def _frame(self, octets, signal):
        frame = lpdu.decode(octets)
        if not self.on or frame.pdu != lpdu.APDU or frame.domain != addp.DOMAIN:
            return
        if frame.address == lpdu.UNIQUE_ID and frame.unique_id != self.unique_id:
            return
        heard = Heard(signal.levels, signal.levels, signal.phase)
        if frame.body[0] == addp.OUT:
            self._query(addp.decode_query(frame.body), heard)
        elif frame.body[0] == addp.IN:
            self._send(addp.decode_answer(frame.body).passed_on(heard).frame())

    def _query(self, query, heard):
        if query.addressee == self.unique_id and query.place < len(query.path):
            self._send(query.passed_on().frame())
            return
        delay = 0.0
        if query.device:
            self.epoch = query.epoch or self.epoch
        elif not query.matches(self.unique_id) or (query.epoch and query.epoch == self.epoch):
            return
        else:
            delay = query.slot(self.unique_id) * query.slot_length * addp.SLOT_UNIT
        self._send(addp.answer_to(query, self.unique_id, heard, program=PROGRAM).frame(), delay)

    def _send(self, frame, delay=0.0):
        self.station.send(frame.encode(), self._channel.now + int((delay + 0.008) * SECOND))


class FinderNetwork:
    """As `simulation.Network`; its devices are found and nothing else."""

    def __init__(self, topology: Topology, seed: int = 1, loss: float = 0.0):
        self.topology = topology
        self.channel = Channel(seed=seed, loss=loss, link=NOTHING)
        self.client_link = ClientLink(self.channel, topology.phases[0])
        self.devices = [
            Finder(self.channel, place, topology.phases[place])
            for place in range(1, topology.devices + 1)
        ]
        for (a, b), link in topology.links.items():
            self.channel.set_link(self.station(a), self.station(b), link, both_ways=False)

    def station(self, place: int):
        return self.devices[place - 1].station if place else self.client_link.station

    def move(self, place: int, links: dict[int, Link]) -> None:
        moved = self.station(place)
        for other in self.channel.stations:
            if other is not moved:
                self.channel.set_link(moved, other, links.get(other.index, NOTHING))
