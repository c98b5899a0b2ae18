"""A street gets another firmware, by the code that runs on boards: by broadcast and one by one,
with losses, kills of the concentrator and cuts of power; and goes back."""

import asyncio
from itertools import pairwise

import pytest
from update_support import (
    BROADCAST,
    HOUSES,
    NEW,
    NO_CONFIRM,
    ONE_BY_ONE,
    OTHER,
    counted,
    holds,
    in_group,
    kill,
    live,
    made,
    needs,
    refusals,
    stages,
    statuses,
    until,
)

from osgp_tools import update
from osgp_tools.search import Search
from osgp_tools.simulation import Network, banks, run, topologies
from osgp_tools.simulation.street import SMALL, Street, signed
from osgp_tools.suites import AES_PSK, LEGACY
from osgp_tools.topology import Topology
from osgp_tools.update import Plan
from osgp_tools.update_device import Stage
from osgp_tools.update_packets import Image, Loudspeaker
from osgp_tools.update_status import State


@pytest.mark.parametrize("modes", [(LEGACY,), (AES_PSK,), (LEGACY, AES_PSK)])
def test_by_broadcast(tmp_path, modes):
    street = made(tmp_path, modes=modes)

    async def main():
        one = street.update(NEW, BROADCAST)
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES
        assert (one.said, one.rounds, one.given) == (NEW.packets, 1, 0)
        told = await statuses(street)
        assert [(s.active, s.version, s.state) for s in told] == [(1, 2, State.NONE)] * HOUSES
        assert await in_group(street) == [False] * HOUSES
        assert all(holds(street, k, NEW) for k in range(HOUSES))

    live(street, main)


def test_one_by_one(tmp_path):
    street = made(tmp_path, 1, loss=0.1)

    async def main():
        one = street.update(NEW, ONE_BY_ONE)
        await one.run()
        assert (stages(one), one.said) == ([Stage.CONFIRMED], 0)
        assert one.given == NEW.packets  # none of them twice

    live(street, main)


@pytest.mark.parametrize("loss", [0.1, 0.25])
def test_what_is_lost_is_sent_again_and_nothing_else(tmp_path, monkeypatch, loss):
    street = made(tmp_path)
    say = Loudspeaker.say
    useless = []

    async def watched(self, what, packet, members, by):
        if not any(needs(street, k, packet) for k in range(HOUSES)):
            useless.append(packet)
        await say(self, what, packet, members, by)

    monkeypatch.setattr(Loudspeaker, "say", watched)

    async def main():
        street.network.channel.loss = loss
        one = street.update(NEW, BROADCAST)
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES
        assert one.rounds > 1 and one.said > NEW.packets
        assert useless == []

    live(street, main)


def test_lossless_packets_take_what_the_channel_takes(street):
    async def main():
        one = street.update(signed(2, 30_000), NO_CONFIRM)
        began = []

        class Listener(update.Listener):
            def packet(self, spread):
                began.append(street.network.channel.now)

        one.listener = Listener()
        await one.run()
        frames = [later - sooner for sooner, later in pairwise(began)]
        assert sum(frames) / len(frames) / 1e9 < 0.4095 * 1.03  # limit_seconds(107)

    live(street, main)


POINTS = ("erasing", "packets", "complete", "switching", "on trial")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("plan", [BROADCAST, ONE_BY_ONE], ids=["broadcast", "one-by-one"])
def test_the_concentrator_is_killed(tmp_path, plan, point):
    """SIGKILL: nothing is tidied up. The same command goes on with what devices have."""
    street = made(tmp_path, 2, loss=0.1)

    def reached():
        devices = [one.device for one in street.network.devices]
        downloads = [one.download for one in devices if one and one.download]
        states = [one.state for one in downloads]
        if point == "erasing":
            return State.ERASING in states
        if point == "packets":
            return any(one.received > 50 for one in downloads)
        if point == "complete":
            return State.COMPLETE in states
        if point == "switching":
            return State.VERIFIED in states
        return all(one and one.trial for one in devices)

    async def main():
        task = asyncio.create_task(street.update(NEW, plan).run())
        await until(reached)
        had = [counted(street, k) for k in range(2)]
        await kill(street, task)
        await asyncio.sleep(30)
        one = street.update(NEW, plan)
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * 2, refusals(one)
        if point == "packets":
            assert one.given <= 2 * NEW.packets - sum(had)
            assert one.said <= (NEW.packets - min(had)) * 2
        if point in ("switching", "on trial"):
            assert (one.said, one.given) == (0, 0)
        assert await in_group(street) == [False] * 2

    live(street, main)


def test_half_of_another_image_is_begun_anew(street):
    async def main():
        task = asyncio.create_task(street.update(OTHER, BROADCAST).run())
        await until(lambda: counted(street, 0) > 50)
        await kill(street, task)
        one = street.update(NEW, NO_CONFIRM)
        await one.run()
        assert stages(one) == [Stage.TRIAL] * HOUSES
        assert one.said == NEW.packets
        assert all(holds(street, k, NEW) for k in range(HOUSES))

    live(street, main)


def test_power_goes_in_the_middle(street):
    """B as a device kept it is behind by more than its window: it is brought up to it."""

    async def main():
        one = street.update(NEW, NO_CONFIRM)
        task = asyncio.create_task(one.run())
        await until(lambda: counted(street, 1) > 50)
        street.network.cut(1)
        await asyncio.sleep(20)
        street.network.power(1)
        await task
        assert stages(one) == [Stage.TRIAL] * HOUSES, refusals(one)
        assert one.said < NEW.packets * 2

    live(street, main)


def test_a_trial_is_given_back_and_a_new_version_too(street):
    async def main():
        await street.update(NEW, NO_CONFIRM).run()
        first = Image(banks.image(SMALL, 1))
        one = street.update(first, Plan(back=True))
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES, refusals(one)
        assert {(s.active, s.version) for s in await statuses(street)} == {(0, 1)}
        one = street.update(NEW, BROADCAST)  # what is there is tried again, without a download
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES and one.said == 0
        one = street.update(OTHER, BROADCAST)
        await one.run()
        one = street.update(NEW, Plan(back=True))
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES, refusals(one)
        assert {(s.active, s.version) for s in await statuses(street)} == {(1, 2)}

    live(street, main)


def test_through_repeaters(tmp_path):
    """Those behind agents get packets from them, each once where nothing is lost."""
    network = Network(topology=topologies.line(2, 2), powered=False)
    street = Street(tmp_path, network)

    async def main():
        known = Topology()
        search = Search(street.client, known, network.client_link.unique_id)
        await search.everybody()
        await street.build(known)
        one = street.update(NEW, NO_CONFIRM)
        await one.run()
        assert stages(one) == [Stage.TRIAL] * 4, refusals(one)
        assert NEW.packets <= one.said < NEW.packets * 1.2

    run(main, network.channel)
