"""Two stores and one device: it belongs to one of them, and changes by commissioning alone
(profile 10)."""

import asyncio

import pytest
from vault_rig import Office

from osgp_tools.concentrator import Concentrator
from osgp_tools.membership import InstallationKeys
from osgp_tools.readings import Readings
from osgp_tools.session import OtherKeyError, RefusedError, SequenceLostError
from osgp_tools.suites import AES_PSK, LEGACY, AesPsk
from rig import UID

MODES = pytest.mark.parametrize("mode", [LEGACY, AES_PSK])
BT03 = 3


@MODES
def test_a_second_concentrator_takes_over_by_commissioning(tmp_path, mode):
    async def scenario():
        first = Office(tmp_path / "first.db")
        await first.commission(mode)
        second = Office(tmp_path / "second.db", first.rig)
        await second.commission(mode)
        assert len(await second.session().read(BT03)) == 13
        # the first is told 0B; in mode 2 by somebody whose key it does not have
        with pytest.raises((RefusedError, OtherKeyError)) as refused:
            await first.session().read(BT03)
        assert refused.type is (OtherKeyError if mode else RefusedError)
        assert len(await second.session().read(BT03)) == 13
        await first.commission(mode)
        assert len(await first.session().read(BT03)) == 13
        first.vault.close()
        second.vault.close()

    asyncio.run(scenario())


@MODES
def test_a_concentrator_that_is_not_believed_any_more_joins_the_device_again(tmp_path, mode):
    async def scenario():
        first = Office(tmp_path / "first.db")
        second = Office(tmp_path / "second.db", first.rig)
        readings = Readings(tmp_path / "readings.db")
        concentrators = [
            Concentrator(office.client(), office.vault, readings, InstallationKeys(), mode)
            for office in (first, second)
        ]
        for concentrator in concentrators * 2:
            device = await concentrator.join(UID)
            assert device.member.mode == mode
            assert len(await device.session.read(BT03)) == 13
        readings.close()
        first.vault.close()
        second.vault.close()

    asyncio.run(scenario())


@MODES
def test_a_lost_store_commissions_first(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(mode)
        await office.session().read(BT03)
        office.vault.close()
        for file in tmp_path.iterdir():
            file.unlink()
        office.start()
        assert office.vault.member(UID) is None
        await office.commission(mode)
        assert len(await office.session().read(BT03)) == 13
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_a_store_that_was_killed_often_goes_on(tmp_path, mode):
    """A few numbers are skipped each time; what the device took brings its window along."""

    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(mode)
        for _ in range(20):
            assert len(await office.session().read(BT03)) == 13
            office.kill()
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_too_many_killed_before_the_device_heard_them_have_to_commission(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(mode)
        for _ in range(3):
            office.vault.numbers(UID).take()
            office.kill()
        with pytest.raises(SequenceLostError):
            await office.session().read(BT03)
        await office.commission(mode)
        assert len(await office.session().read(BT03)) == 13
        office.vault.close()

    asyncio.run(scenario())


def test_a_copy_of_the_store_that_is_behind_sends_a_number_again_at_most_once(tmp_path):
    """Why a store is not restored: its first message has a number that was used.

    The device refuses it, and the number that it asks for is above all that were used.
    """

    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(AES_PSK)
        office.vault.close()
        copies = {file: file.read_bytes() for file in tmp_path.iterdir()}
        office.start()
        for _ in range(10):
            await office.session().read(BT03)
        used = len(office.line.sent)
        office.vault.close()
        for file, octets in copies.items():
            file.write_bytes(octets)
        office.start()
        await office.session().read(1)
        suite = AesPsk(office.member().key, UID, 1, 1)
        numbers = [apdu[-12:-8] for apdu in office.line.sent if suite.request(apdu)]
        assert len(numbers) == used + 2 and len(set(numbers)) == used + 1
        office.vault.close()

    asyncio.run(scenario())
