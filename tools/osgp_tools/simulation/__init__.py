"""A whole network in one process and in virtual time: the firmware's own `Device` five hundred
times, the concentrator's own classes, and one simulated power line between them.

    concentrator (Client, Session, ...)     as it is, in an event loop that never sleeps loop.py
        client link                         LPDUs                                        network.py
        channel                             CSMA, collisions, loss, links           ../channel.py
        LPDU link                           in the place of a chip and its UART            link.py
    firmware (Device)                       as it is, on a board made of memory, device.py board.py

What is left out is the UART and its protocol (MIP), which has its tests elsewhere. Whoever waits
is woken from one heap, the channel's: devices, frames and the concentrator live in its time, and
the same seed gives the same frames.

    topologies.py   who hears whom: a star, a line of hops, streets
    work.py         what a concentrator does there, and measure.py what it costs
    bench.py        `make bench-network`; report.py and plots.py print and draw its figures
    banks.py        devices that run from code banks; street.py some of them, which are updated
    update_bench.py `make bench-update`, and what it prints and draws
"""

from osgp_tools.simulation.loop import run
from osgp_tools.simulation.network import Network

__all__ = ["Network", "run"]
