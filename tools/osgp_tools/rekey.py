"""Sessions with members, and the change of their keys by EP20 (`profile.md` 13).

    EP20 {key id 1 (0 unicast, 1 broadcast), key 12 or 16, check 4, for id 1 also B 4}

Both keys are on disk before the new one is sent, so a change may be interrupted anywhere: whoever
has a session with the device next finds out which of the two it has.
"""

from osgp_tools.client import Client, NoAnswerError, Target
from osgp_tools.session import (
    PROCEDURE_RESPONSE,
    Code,
    Offer,
    RefusedError,
    Result,
    Session,
    SessionError,
)
from osgp_tools.store import Broadcast, Member, Vault
from osgp_tools.suites import KEY_LENGTH, key_check

EP20 = 2048 + 20
UNICAST, BROADCAST = 0, 1  # key ids
TRIES = 2  # of EP20, when nobody knows whether it arrived


def session_of(client: Client, vault: Vault, member: Member) -> Session:
    """The session with a member: its key, its numbers, and the key change that is not ended."""
    target = Target(member.domain, member.subnet, member.node)
    numbers = vault.numbers(member.unique_id)
    return Session(client, target, member.suite(member.key), numbers, _offer(vault, member))


def _offer(vault: Vault, member: Member) -> Offer | None:
    if member.next_key is None:
        return None
    return Offer(member.suite(member.next_key), lambda: vault.take_key(member))


async def change_key(session: Session, vault: Vault, unique_id: bytes) -> None:
    """Give a member a new unicast key, or end the change that was begun.

    Raises SessionError when the device does not take it, NoAnswerError when it is not there; the
    change stays begun then, and this goes on with it.
    """
    if session.offer and await _took_before(session):
        return
    member = vault.offer_key(unique_id)
    assert member.next_key
    session.offer = _offer(vault, member)
    for attempt in range(TRIES):
        result = await _bring(session, _parameters(member.mode, UNICAST, member.next_key))
        if session.offer is None:
            return
        if result:
            raise SessionError(f"{session.target} does not take the key: result {result}")
        if attempt == TRIES - 1:
            raise SessionError(f"{session.target} answers under its old key")


async def _took_before(session: Session) -> bool:
    """Whether the device has the key of an earlier run; the first good message puts it in force.

    Asked under the new key; under the old one only if that is refused.
    """
    session.in_doubt = True
    try:
        await session.read(PROCEDURE_RESPONSE)
    except RefusedError as refused:  # a key that was used up is good for its change alone
        if refused.code != Code.INSUFFICIENT_CLEARANCE:
            raise
    return session.offer is None


async def _bring(session: Session, parameters: bytes) -> int:
    """EP20 under the old key, then its result under the new one: 0, or why it is not taken."""
    session.in_doubt = False
    try:
        initiated = await session.initiate(EP20, parameters)
    except NoAnswerError:
        session.in_doubt = True  # it may have arrived
        await session.read(PROCEDURE_RESPONSE)
        return Result.DONE
    session.in_doubt = True
    return (await session.outcome(initiated)).result


async def change_broadcast_key(session: Session, member: Member, new: Broadcast) -> None:
    """Give a member the broadcast key that the vault offers. Raises as `change_key` does."""
    key = _parameters(member.mode, BROADCAST, new.of(member.mode))
    outcome = await session.procedure(EP20, key + new.number.to_bytes(4, "little"))
    # Bad is only a key that it has already: from a run that did not hear its answer.
    if outcome.result not in (Result.DONE, Result.BAD_PARAMETER):
        raise SessionError(f"{session.target} does not take the key: result {outcome.result}")


def _parameters(mode: int, key_id: int, key: bytes) -> bytes:
    key = key[: KEY_LENGTH[mode]]
    return bytes((key_id,)) + key + key_check(mode, key)
