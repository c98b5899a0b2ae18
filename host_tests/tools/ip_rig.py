"""A rig whose device is a member of a CN/IP channel: no UART, no chip, datagrams."""

from osgp.lon.cnip import CnIp
from osgp_tools import pcap
from rig import UID, MemoryBoard, MemoryUart, Rig, StillElement, decode_without_crc

OURS, THEIRS = b"\x51\x00\x00\x01", b"\x51\x00\x00\x02"  # sessions of the device and of the tester


class MemoryUdp(MemoryUart):
    """Datagrams that are to come, and those that went. (The UART's descriptor is for
    select.poll.)"""

    def __init__(self):
        super().__init__()
        self.coming: list[bytes] = []
        self.gone: list[bytes] = []

    def readinto(self, buf):
        if not self.coming:
            return None
        datagram = self.coming.pop(0)
        buf[: len(datagram)] = datagram
        return len(datagram)

    def write(self, buf, n):
        self.gone.append(bytes(buf[:n]))
        return n


class IpBoard(MemoryBoard):
    """The board made of memory, on a channel."""

    def __init__(self, element):
        super().__init__(element)
        self.plc = MemoryUdp()

    def link(self, now):
        return CnIp(self.plc, UID, OURS)


class IpRig(Rig):
    """One device and somebody else on its channel."""

    def __init__(self, element, board=None):
        self._number = 0
        super().__init__(element, board or IpBoard(element or StillElement()))

    def bring_up(self):
        """There is no start-up; the 2 s of silence are here, too."""
        self.advance(2100)
        self.poll()
        self.board.plc.gone.clear()

    def exchange(self, lpdu):
        self._number += 1
        self.board.plc.coming.append(data_packet(lpdu, THEIRS, self._number))
        return self.answers(b"")

    def answers(self, octets):
        plc = self.board.plc
        while plc.coming:
            self.node.readable(self.board.now)
        frames = []
        while True:
            self.poll()
            if not plc.gone:
                return frames
            frames += [decode_without_crc(packet[20:-2]) for packet in plc.gone]
            plc.gone.clear()


def data_packet(lpdu: bytes, session: bytes, number: int) -> bytes:
    """A CN/IP data packet, as captures have them, with session and number."""
    packet = pcap.cnip(lpdu, number)
    return packet[:8] + session + packet[12:]
