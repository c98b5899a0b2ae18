"""Rare: judge a message while EP20 has brought a new key, which its first good message puts in
force (profile 13)."""

from osgp.membership import NEXT_KEY


def run(envelope, buf, a: int, d: int) -> bool:
    """`Envelope.verify` under the old key, then under the new one.

    The new key is the member's, and kept, when this returns after a message under it. If flash
    does not take it the message counts as wrong.
    """
    sealed = bytes(buf[a:d])
    if envelope.verify(envelope.suite, buf, a, d):
        return True
    buf[a:d] = sealed
    member = envelope.member
    suite = envelope.make(member.next_key)
    if not envelope.verify(suite, buf, a, d):
        buf[a:d] = sealed
        return False
    draft = member.draft()
    draft[20:36] = member.next_key
    try:
        member.commit(draft)
        member.settings.remove(NEXT_KEY)
    except OSError:
        if member.next_key:
            buf[a:d] = sealed
            return False
    envelope.suite = suite  # it has the exchange at hand
    return True
