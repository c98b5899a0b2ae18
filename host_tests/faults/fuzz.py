"""Mutated real frames against one whole device: nothing raises, nothing is half written,
everything is counted.

    python host_tests/faults/fuzz.py [FRAMES] [SEED]

A quarter each is mutated raw (the octets of the UART), and after that sealed again at MIP, at the
CRC, and at digest and cipher, so that each layer gets its share: the table at the end says how
many frames reached which.

What must hold after every frame: no exception left the door; every answer is a sound frame; a
frame whose digest does not hold has changed neither counter nor store. After every thousand: a
right read is answered rightly.
"""

import random
import sys
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    for folder in ("host_tests", "firmware", "tools/shims", "tools"):
        sys.path.insert(0, str(Path(__file__).parents[2] / folder))

from osgp_tools.lpdu import BROADCAST, TPDU, UNACKD_RPT, Frame, crc16
from osgp_tools.session import Code
from rig import Member, mip_message, uplink

ET55, LOCKOUT_AT, LOCKOUT_LONGEST = 2048 + 55, 20, 256 * 60_000  # ms
KEY_ALARM = 7, 0x04  # octet and bit of BT03.8.2, as it is kept
LAYERS = ("raw", "MIP", "CRC", "digest")
REACHED = ("frame", "for us", "delivered", "validated", "served")

READS = (
    "3F 0017 00002C 0030",
    "3F 0040 000000 0054",
    "30 0034",
    "30 0003",
    "30 0804",
    "3F 001C 000000 0054",
    "30 0001",
    "30 0008",
)
WRITES = (
    "4F 0006 000000 0004 41424344",
    "40 0005 000A 00010203040506070809",
    "4F 0035 000000 0001 02",
)
CLOCK = "40 0007 000B 0A00 {psn:02X} 07 1A0B15 0C0000 06"
COMMANDS = tuple(bytes.fromhex(text.replace(" ", "")) for text in READS + WRITES)
PLAIN = tuple(
    bytes.fromhex(text)
    for text in (
        "6100",
        "6101",
        "6201",
        "51",
        "53",
        "56",
        "6d01000006",
        "6d03000004",
        "6001",
        "6c01",
        "7000",
        "63" + "00" * 16,
        "4d00",
    )
)


