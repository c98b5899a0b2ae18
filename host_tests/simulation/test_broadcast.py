"""One number tells a street: whose relays are switched, and by what; what a replay does; who is
told by himself."""

import asyncio
from collections import Counter

import pytest

from osgp_tools import broadcast, groups
from osgp_tools.broadcast import Fate, Order
from osgp_tools.client import Client, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.exchange import DIRECT, Way
from osgp_tools.lpdu import BROADCAST, TPDU, UNACKD_RPT, decode
from osgp_tools.ltep import Hop
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.rekey import session_of
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.topologies import line
from osgp_tools.store import Vault

STREET, OTHER = 0x0102, 0x0901
EP02 = 2050
OPEN, CLOSE = b"\x01\x00", b"\x01\x01"  # relay 1
LEGACY, AES = 0, 2


class Ways:
    """The way to each member of a line of clusters of two: by the first of each cluster."""

    def __init__(self, street):
        self.street = street

    def ways(self, target):
        devices = self.street.network.devices
        for k, one in enumerate(devices):
            member = self.street.member(k)
            place = member and (member.subnet, member.node)
            if target.unique_id == one.unique_id or place == (target.subnet, target.node):
                before = [self.street.member(2 * hop) for hop in range(k // 2)]
                hops = tuple(Hop(relay.subnet, relay.node) for relay in before)
                return [Way(before[0].domain, hops) if hops else DIRECT]
        raise AssertionError(target)


class Street:
    """Members of one network; those of `outside` are in another group than the rest."""

    def __init__(self, network, path, modes=(LEGACY,), outside=()):
        self.network = network
        self.vault = Vault(path / "vault.db")
        self.modes = modes
        self.outside = outside
        self.said = []
        network.listeners.append(self._hear)

    def _hear(self, when, place, lpdu):
        frame = decode(lpdu)
        if frame.address == BROADCAST and frame.pdu == TPDU and frame.body[:1] == b"\0":
            self.said.append((place, lpdu))

    async def build(self, routes=None):
        self.client = Client(self.network.client_link)
        self.client.routes = routes or self.client.routes
        await asyncio.sleep(3)
        for k, one in enumerate(self.network.devices):
            place = self.vault.new_place(one.unique_id, self.modes[k % len(self.modes)])
            target = Target(DISCOVERY, unique_id=one.unique_id)
            key = InstallationKeys().of(one.unique_id)
            await commission(self.client, target, key, place)
            self.vault.admit(one.unique_id, place)
            group = OTHER if k in self.outside else STREET
            await groups.change(self.session(k), groups.ADD, group)

    def member(self, k):
        return self.vault.member(self.network.devices[k].unique_id)

    def session(self, k):
        return session_of(self.client, self.vault, self.member(k))

    async def tell(self, parameters=OPEN, group=STREET, **options):
        order = Order((group,), EP02, parameters)
        return await broadcast.tell(self.client, self.vault, order, **options)

    async def finish(self, sent):
        return [told async for told in broadcast.finish(self.client, self.vault, sent)]

    async def cut_in_it(self, k):
        """Power goes when a message is taken and not carried out, and comes back."""
        for _ in range(100):
            await asyncio.sleep(0.05)
            if self.devices[k].device.transactions[0].waiting:
                self.network.cut(k)
                self.network.power(k)
                return
        raise AssertionError("it took nothing")

    def opened(self):
        """Whose relay 1 is held open."""
        return [one.device is not None and one.device.control.et30[28] & 1 for one in self.devices]

    @property
    def devices(self):
        return self.network.devices

    def executed(self):
        return [one.device.transactions[0].executed for one in self.devices]

    def procedures(self):
        return [one.device.procedures.initiated for one in self.devices]


@pytest.mark.parametrize("modes", [(LEGACY,), (AES,), (LEGACY, AES)])
def test_one_number_switches_a_group(tmp_path, modes):
    street = Street(Network(devices=6), tmp_path, modes, outside=(4,))

    async def main():
        await street.build()
        before = street.procedures()
        sent = await street.tell()
        assert street.opened() == [1, 1, 1, 1, 0, 1]
        kinds = {lpdu for _, lpdu in street.said}
        assert len({decode(lpdu).kind for lpdu in kinds}) == 1
        assert len(street.said) == 3 * len(modes), "once, and two repeats"
        fates = [told.fate for told in await street.finish(sent)]
        assert fates == [Fate.BY_BROADCAST] * 4 + [Fate.OUTSIDE] + [Fate.BY_BROADCAST]
        assert [b - a for a, b in zip(before, street.procedures())] == [1, 1, 1, 1, 0, 1]
        return sent

    sent = run(main, street.network.channel)
    assert (sent.number, sent.silent_agents) == (0, ())
    assert decode(street.said[0][1]).kind == UNACKD_RPT


@pytest.mark.parametrize("mode", [LEGACY, AES])
def test_a_replay_does_nothing(tmp_path, mode):
    """Of whatever was on the line, by anybody, at once and after a power cut."""
    street = Street(Network(devices=3), tmp_path, (mode,))

    async def main():
        await street.build()
        await street.tell(OPEN)
        first = list(street.said)
        await street.tell(CLOSE)
        assert street.opened() == [0, 0, 0]
        done = street.executed()
        for k in range(3):
            if k == 1:
                for device in range(3):
                    street.network.cut(device)
                    street.network.power(device)
                done = [0, 0, 0]  # of this life
                await asyncio.sleep(5)
            for _, lpdu in first:
                street.network.say(2, lpdu[:-2])
                await asyncio.sleep(1)
            await asyncio.sleep(10)
        assert street.opened() == [0, 0, 0] and street.executed() == done

    run(main, street.network.channel)


def test_those_it_did_not_reach_are_told_by_themselves(tmp_path):
    """One is off when the message comes, one loses power in it: in the end each did it once."""
    street = Street(Network(devices=5), tmp_path, outside=(3,))

    async def main():
        await street.build()
        street.network.cut(1)
        street.network.cut(3)
        in_it = asyncio.create_task(street.cut_in_it(4))
        sent = await street.tell()
        await in_it
        lost = list(street.said)
        street.network.power(1)
        street.network.power(3)
        await asyncio.sleep(5)
        told = await street.finish(sent)
        assert [one.fate for one in told] == [
            Fate.BY_BROADCAST,
            Fate.ONE_BY_ONE,
            Fate.BY_BROADCAST,
            Fate.OUTSIDE,
            Fate.BY_BROADCAST,
        ]
        assert street.opened() == [1, 1, 1, 0, 1]
        assert [one.fate.good for one in told] == [True] * 5
        # what was lost comes now, from somebody who recorded it
        executed = street.executed()
        for _, lpdu in lost:
            street.network.say(1, lpdu[:-2])
            await asyncio.sleep(2)
        assert street.executed() == executed
        again = await street.finish(sent)
        assert all(one.fate.good for one in again) and street.executed() == executed

    run(main, street.network.channel)


def test_agents_carry_it_on(tmp_path):
    """A line of three hops: the same number goes out once from each place, and is done once."""
    network = Network(topology=line(3, 2))
    street = Street(network, tmp_path, (LEGACY, AES), outside=(5,))

    async def main():
        await street.build(Ways(street))
        before = street.procedures()
        alone = await street.tell(OPEN, by=())
        assert street.opened() == [1, 1, 0, 0, 0, 0]
        street.said.clear()
        sent = await street.tell(CLOSE)
        assert sent.silent_agents == () and sent.number == alone.number + 1
        assert {place for place, _ in street.said} == {0, 1, 3}
        assert len(street.said) == 3 * 3 * 2, "places, tries, security modes"
        fates = [told.fate for told in await street.finish(sent)]
        assert fates == [Fate.BY_BROADCAST] * 5 + [Fate.OUTSIDE]
        done = [b - a for a, b in zip(before, street.procedures())]
        assert done == [2, 2, 1, 1, 1, 0]
        # an agent that is gone is told of, and those behind it are told by themselves
        network.cut(2)
        sent = await street.tell(OPEN)
        assert [len(way.hops) for way in sent.silent_agents] == [2]
        assert street.opened() == [1, 1, 0, 1, 0, 0]
        network.power(2)
        await asyncio.sleep(5)
        fates = [told.fate for told in await street.finish(sent)]
        assert fates == [
            Fate.BY_BROADCAST,
            Fate.BY_BROADCAST,
            Fate.ONE_BY_ONE,
            Fate.BY_BROADCAST,
            Fate.ONE_BY_ONE,
            Fate.OUTSIDE,
        ]
        assert street.opened() == [1, 1, 1, 1, 1, 0]

    run(main, network.channel)


def test_somebody_who_is_not_there(tmp_path):
    street = Street(Network(devices=2), tmp_path)

    async def main():
        await street.build()
        street.network.cut(1)
        sent = await street.tell()
        told = await street.finish(sent)
        assert [one.fate for one in told] == [Fate.BY_BROADCAST, Fate.SILENT]
        assert str(told[1]).endswith("(1/2): no answer")
        # a number later it comes back; it takes that one, and the one it missed is gone
        street.network.power(1)
        await asyncio.sleep(5)
        assert [one.fate for one in await street.finish(await street.tell(CLOSE))] == [
            Fate.BY_BROADCAST
        ] * 2
        assert street.executed()[1] == 1

    run(main, street.network.channel)


def test_frames_that_are_lost(tmp_path):
    """Half of what is sent: in the end each device has done it, and once."""
    network = Network(devices=8)
    street = Street(network, tmp_path, outside=(0, 5))

    async def main():
        await street.build()
        before = street.procedures()
        network.channel.loss = 0.5
        sent = await street.tell(repeats=0)
        network.channel.loss = 0.2
        told = await street.finish(sent)
        fates = [one.fate for one in told]
        assert Fate.ONE_BY_ONE in fates and Fate.BY_BROADCAST in fates
        assert fates[0] == fates[5] == Fate.OUTSIDE
        assert all(fate.good for fate in fates)
        assert street.opened() == [0, 1, 1, 1, 1, 0, 1, 1]
        assert [b - a for a, b in zip(before, street.procedures())] == street.opened()

    run(main, network.channel)


def test_a_street(tmp_path):
    """Every third of them in no group, a twentieth of the frames lost: one message switches the
    others, a replay nobody."""
    outside = range(2, 60, 3)
    street = Street(Network(devices=60, loss=0.05), tmp_path, (LEGACY, AES), outside)

    async def main():
        await street.build()
        before = street.procedures()
        sent = await street.tell()
        told = await street.finish(sent)
        counted = Counter(one.fate for one in told)
        assert counted[Fate.OUTSIDE] == len(outside)
        assert counted[Fate.BY_BROADCAST] > 36
        assert counted[Fate.BY_BROADCAST] + counted[Fate.ONE_BY_ONE] == 60 - len(outside)
        once = [0 if k in outside else 1 for k in range(60)]
        assert [b - a for a, b in zip(before, street.procedures())] == once == street.opened()
        for place, lpdu in list(street.said):
            street.network.say(place + 1, lpdu[:-2])
            await asyncio.sleep(1)
        assert [b - a for a, b in zip(before, street.procedures())] == once

    run(main, street.network.channel)


def test_a_board_that_does_not_open_its_supply(tmp_path):
    street = Street(Network(devices=1), tmp_path)

    async def main():
        await street.build()
        await asyncio.sleep(12)
        told = await street.finish(await street.tell(b"\x00\x00"))
        assert told[0].fate == Fate.REFUSED and "clearance" in told[0].detail
        assert street.devices[0].device.control.et30[25] == 1

    run(main, street.network.channel)


def test_what_cannot_be_told():
    with pytest.raises(ValueError, match="octets are too many"):
        Order((1,), EP02, bytes(60))
    Order((1,), 2048 + 9, bytes(58))
    for wrong in ((), (0,), (0x10000,)):
        with pytest.raises(ValueError, match="group"):
            Order(wrong, EP02)
