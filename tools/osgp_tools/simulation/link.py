"""What stands between a simulated device and its place on the channel: whole LPDUs."""

from collections import deque
from typing import TYPE_CHECKING

import ticks
from osgp_tools.channel import Channel
from osgp_tools.lpdu import crc16

if TYPE_CHECKING:
    from osgp_tools.link_budget import Signal

MILLISECOND = 1_000_000  # ns
UART_OCTET = 10 * 1_000_000_000 // 115_200  # ns: what stands between a chip and its device
MIP_OCTETS = 10  # around an LPDU on that UART
TURN_ROUND = 8 * MILLISECOND  # the firmware's own time for a frame, its budget on a Pico
BUFFERS = 2  # frames that a chip keeps for sending (osgp_tools/mip_chip.py)

_PRIORITY = 0x80  # of the L2 header
_ATTENUATE = 0x04  # option of `send`, as in MIP


class LpduLink:
    """The seam of `Node`: what `Mip` is on a board. See firmware/osgp/lon/mip.py for each name."""

    verified = True  # the channel makes CRCs, and delivers no frame whose CRC is wrong
    drained = False  # take until there is nothing
    up = True
    receiving = False
    mains_hz = 50

    def __init__(self, unique_id: bytes, channel: Channel, station) -> None:
        self.uid = bytearray(unique_id)
        self.rx = bytearray(256)
        self.tx = bytearray(256)
        self.frame = self.end = 0
        self.phase = self.ssi1 = self.ssi2 = 0
        self.crc_errors = self.checksum_errors = self.overruns = self.resets = 0
        self.waiting = 0  # frames in the transceiver
        self.frames: deque[tuple[bytes, Signal]] = deque()
        self._channel = channel
        self._station = station
        self._delay = TURN_ROUND  # until what is sent now has reached the transceiver

    @property
    def ready(self) -> bool:
        return self.waiting < BUFFERS

    def start(self, now: int) -> None:
        """Nothing to bring up."""

    def poll(self, now: int) -> int:
        return ticks.add(now, ticks.FAR)

    def take(self, now: int) -> bool:
        if not self.frames:
            return False
        lpdu, signal = self.frames.popleft()
        self.end = len(lpdu)
        self.rx[: self.end] = lpdu
        self.phase, self.ssi1, self.ssi2 = signal.phase, signal.status, signal.levels
        self._delay = TURN_ROUND + (self.end + MIP_OCTETS) * UART_OCTET
        return True

    def send(self, end: int, now: int, option: int = 0) -> None:
        lpdu = bytes(self.tx[2:end])
        lpdu += crc16(lpdu).to_bytes(2, "big")
        self.waiting += 1
        at = self._channel.now + self._delay + (len(lpdu) + MIP_OCTETS) * UART_OCTET
        priority = bool(lpdu[0] & _PRIORITY)
        self._station.send(lpdu, at, priority=priority, attenuate=bool(option & _ATTENUATE))
        self._delay = TURN_ROUND

    def reset(self, now: int) -> None:
        self.resets += 1
        self._station.cancel()
        self.waiting = 0
