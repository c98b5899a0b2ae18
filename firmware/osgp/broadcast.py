"""Messages to all members of groups: APDU code 00, broadcast, unacknowledged (`profile.md` 21).

    00 | 40 081B count(2) ET27 of type 3 | number b(4) | digest or tag(8)     subnet and node 0

b is used up (B = b + 1 is kept) before anything else, by every device for which the message is
good, in a group of it or not; so copies of agents, retries and replays die, before a power cut and
after it. Then the request is kept, and a second later at most, or at a start, it is carried out as
a transaction (`transactions.py`):

    power goes before B is kept                  nothing has come: a copy is taken
    between that and the request being kept      never carried out
    later                                        carried out at the start

A table is written again then, to the same effect; a procedure is begun once at most, by its number
in BT08, and there is one at most in a request to groups. One that had begun when power went is not
begun again: ET28 has 04 for it, and BT08 says how far it came. Nothing is answered: a concentrator
reads ET28, ET04.76 and 82.
"""

import rare


class Broadcast:
    """What the node gives messages to all."""

    def __init__(self, device):
        """`device`: `envelope`, `member`, `model`, `application.clock`, and `transactions`, of
        which the first has ET27."""
        self.device = device
        self.received = self.accepted = 0
        self.failures = 0  # not a good message
        self.outside = 0  # good, its number below B, or not below B + D
        self.refused = 0  # good and new, but no request to groups
        self.not_kept = 0  # flash failed

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Judge the APDU buf[a:end], decrypted in place. There is never an answer."""
        self.received += 1
        if self.device.member.keyed:
            rare.run("osgp.broadcast_work", self, buf, a, end, now)
        else:
            self.failures += 1
        return o

    def second(self, now: int):
        """Carry out what was kept. Not with its verification: together it is too long a slice."""
        transactions = self.device.transactions[0]
        if transactions.waiting:
            try:
                transactions.resume(now)
            except OSError:
                self.not_kept += 1