class Fuzz(Member):
    """A device that is a member, somebody who knows its key, and mutations."""

    def __init__(self, seed: int):
        super().__init__()
        self.random = random.Random(seed)
        self.reached = {layer: Counter() for layer in LAYERS}

    # ---- right frames

    def some_command(self) -> bytes:
        if self.random.random() < 0.1:
            return bytes.fromhex(CLOCK.format(psn=self.random.randrange(10, 255)).replace(" ", ""))
        return self.random.choice(COMMANDS)

    def right(self) -> Frame:
        """A frame as a concentrator would send it."""
        draw = self.random.random()
        if draw < 0.7:
            return self.frame(self.sealed(self.some_command()).apdu)
        apdu = self.random.choice(PLAIN)
        if draw < 0.8:
            return self.by_id(apdu)
        if draw < 0.9:
            return self.frame(apdu, address=BROADCAST, destination=(0, 0))
        return self.frame(apdu, pdu=TPDU, kind=self.random.choice((0, UNACKD_RPT)))

    # ---- mutations

    def mutate(self, octets: bytes) -> bytes:
        data = bytearray(octets)
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            at = self.random.randrange(len(data)) if data else 0
            kind = self.random.randrange(6)
            if kind == 0 and data:
                data[at] ^= 1 << self.random.randrange(8)
            elif kind == 1 and data:
                data[at] = self.random.choice((0, 0x7E, 0xFF, self.random.randrange(256)))
            elif kind == 2 and data:
                del data[at : at + self.random.randrange(1, 5)]
            elif kind == 3:
                data[at:at] = self.random.randbytes(self.random.randrange(1, 5))
            elif kind == 4:
                del data[at:]
            else:
                data += self.random.choice((bytes(self.random.randrange(1, 9)), data[-4:]))
        return bytes(data[:200])

    def octets(self, layer: str) -> bytes:
        """What goes into the UART: a right frame, mutated, and sealed again from `layer` up."""
        if layer == "digest":
            command = (
                self.other_command()
                if self.random.random() < 0.5
                else self.mutate(self.some_command())
            )
            return uplink(self.frame(self.sealed(command or b"\x30").apdu).encode())
        lpdu = self.right().encode()
        if layer == "raw":
            return self.mutate(uplink(lpdu))
        if layer == "MIP":
            body = self.mutate(bytes((0x1A,)) + lpdu)
            return mip_message(bytes((len(body),)) + body)
        body = self.mutate(lpdu[:-2])
        return uplink(body + crc16(body).to_bytes(2, "big"))

    def other_command(self) -> bytes:
        """Of the right shape, about any table, place and count."""
        draw = self.random
        number = draw.choice(
            (
                draw.randrange(80),
                2048 + draw.randrange(160),
                4096 + draw.randrange(80),
                draw.randrange(65536),
            )
        )
        offset = draw.choice((0, draw.randrange(300), draw.randrange(1 << 24))).to_bytes(3, "big")
        count = draw.choice((0, 1, draw.randrange(86), draw.randrange(65536)))
        data = draw.randbytes(min(count, 80))
        head = number.to_bytes(2, "big")
        return draw.choice(
            (
                b"\x30" + head,
                b"\x3f" + head + offset + count.to_bytes(2, "big"),
                b"\x40" + head + len(data).to_bytes(2, "big") + data,
                b"\x4f" + head + offset + len(data).to_bytes(2, "big") + data,
            )
        )

    # ---- what must hold

    def tally(self) -> tuple:
        node, device = self.rig.node, self.rig.device
        passed = node.frames - node.npdu.crc_errors - node.npdu.malformed - node.npdu.not_ours
        served = device.services.reads + device.services.writes
        return node.frames, passed, node.transport.received, device.envelope.validated, served

    def kept(self) -> tuple:
        """The number expected and the settings, but for the count of failures (profile 4) and the
        alarm that tells of it (profile 11: a right write may have made the limit a low one)."""
        files = {**self.rig.board.settings().files}
        files.pop("key uses", None)
        status = bytearray(files.get("BT03", bytes(KEY_ALARM[0] + 1)))
        status[KEY_ALARM[0]] &= ~KEY_ALARM[1]
        return self.expected, files | {"BT03": bytes(status)}

    def step(self, layer: str):
        before, kept = self.tally(), self.kept()
        self.rig.advance(100)
        answers = self.rig.answers(self.octets(layer))
        self.rig.advance(60)  # what was cut short is given up
        after = self.tally()
        for name, old, new in zip(REACHED, before, after):
            self.reached[layer][name] += new > old
        assert len(answers) <= 1 + after[0] - before[0]
        if after[3] == before[3]:
            assert self.kept() == kept, "an unverified frame changed something that is kept"

    def check(self):
        """A right read is answered rightly, after the chip was started anew: frames can look like
        its reset. A right write may have allowed so few failures that the device has locked
        itself (ET55.20): nobody waits for that, it is opened, and allowed any number."""
        self.rig.advance(9000)  # receive records of 8192 ms end
        device = self.rig.device
        if any(device.envelope.lockout):
            device.model.patch(ET55, LOCKOUT_AT, bytes(2))
            device.envelope.lockout = (0, 0)
            self.rig.advance(LOCKOUT_LONGEST)
        self.rig.bring_up()
        sealed = self.sealed(bytes.fromhex("300001"))
        (answer,) = self.rig.exchange(self.frame(sealed.apdu).encode())
        opened = sealed.open(answer.body)
        assert opened is not None and opened.code == Code.OK and len(opened.data) == 24

    def run(self, frames: int):
        for number in range(frames):
            self.step(LAYERS[number % len(LAYERS)])
            if number % 1000 == 999:
                self.check()
        self.check()

    def report(self) -> str:
        lines = ["sealed at ".ljust(12) + "".join(name.rjust(12) for name in REACHED)]
        lines += [
            layer.ljust(12) + "".join(str(self.reached[layer][name]).rjust(12) for name in REACHED)
            for layer in LAYERS
        ]
        return "\n".join(lines)


def main(frames: int = 200_000, seed: int = 1):
    fuzz = Fuzz(seed)
    fuzz.run(frames)
    print(fuzz.report())
    print(
        f"fuzz: ok, {frames} mutated frames, seed {seed}: none raised or changed what it may not"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
