"""Updates of a street in which somebody does not go along, or somebody else wants another one."""

import asyncio

from update_support import (
    BROADCAST,
    HOUSES,
    NEW,
    NO_CONFIRM,
    ONE_BY_ONE,
    OTHER,
    counted,
    in_group,
    live,
    made,
    refusals,
    stages,
    statuses,
    until,
)

from osgp_tools import groups
from osgp_tools.image_check import signed_with
from osgp_tools.rekey import session_of
from osgp_tools.simulation.board import Board
from osgp_tools.simulation.street import SMALL, signed
from osgp_tools.update import NO_ANSWER, Plan
from osgp_tools.update_device import Stage
from osgp_tools.update_packets import Image
from osgp_tools.update_status import Fault


def test_who_is_not_there_does_not_hold_up_the_others(street):
    async def main():
        street.network.cut(2)
        one = street.update(NEW, NO_CONFIRM)
        await one.run()
        assert stages(one) == [Stage.TRIAL, Stage.TRIAL, Stage.UNKNOWN, Stage.TRIAL]
        assert refusals(one) == ["", "", NO_ANSWER, ""]
        street.network.power(2)
        await asyncio.sleep(5)
        one = street.update(NEW, BROADCAST)
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES

    live(street, main)


def test_who_cannot(street):
    """No bank, no key, a key of somebody else's, a trial of something else."""

    async def main():
        keepings = [one.keeping for one in street.network.devices]
        keepings[0].banks = ()
        keepings[1].update_key = None
        keepings[2].update_key = bytes(60)
        for k in range(3):
            street.network.cut(k)
            street.network.power(k)
        await asyncio.sleep(5)
        await street.update(OTHER, NO_CONFIRM, street.vault.members()[3:]).run()
        one = street.update(NEW, BROADCAST)
        await one.run()
        texts = refusals(one)
        assert "no second bank" in texts[0] and "key" in texts[1]
        assert texts[2] in (Fault.SIGNATURE.text, Fault.NO_KEY.text)
        assert "version 3 on trial" in texts[3]
        one = street.update(NEW, ONE_BY_ONE, street.vault.members()[2:3])
        await one.run()
        assert refusals(one) == [texts[2]] and one.given == 0, "it is not tried again for nothing"

    live(street, main)


def test_another_concentrator_writes_too(street):
    """Packets of two images get into one bank: the device takes neither, and that is told."""

    async def main():
        one = street.update(NEW, ONE_BY_ONE, street.vault.members()[:1])
        task = asyncio.create_task(one.run())
        await until(lambda: counted(street, 0) > 50)
        download = street.network.devices[0].device.download
        for k in range(80, 90):
            download.packet(OTHER.packet(k), 0)
        await task
        assert stages(one) == [Stage.CONFIRMED], refusals(one)
        assert one.given > NEW.packets, "begun anew, once"

    live(street, main)


def test_a_signature_that_does_not_hold(street):
    forged = Image(signed_with(NEW.octets, bytes(4) + b"\1" * 1200))

    async def main():
        one = street.update(forged, BROADCAST)
        await one.run()
        assert set(refusals(one)) == {Fault.SIGNATURE.text}
        assert {(s.active, s.version) for s in await statuses(street)} == {(0, 1)}
        one = street.update(NEW, BROADCAST)
        await one.run()
        assert stages(one) == [Stage.CONFIRMED] * HOUSES

    live(street, main)


def test_a_group_that_is_there(street):
    async def main():
        for member in street.vault.members()[:3]:
            await groups.change(
                session_of(street.client, street.vault, member), groups.ADD, 0x0102
            )
        one = street.update(NEW, Plan(group=0x0102, confirm=False))
        await one.run()
        assert stages(one) == [Stage.TRIAL] * HOUSES
        assert one.given == NEW.packets, "who is in no such group is told by himself"
        assert await in_group(street) == [False] * HOUSES

    live(street, main)


def test_a_board_that_takes_no_packets_by_broadcast(street, monkeypatch):
    monkeypatch.setattr(Board, "BROADCAST_MAY", ("relays",), raising=False)
    street.network.cut(1)
    street.network.power(1)
    monkeypatch.undo()

    async def main():
        one = street.update(NEW, NO_CONFIRM)
        await one.run()
        assert stages(one) == [Stage.TRIAL] * HOUSES, refusals(one)
        assert one.said <= 3 * NEW.packets
        assert one.given == NEW.packets

    live(street, main)


def test_two_concentrators_at_once(tmp_path):
    """Each erases what the other has begun. The device takes what is whole in the end; both come
    to an end, and tell."""
    street = made(tmp_path, 1)

    async def main():
        one = street.update(NEW, Plan(by_broadcast=False, confirm=False))
        other = street.update(signed(3, SMALL + 600), Plan(by_broadcast=False, confirm=False))
        first = asyncio.create_task(one.run())
        await until(lambda: counted(street, 0) > 30)
        await other.run()
        await first
        told = refusals(one) + refusals(other)
        assert [Stage.TRIAL] in (stages(one), stages(other)), told
        assert any(told), "one of them did not get its way"
        assert all("None" not in text for text in told)

    live(street, main)


def test_flash_that_does_not_take_a_packet(tmp_path):
    """Something else stands in its place: the bank is erased once more."""
    street = made(tmp_path, 1)

    async def main():
        one = street.update(NEW, Plan(by_broadcast=False, confirm=False))
        task = asyncio.create_task(one.run())
        await until(lambda: counted(street, 0) > 30)
        flash = street.network.devices[0].keeping.banks[1]
        flash.program(56 * 90, bytes(56))
        await task
        assert stages(one) == [Stage.TRIAL], refusals(one)
        assert one.given > NEW.packets + 50

    live(street, main)
