"""One simulated update by broadcast in a process of its own. Its figures go to standard output as
JSON.

    python -m osgp_tools.update_run 10 --loss 0.2 --octets 190000 --seed 1

It stands beside the package `simulation` for the reason that `simulation_run` does.
"""

import argparse
import gc
import json
import sys
import time

from osgp_tools import host_kernels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("devices", type=int)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--octets", type=int, default=20_000, help="of the image")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    host_kernels.install()
    json.dump(run(given.devices, given.loss, given.octets, given.seed), sys.stdout)


def run(devices: int, loss: float, octets: int, seed: int) -> dict:
    """The figures of one run, up to the moment at which everybody has it all.

    `limit_s`: what the packets that were sent take on the channel at least, each once. `ideal`:
    how often each has to be sent until the last device has it, as a mean.
    """
    from osgp_tools.airtime import SECOND, limit_seconds
    from osgp_tools.simulation import Network
    from osgp_tools.simulation.street import carry

    network = Network(seed, devices, powered=False)
    lengths = []
    network.listeners.append(lambda when, place, lpdu: lengths.append((place, len(lpdu))))
    began = time.process_time()
    gc.freeze()
    update, marks = carry(network, octets, loss)
    packet = max(length for place, length in lengths if place == 0)
    complete = sum(part.there == update.image.packets for part in update.parts)
    return {
        "devices": devices,
        "loss": loss,
        "octets": len(update.image.octets),
        "seed": seed,
        "complete": complete,
        "packets": update.image.packets,
        "broadcast": update.said,
        "unicast": update.given,
        "rounds": update.rounds,
        "packet_octets": packet,
        "preparing_s": marks["sending packets"] - marks["asking"],
        "sending_s": marks["leaving the group"] - marks["sending packets"],
        "limit_s": update.said * limit_seconds(packet),
        "ideal": ideal(devices, loss),
        "line_s": network.channel.now / SECOND,
        "computed_s": time.process_time() - began,
        "digest": network.digest,
    }


def ideal(devices: int, loss: float) -> float:
    """Mean number of sendings until each of the devices has got one, losses being independent."""
    total, sendings = 0.0, 0
    while (left := 1 - (1 - loss**sendings) ** devices) > 1e-12:
        total += left
        sendings += 1
    return total


if __name__ == "__main__":
    main()
