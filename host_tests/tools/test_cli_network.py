"""`osgp discover` and `osgp topology`: what they print and draw."""

import sys
import xml.etree.ElementTree as ET

import pytest
from fake_discovery import FinderNetwork

from osgp_tools import access, cli, cli_network, topology_store
from osgp_tools.exchange import Target
from osgp_tools.simulation.loop import run
from osgp_tools.simulation.network import unique_id
from osgp_tools.simulation.topologies import line
from osgp_tools.store import Vault
from osgp_tools.topology import Topology

SVG = "{http://www.w3.org/2000/svg}"
STORE = access.Path("build/concentrator.db")


class VirtualPort:
    """The transceiver of a simulated concentrator, as a port."""

    def __init__(self, network):
        self._link = network.client_link
        self.unique_id = self._link.unique_id
        self.heard = self._link.heard
        self.said = []
        self.send = self._link.send

    @property
    def signal(self):
        return self._link.signal

    def close(self):
        self.heard.clear()


@pytest.fixture
def osgp(tmp_path, monkeypatch, capsys):
    """Run a command on a line of three hops: (exit code, standard output)."""
    network = FinderNetwork(line(3))

    async def open_port(where):
        return VirtualPort(network)

    monkeypatch.setattr(access.Port, "open", open_port)
    monkeypatch.setattr(cli_network, "wait_for", lambda work: run(lambda: work, network.channel))
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, capsys.readouterr().out

    return command


def test_discover_shows_hops_and_margins_and_keeps_them(osgp):
    code, out = osgp("discover", "--line", "tcp:1")
    assert code == 0
    assert out.splitlines() == [
        "040000001001  1 hop  33 dB",
        "040000001002  2 hops  33 dB",
        "040000001003  3 hops  33 dB",
        "3 devices",
    ]
    again = osgp("topology")[1]
    assert "040000001003  no member  33 dB  100%" in again
    assert "3 devices, 3 links, 3 hops" in " ".join(again.split())


def test_members_have_their_address(osgp):
    vault = Vault(STORE)
    place = vault.new_place(unique_id(2))
    vault.admit(unique_id(2), place)
    vault.close()
    assert "040000001002  2 hops  33 dB  1/1\n" in osgp("discover", "--line", "tcp:1")[1]
    assert "040000001002  1/1  33 dB" in osgp("topology")[1]


def test_a_drawing_and_a_page(osgp):
    osgp("discover", "--line", "tcp:1")
    code, out = osgp("topology", "--svg", "net.svg", "--html", "net.html")
    assert code == 0 and out.endswith("made net.svg\nmade net.html\n")
    drawing = ET.parse("net.svg").getroot()
    titles = [title.text for title in drawing.iter(f"{SVG}title")]
    assert titles[0] == "concentrator" and len(titles) == 4
    assert len(list(drawing.iter(f"{SVG}line"))) == 3
    page = access.Path("net.html").read_text()
    assert page.count("<tr>") == 4 and "040000001002" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # needs nothing else


def test_a_network_of_nobody_can_be_drawn(osgp):
    Vault(STORE).close()
    code, out = osgp("topology", "--svg", "net.svg", "--html", "net.html")
    assert code == 0 and "0 devices" in out


def test_who_has_no_way_is_shown(osgp):
    Vault(STORE).close()
    topology = Topology()
    topology.admit(unique_id(7), Target(b"OSG", 1, 7))
    topology_store.save(STORE, topology)
    code, out = osgp("topology", "--html", "net.html")
    assert code == 0 and "040000001007  no way is known" in out
    assert "no way is known" in access.Path("net.html").read_text()


def test_without_a_store_there_is_nothing_to_show(osgp):
    assert osgp("topology")[0] == cli.DEVICE
