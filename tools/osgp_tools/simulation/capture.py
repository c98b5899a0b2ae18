"""Every frame of a simulated network in a file for Wireshark."""

from osgp_tools import pcap
from osgp_tools.airtime import SECOND
from osgp_tools.simulation.loop import BEGAN
from osgp_tools.simulation.network import Network


class Capture:
    """Writes from now on; the sender's place stands where `pcap.Writer` has its station."""

    def __init__(self, network: Network, path: str) -> None:
        self._writer = pcap.Writer(path)
        self._listeners = network.listeners
        self._listeners.append(self._hear)

    def _hear(self, when: int, place: int, lpdu: bytes) -> None:
        self._writer.write(lpdu, BEGAN.timestamp() + when / SECOND, place)

    def close(self) -> None:
        self._listeners.remove(self._hear)
        self._writer.close()
