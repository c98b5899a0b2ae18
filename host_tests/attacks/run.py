"""The published attack on the OMA digest (eprint 2015/428), against this firmware in both modes.

    python host_tests/attacks/run.py [SEED]

What the attacker has:

- digests: somebody who gives the digests (mode 2: tags) of blocks that the attacker chooses. That
  is what the paper begins with; a line has nobody who does it.
- forgeries: the line alone. The concentrator's requests were captured, four of them, one a write
  of 75 octets; frames can be sent to the device, and its answers are heard. It answers 0B when a
  digest does not hold and something else when it does. Nothing of the text is known.

The key that comes out is tried by reading BT01 with it: the device itself says what is next.
"""

import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    for folder in ("host_tests", "firmware", "tools/shims", "tools"):
        sys.path.insert(0, str(Path(__file__).parents[2] / folder))

from attacks import oma
from osgp.security.digest import oma_digest
from osgp_tools.airtime import limit_seconds
from osgp_tools.suites import AES_PSK, LEGACY, REQUEST, AesPsk, Answer, Code, suite
from rig import UID, Member

NAMES = {LEGACY: "0, OMA digest and RC4", AES_PSK: "2, AES-128"}
READ_BT01 = b"\x30\x00\x01"
COMMANDS = (  # of the concentrator, captured
    READ_BT01,
    b"\x3f\x00\x17" + bytes(4) + b"\x2c",
    b"\x3f\x00\x34" + bytes(4) + b"\x07",
)
ET27 = b"\x4f\x08\x1b" + bytes(4) + b"\x4b"  # 75 octets of a transaction
ADVICE = (
    "Use mode 2 (`osgp commission --mode 2`). In mode 0 whoever reaches the line has a device's\n"
    "key in minutes; it is there because the devices in the field have it."
)


class Victim(Member):
    """A device whose key nobody here is told, and the line to it."""

    def __init__(self, mode: int, chance: random.Random):
        self.KEY = chance.randbytes(16)
        super().__init__(mode=mode)
        self.address = bytes((self.SUBNET, self.NODE))
        self.captured = []
        for command in (*COMMANDS, ET27 + chance.randbytes(75)):
            sealed = self.sealed(command)
            self.captured.append(sealed.apdu)
            self.exchange(sealed.apdu)
        self.sent = 0
        self.line_seconds = 0.0  # what the frames of the attack cost on the line at least

    def exchange(self, apdu: bytes) -> bytes:
        """The answer to a frame; none: no octets."""
        request = self.frame(apdu).encode()
        answers = self.rig.exchange(request)
        return answers[0].body if answers else b""

    def attempt(self, apdu: bytes) -> bytes:
        """As `exchange`, by the attacker."""
        answer = self.exchange(apdu)
        self.sent += 1
        overhead = len(self.frame(b"").encode())
        for body in (apdu, answer):
            self.line_seconds += limit_seconds(overhead + len(body)) if body else 0.0
        return answer

    def digest_of(self, block: bytes) -> bytes:
        """Digest or tag of a chosen block."""
        self.sent += 1
        if self.mode == LEGACY:
            return oma_digest(self.KEY[:12], block)
        sealer = AesPsk(self.KEY, UID, self.SUBNET, self.NODE)
        number = (2_000_000 + self.sent).to_bytes(4, "big")  # as it must: another for each
        return sealer.encrypt(REQUEST, number, block)[-oma.TAG :]


def digests(victim: Victim) -> bytes | None:
    return oma.chosen(victim.digest_of)


def forgeries(victim: Victim) -> bytes | None:
    refused = victim.attempt(victim.captured[0][:-1] + b"\x00")  # what a wrong digest draws

    def takes(apdu: bytes) -> bool:
        answer = victim.attempt(apdu)
        return bool(answer) and (len(answer), answer[:2]) != (len(refused), refused[:2])

    return oma.Forgery(victim.address, victim.captured, takes).recover()


ATTACKS = (digests, forgeries)


@dataclass(frozen=True)
class Outcome:
    """What one attack on one mode came to."""

    mode: int
    attack: str
    queries: int
    line_seconds: float
    seconds: float
    key: bytes | None = field(repr=False)
    read: bytes | None  # BT01, under the key that was found
    alive: bool  # afterwards a right message is still answered

    @property
    def broken(self) -> bool:
        return self.read is not None

    def __str__(self) -> str:
        line = f"{self.line_seconds:7.0f} s" if self.line_seconds else "        -"
        found = f"the key; it read BT01, {self.read.hex()}" if self.read else "no key"
        columns = f"{NAMES[self.mode]:22}  {self.attack:9}  {self.queries:7}  {line}"
        return f"{columns}  {self.seconds:6.1f} s  {found}"


def read_with(victim: Victim, key: bytes) -> bytes | None:
    """BT01 under a key, the number taken from the device's 0C; None: it is not the key."""
    sealer = suite(victim.mode, key.ljust(16, b"\0"), UID, victim.SUBNET, victim.NODE)
    number = 1
    for _ in range(2):
        sealed = sealer.seal(number, READ_BT01)
        answer = sealed.open(victim.exchange(sealed.apdu))
        if answer and answer.code == Code.SEQUENCE_NUMBER_ERROR:
            number = int.from_bytes(answer.data, "big")
        elif answer and answer.code == Code.OK:
            return answer.data
    return None


def run(mode: int, attack, seed: int) -> Outcome:
    """One attack on a new device."""
    victim = Victim(mode, random.Random(f"{seed} {mode} {attack.__name__}"))
    started = time.perf_counter()
    key = attack(victim)
    read = read_with(victim, key) if key else None
    alive = isinstance(victim.command(READ_BT01), Answer)
    spent = time.perf_counter() - started
    return Outcome(
        mode, attack.__name__, victim.sent, victim.line_seconds, spent, key, read, alive
    )


def main(seed: int = 1) -> int:
    print("suite                   attack     queries    on line  computer  result")
    outcomes = []
    for mode in NAMES:
        for attack in ATTACKS:
            outcomes.append(run(mode, attack, seed))
            print(outcomes[-1], flush=True)
    expected = all(one.alive and one.broken == (one.mode == LEGACY) for one in outcomes)
    print(ADVICE if expected else "attacks: FAILED, this is not what the suites promise")
    return int(not expected)


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:2])))
