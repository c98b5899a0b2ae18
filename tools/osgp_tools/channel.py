"""One power line with its transceivers, as a discrete-event model (`lon.md` 4, `profile.md` 34).

The model has no clock. `advance(until)` lives through everything that happens up to a moment, each
event at its own computed time; `next_due` says when the next one is. Driven by a real clock it
runs in real time, driven by itself it is simulation, the same to the nanosecond for the same seed.

Access is predictive p-persistent CSMA. A station with a frame waits until the line has been idle
for beta1, draws a slot out of 16 x (backlog + 1), and sends in it unless it has heard a carrier
before; then it begins again after that frame. A transceiver is deaf while it sends, so it never
learns of a collision: retries are the transport's business.
"""

import heapq
import random
from collections.abc import Callable

from osgp_tools.airtime import BETA1_AFTER_RX, BETA1_AFTER_TX, BETA2, CARRIER_DETECT, air_time
from osgp_tools.line_statistics import Statistics
from osgp_tools.link_budget import CAPTURE, PLAIN_STATUS, SECOND_CARRIER, Link, Signal, signal
from osgp_tools.station import Hearers, OnAir, Station, Waiting, ignore

# Of events at the same moment, what was heard comes before what is done.
_CARRIER, _END, _READY, _START, _CALL = range(5)

_ALT_PATH = 0x40  # of the L2 header


