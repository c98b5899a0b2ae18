"""Sixty devices that answer a first search at once: hardly an answer comes whole, and yet all are
found, for a transceiver tells of what came broken.
"""

from osgp_tools.client import Client
from osgp_tools.search import Search
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.network import unique_id
from osgp_tools.topology import Topology


def test_all_of_a_crowd_are_found():
    network = Network(seed=1, devices=60)

    async def main():
        client = Client(network.client_link)
        search = Search(client, Topology(), network.client_link.unique_id)
        return await search.everybody()

    found = run(main, network.channel)
    assert sorted(found) == [unique_id(place) for place in range(1, 61)]
    assert network.client_link.damaged > 0
