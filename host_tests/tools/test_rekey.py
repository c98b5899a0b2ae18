"""Key changes by EP20 against a real device: interrupted anywhere, both agree (profile 13)."""

import asyncio

import pytest
from vault_rig import KilledError, Office

from osgp_tools.cli_security import rekey_all
from osgp_tools.client import NoAnswerError
from osgp_tools.rekey import EP20, UNICAST, change_broadcast_key, change_key
from osgp_tools.session import RefusedError
from osgp_tools.suites import AES_PSK, LEGACY, AesPsk, Code, key_check
from rig import UID

MODES = pytest.mark.parametrize("mode", [LEGACY, AES_PSK])
BT03 = 3


def in_force(office: Office) -> bytes:
    """The unicast key that the device has, as far as its mode uses it."""
    member = office.rig.device.member
    return bytes(member.unicast_key)[: 16 if member.mode else 12]


@MODES
def test_a_new_key_is_taken_by_its_first_good_message(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        old = (await office.commission(mode)).key
        session = office.session()
        await change_key(session, office.vault, UID)
        member = office.member()
        assert member.next_key is None and member.key == in_force(office) != old
        assert len(await session.read(BT03)) == len(await office.session().read(BT03))
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_the_new_key_is_on_disk_before_it_is_on_the_line(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(mode)
        first = office.line.frames
        office.line.fate = lambda number: (number < first, True, number < first)
        with pytest.raises(KilledError):
            await change_key(office.session(), office.vault, UID)
        office.kill()
        assert office.member().next_key
        office.vault.close()

    asyncio.run(scenario())


@MODES
@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize("after", range(4))
def test_killed_anywhere_the_change_goes_on(tmp_path, mode, delivered, after):
    """The process dies while it sends its n-th frame; the device got that frame or not."""

    async def scenario():
        office = Office(tmp_path / "v.db")
        old = (await office.commission(mode)).key
        last = office.line.frames + after
        office.line.fate = lambda number: (number < last or delivered, True, number < last)
        try:
            await change_key(office.session(), office.vault, UID)
        except KilledError:
            office.kill()
        office.line.fate = lambda number: (True, True, True)
        await office.session().read(BT03)  # whichever key it has
        await change_key(office.session(), office.vault, UID)
        member = office.member()
        assert member.next_key is None and member.key == in_force(office) != old
        await office.session().read(BT03)
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_silence_after_ep20_is_followed_by_the_new_key(tmp_path, mode):
    """All answers to the write are lost; the device has the key, and is asked under it."""

    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(mode)
        first = office.line.frames
        office.line.fate = lambda number: (True, not first <= number < first + 4, True)
        await change_key(office.session(), office.vault, UID)
        assert office.member().key == in_force(office)
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_a_device_that_is_away_keeps_its_old_key_and_gets_the_new_one_later(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        old = (await office.commission(mode)).key
        office.line.fate = lambda number: (False, False, True)
        with pytest.raises(NoAnswerError):
            await change_key(office.session(), office.vault, UID)
        offered = office.member().next_key
        assert in_force(office) == old and offered
        office.line.fate = lambda number: (True, True, True)
        session = office.session()
        await session.read(BT03)  # under the old key, and in doubt no more
        assert not session.in_doubt and office.member().next_key == offered
        await change_key(session, office.vault, UID)
        assert in_force(office) == office.member().key == offered
        office.vault.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("begun", [False, True])
def test_a_key_that_is_used_up_is_good_for_its_change(tmp_path, begun):
    """Mode 2, ET04.123 reached (profile 11)."""

    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(AES_PSK)
        await office.session().read(BT03)
        if begun:
            office.vault.offer_key(UID)
        office.rig.device.envelope.exhausted = True
        with pytest.raises(RefusedError) as refused:
            await office.session().read(BT03)
        assert refused.value.code == Code.INSUFFICIENT_CLEARANCE
        session = office.session()
        await change_key(session, office.vault, UID)
        assert office.member().key == in_force(office)
        assert len(await session.read(BT03)) == 13
        office.vault.close()

    asyncio.run(scenario())


def test_a_wrong_check_is_refused(tmp_path):
    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(LEGACY)
        wrong = bytes((UNICAST,)) + bytes(range(12)) + bytes(4)
        outcome = await office.session().procedure(EP20, wrong)
        assert outcome.result == 2
        office.vault.close()

    asyncio.run(scenario())


def test_a_key_check_is_that_of_the_primitive():
    assert key_check(AES_PSK, bytes(16)).hex() == "763cbcde"  # CMAC(0, 0^16), by `cryptography`
    assert len(key_check(LEGACY, bytes(12))) == 4


@MODES
def test_a_broadcast_key_waits_beside_the_old_one(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        member = await office.commission(mode)
        vault = office.vault
        old = vault.broadcast()
        new = vault.offer_broadcast_key()
        assert vault.offer_broadcast_key() == new and new.number == 1
        assert vault.without_broadcast_key() == [member]
        await change_broadcast_key(office.session(), member, new)
        vault.give_broadcast_key(UID)
        assert not vault.without_broadcast_key()
        assert vault.broadcast().key == old.key
        vault.take_broadcast_key()
        assert vault.broadcast().key == new.key
        assert not vault.without_broadcast_key()
        office.vault.close()

    asyncio.run(scenario())


@MODES
def test_a_broadcast_key_that_is_there_already_is_no_error(tmp_path, mode):
    async def scenario():
        office = Office(tmp_path / "v.db")
        member = await office.commission(mode)
        await change_broadcast_key(office.session(), member, office.vault.broadcast())
        office.vault.close()

    asyncio.run(scenario())


def test_everybody_gets_the_broadcast_key_and_who_is_away_gets_it_later(tmp_path, capsys):
    """One real device, and a member that is not there."""

    async def scenario():
        office = Office(tmp_path / "v.db")
        await office.commission(AES_PSK)
        vault = office.vault
        away = bytes(6)
        vault.admit(away, vault.new_place(away, AES_PSK))
        old = vault.broadcast()
        with pytest.raises(NoAnswerError, match="1 members do not have"):
            await rekey_all(office.client(), vault)
        new = vault.broadcast()
        assert new.key != old.key and new.number == 1
        assert [one.unique_id for one in vault.without_broadcast_key()] == [away]
        with pytest.raises(NoAnswerError):
            await rekey_all(office.client(), vault)
        assert vault.broadcast().key == new.key
        vault.give_broadcast_key(away)
        office.vault.close()

    asyncio.run(scenario())
    assert f"{UID.hex()} (1/1) has it" in capsys.readouterr().out


def test_in_mode_2_no_number_carries_two_messages_while_a_key_is_changed(tmp_path):
    async def scenario():
        office = Office(tmp_path / "v.db")
        old = (await office.commission(AES_PSK)).key
        last = office.line.frames + 1
        office.line.fate = lambda number: (True, True, number < last)
        with pytest.raises(KilledError):
            await change_key(office.session(), office.vault, UID)
        office.kill()
        office.line.fate = lambda number: (True, True, True)
        await change_key(office.session(), office.vault, UID)
        new = office.member().key
        for key in (old, new):
            suite = AesPsk(key, UID, 1, 1)
            under = {apdu for apdu in office.line.sent if suite.request(apdu)}
            assert under and len({apdu[-12:-8] for apdu in under}) == len(under)
        office.vault.close()

    asyncio.run(scenario())