class Channel:
    """`loss`: probability that a frame is lost, on top of each link's own. `link`: the default."""

    def __init__(
        self, *, seed: int | None = None, loss: float = 0.0, link: Link | None = None
    ) -> None:
        self.now = 0
        self.loss = loss
        self.statistics = Statistics()
        self.stations: list[Station] = []
        self.tap: Callable[[int, Station, bytes], None] | None = None  # (ns, sender, LPDU)
        self._link = link or Link()
        self._links: dict[Station, dict[Station, Link]] = {}  # by sender, by receiver
        self._hearers: dict[tuple[Station, float], Hearers] = {}  # worked out when first needed
        self._random = random.Random(seed)
        self._events: list[tuple[int, int, int, Callable[[], None]]] = []
        self._count = 0
        self._on_air: list[OnAir] = []

    # -- stations and links

    def attach(
        self,
        on_frame: Callable[[bytes, Signal], None] | None = None,
        on_error: Callable[[], None] | None = None,
        on_sent: Callable[[], None] | None = None,
        *,
        phase: int = 0,
    ) -> Station:
        """A new transceiver. `on_frame(LPDU with CRC, signal)`, `on_error()` for one with a bad
        CRC, `on_sent()` for an own one that has gone out. `phase` is 0, 1 or 2.
        """
        station = Station(self, len(self.stations), phase, self.now)
        station.on_frame = on_frame or ignore
        station.on_error = on_error or ignore
        station.on_sent = on_sent or ignore
        self.stations.append(station)
        self._links[station] = {}
        self._hearers.clear()
        return station

    def set_link(
        self, sender: Station, receiver: Station, link: Link, *, both_ways: bool = True
    ) -> None:
        self._links[sender][receiver] = link
        if both_ways:
            self._links[receiver][sender] = link
        self._hearers.clear()

    def link(self, sender: Station, receiver: Station) -> Link:
        return self._links[sender].get(receiver, self._link)

    def hearers(self, sender: Station, attenuation: float = 0.0) -> Hearers:
        """Who notices the carrier of a sender, and over which link."""
        found = self._hearers.get((sender, attenuation))
        if found is None:
            links = {station: self.link(sender, station) for station in self._near(sender)}
            if attenuation:
                links = {station: link.weaker(attenuation) for station, link in links.items()}
            found = {station: link for station, link in links.items() if link.audible}
            self._hearers[sender, attenuation] = found
        return found

    def _near(self, sender: Station) -> list[Station]:
        """Stations that could hear a sender, in the order in which they were attached."""
        if self._link.audible:
            return [station for station in self.stations if station is not sender]
        return sorted(self._links[sender], key=lambda station: station.index)

    # -- time

    @property
    def next_due(self) -> int | None:
        return self._events[0][0] if self._events else None

    def advance(self, until: int) -> None:
        """Everything up to and including this moment happens."""
        while self._events and self._events[0][0] <= until:
            self.now, _, _, event = heapq.heappop(self._events)
            event()
        self.now = max(self.now, until)

    def call_at(self, moment: int, function: Callable[[], None]) -> None:
        """For what is around the line: timers of hosts, octets that take their time."""
        self._schedule(max(moment, self.now), _CALL, function)

    def schedule_ready(self, station: Station, frame: Waiting) -> None:
        generation = station.generation

        def ready() -> None:
            if station.generation == generation:
                station.enqueue(frame)
                if len(station.queue) == 1 and not station.busy:
                    station.stop_contending(self.now)
                    self._contend(station)

        self._schedule(frame.ready, _READY, ready)

    def _schedule(self, moment: int, rank: int, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, rank, self._count, event))

    # -- access

    def _contend(self, station: Station) -> None:
        """Draws a slot for the first frame in the queue of a station that hears nobody."""
        if not station.queue or station.busy:
            return
        station.attempt += 1
        attempt = station.attempt
        slot = self._random.randrange(station.window)
        station.first_slot = max(self.now, station.idle_since + station.beta1)

        def start() -> None:
            if station.attempt == attempt:
                station.stop_contending(self.now)
                self._start(station)

        self._schedule(station.first_slot + slot * BETA2, _START, start)

    def _start(self, station: Station) -> None:
        frame = station.queue.popleft()
        hearers = self.hearers(station, frame.attenuation)
        on_air = OnAir(station, frame.lpdu, self.now, hearers)
        for other in self._on_air:
            other.rivals.append(on_air)
            other.deaf.add(station)
            on_air.rivals.append(other)
            on_air.deaf.add(other.sender)
        self._on_air.append(on_air)
        station.sending = on_air
        waited = self.now - max(frame.ready, station.idle_since)
        duration = air_time(len(frame.lpdu))
        self.statistics.frame(frame.lpdu, duration, waited)
        if self.tap:
            self.tap(self.now, station, frame.lpdu)
        self._schedule(self.now + CARRIER_DETECT, _CARRIER, lambda: self._carrier(on_air))
        self._schedule(self.now + duration, _END, lambda: self._end(on_air))

    def _carrier(self, on_air: OnAir) -> None:
        now = self.now
        for station in on_air.hearers:
            if not station.heard and station.sending is None:
                station.stop_contending(now)
            station.heard.add(on_air)

    # -- the end of a frame

    def _end(self, on_air: OnAir) -> None:
        sender = on_air.sender
        self._on_air.remove(on_air)
        sender.sending = None
        lpdu = on_air.lpdu
        sender.good_packet(lpdu)
        if not sender.heard:
            self._fell_idle(sender, BETA1_AFTER_TX)
        status = PLAIN_STATUS | (SECOND_CARRIER if lpdu[0] & _ALT_PATH else 0)
        met_another = False
        received = 0
        draw, keep = self._random.random, 1 - self.loss
        for station, link in on_air.hearers.items():
            station.heard.discard(on_air)
            if on_air.rivals and not self._survives(on_air, station, link):
                met_another |= station not in on_air.deaf
            elif draw() < 1 - keep * (1 - link.loss):
                self.statistics.losses += 1
                station.on_error()
            else:
                received += 1
                station.good_packet(lpdu)
                phase = (sender.phase - station.phase) * 2 % 6
                station.on_frame(lpdu, signal(phase, status, link.levels))
            if not station.heard and station.sending is None:
                self._fell_idle(station, BETA1_AFTER_RX)
        self.statistics.receptions += received
        self.statistics.collisions += met_another
        sender.on_sent()

    def _fell_idle(self, station: Station, beta1: int) -> None:
        station.fell_idle(self.now, beta1)
        if station.queue:
            self._contend(station)

    def _survives(self, on_air: OnAir, station: Station, link: Link) -> bool:
        """Whether a receiver has a frame in spite of the others that overlapped it."""
        if station in on_air.deaf:
            self.statistics.deaf += 1
            return False
        rivals = [rival for rival in on_air.rivals if station in rival.hearers]
        loudest = max((rival.hearers[station].strength for rival in rivals), default=None)
        if loudest is None or link.strength - loudest >= CAPTURE:
            return True
        self.statistics.destroyed += 1
        if all(on_air.began <= rival.began for rival in rivals):
            station.on_error()
        return False
