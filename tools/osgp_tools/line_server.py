"""The simulated power line in an event loop: chips on descriptors, a channel on a clock."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from osgp_tools import pcap
from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel, Station
from osgp_tools.endpoints import endpoint
from osgp_tools.link_budget import Signal
from osgp_tools.mip_chip import Chip, Transmission

_FIRST_NODE_ID = 0x0400_0000_1000  # transceiver n has this + n unless it was given one
_UART_OCTET = 10 * SECOND // 115_200  # ns
_MIP_OVERHEAD = 10  # octets around an LPDU: code packet, length, command, signal, checksum


@dataclass(frozen=True)
class Options:
    transceivers: Sequence[str]  # pty:PATH or tcp:PORT, each may end in ,id=<12 hex digits>
    speed: float = 1.0  # times real time; 0 = what is on the air takes no time
    loss: float = 0.0
    seed: int | None = None
    pcap: str | None = None


class Clock:
    """The line's time in ns: real time, a multiple of it, or real time with everything on the air
    skipped.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._origin = time.monotonic_ns()
        self._skipped = 0

    def now(self) -> int:
        return int((time.monotonic_ns() - self._origin) * (self._speed or 1)) + self._skipped

    def seconds_until(self, moment: int) -> float:
        """Real seconds to wait. With speed 0 there is nothing to wait for: time skips to the
        moment.
        """
        left = max(moment - self.now(), 0)
        if not self._speed:
            self._skipped += left
            return 0.0
        return left / SECOND / self._speed


class Transceiver:
    """A chip between its host's UART and its place on the line."""

    def __init__(self, server: "LineServer", index: int, text: str) -> None:
        where, _, node_id = text.partition(",id=")
        self.endpoint = endpoint(where)
        channel = server.channel
        self.station: Station = channel.attach(self._frame, self._error, self._sent)
        self.chip = Chip(
            bytes.fromhex(node_id) if node_id else (_FIRST_NODE_ID + index).to_bytes(6, "big"),
            self.endpoint.write,
            self._transmit,
            cancel=self.station.cancel,
        )
        self._server = server
        self._channel = channel
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        await self.endpoint.open(self._octets)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self.endpoint.close()

    def reset(self) -> None:
        self.chip.reset(_milliseconds())
        self._arm()

    def statistics(self) -> dict:
        return {
            "name": self.endpoint.name,
            "id": self.chip.node.node_id.hex(),
            "uart_lost": self.endpoint.lost,
            "backlog": self.station.backlog,
        } | self.chip.statistics()

    def _octets(self, octets: bytes) -> None:
        self._server.catch_up()
        self.chip.feed(octets, _milliseconds())
        self._arm()
        self._server.pump()

    def _transmit(self, wanted: Transmission) -> None:
        """The UART's time passes on the line's clock; the descriptor gave the octets at once."""
        at = self._channel.now + (len(wanted.lpdu) + _MIP_OVERHEAD) * _UART_OCTET
        self.station.send(wanted.lpdu, at, priority=wanted.priority, attenuate=wanted.attenuate)

    def _sent(self) -> None:
        self.chip.sent()

    def _frame(self, lpdu: bytes, received: Signal) -> None:
        def up() -> None:
            self.chip.receive(lpdu, _milliseconds(), received)
            self._arm()

        at = self._channel.now + (len(lpdu) + _MIP_OVERHEAD) * _UART_OCTET
        self._channel.call_at(at, up)

    def _error(self) -> None:
        self.chip.crc_error(_milliseconds())
        self._arm()

    def _arm(self) -> None:
        """The chip's own timers run in real time, as its host's do."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = _milliseconds()
        due = self.chip.poll(now)
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later((due - now) / 1000, self._arm)


class LineServer:
    """The line in a running event loop. Raises ValueError or OSError when it cannot be offered."""

    def __init__(self, options: Options) -> None:
        self.channel = Channel(seed=options.seed, loss=options.loss)
        self.clock = Clock(options.speed)
        self._skips = not options.speed
        self.transceivers: list[Transceiver] = []
        self._options = options
        self._pcap: pcap.Writer | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> "LineServer":
        try:
            for index, text in enumerate(self._options.transceivers):
                transceiver = Transceiver(self, index, text)
                self.transceivers.append(transceiver)
                await transceiver.open()
            if self._options.pcap:
                self._record(self._options.pcap)
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        for transceiver in self.transceivers:
            transceiver.close()
        if self._pcap:
            self._pcap.close()

    def _record(self, path: str) -> None:
        writer = self._pcap = pcap.Writer(path)
        start = time.time() - self.clock.now() / SECOND

        def tap(when: int, sender: Station, lpdu: bytes) -> None:
            writer.write(lpdu, start + when / SECOND, sender.index)

        self.channel.tap = tap

    def catch_up(self) -> None:
        """The line lives through what was due before the octets that have just come in."""
        self.channel.advance(self.clock.now())

    def pump(self) -> None:
        self.catch_up()
        if self._timer:
            self._timer.cancel()
            self._timer = None
        due = self.channel.next_due
        if due is not None:
            delay = self.clock.seconds_until(due)
            self._timer = asyncio.get_running_loop().call_later(delay, self.pump)

    def statistics(self) -> dict:
        self.catch_up()
        return {
            "line": self.channel.statistics.report(self.channel.now),
            "transceivers": [transceiver.statistics() for transceiver in self.transceivers],
        }

    def obey(self, command: dict) -> dict:
        """A command of whoever runs the line: statistics, or a fault at one transceiver."""
        wanted = command.get("do")
        if wanted == "statistics":
            return self.statistics()
        transceiver = self.transceivers[command["transceiver"]]
        if wanted == "reset":
            transceiver.reset()
        elif wanted in ("reject", "fail", "drop_ack", "garble"):
            setattr(transceiver.chip.faults, wanted, int(command.get("count", 1)))
        else:
            raise ValueError(f"no command {wanted!r}")
        return {"done": wanted}


def _milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000
