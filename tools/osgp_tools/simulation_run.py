"""One simulated network in a process of its own. Its figures go to standard output as JSON.

    python -m osgp_tools.simulation_run streets:30 --loss 0.05 --seed 1 [--pcap FILE]
        everything from the first search to the daily reading
    python -m osgp_tools.simulation_run star:500 --day
        a day on which everybody measures and nobody asks

It stands beside the package `simulation` because the firmware's kernels have to be chosen before
anything of the firmware is imported.
"""

import argparse
import gc
import json
import sys
import time

from osgp_tools import host_kernels

A_DAY = 86_400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topology", help="star:N, line:HOPS[xN] or streets:N")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pcap")
    parser.add_argument("--day", action="store_true")
    given = parser.parse_args()
    host_kernels.install()
    if given.day:
        figures = day(given.topology, given.seed)
    else:
        figures = run(given.topology, given.loss, given.seed, given.pcap)
    json.dump(figures, sys.stdout)


def run(topology: str, loss: float, seed: int, pcap: str | None = None) -> dict:
    """The figures of one run. ValueError: there is no such topology."""
    from osgp_tools.airtime import SECOND
    from osgp_tools.simulation import Network, topologies, work
    from osgp_tools.simulation.capture import Capture

    began = time.process_time()
    network = Network(seed, topology=topologies.parse(topology, seed), loss=loss)
    capture = Capture(network, pcap) if pcap else None
    gc.freeze()  # what is there now stays: nobody need look through it again and again
    done = work.work_through(network)
    if capture:
        capture.close()
    computed = time.process_time() - began
    shape = network.topology
    return {
        "topology": topology,
        "name": shape.name,
        "devices": shape.devices,
        "hops": shape.farthest,
        "mean_hops": sum(shape.hops) / shape.devices,
        "neighbours": shape.neighbours,
        "loss": loss,
        "seed": seed,
        "line_s": network.channel.now / SECOND,
        "computed_s": computed,
        "digest": network.digest,
        "pieces": [piece.as_dict() for piece in done.figures],
        "troubles": dict(sorted(done.troubles.items())),
    }


def day(topology: str, seed: int) -> dict:
    """What it costs to compute the day after the clocks were set."""
    from osgp_tools.airtime import SECOND
    from osgp_tools.simulation import Network, topologies

    network = Network(seed, topology=topologies.parse(topology, seed))
    network.channel.advance(10 * SECOND)
    for one in network.devices:
        one.set_clock()
    network.channel.advance(600 * SECOND)  # by then they have made up for their past
    gc.freeze()
    began = time.process_time()
    network.channel.advance((600 + A_DAY) * SECOND)
    return {
        "devices": len(network.devices),
        "line_s": A_DAY,
        "computed_s": time.process_time() - began,
    }


if __name__ == "__main__":
    main()
