"""What goes wrong on the UART between a real device process and its transceiver, and on the line.

However it goes, a request happens once, and its sender has one answer in the end. What happens is
counted by the device (its console tells): procedures initiated, sequence numbers spent.
"""

import random
import time

import pytest

from desk import MICROPYTHON, NODE, SUBNET, Desk
from osgp_tools.lpdu import SPDU
from osgp_tools.suites import Sealed

BT06, BT07, BT08 = "0006", "0007", "0008"
BP10 = "0A00"  # in BT07's own octet order
NO_TIME = "00" + "00" * 7  # mask 0: sets nothing, answers with the time before and after
DONE = 0
TRY_AGAIN = 0.6  # s; more than a lost octet costs the link
MOST_TRIES = 40
SHARE = 0.25  # of the packets between device and chip that a fault strikes
STRIKES = 6  # at least, in a test


class Uart:
    """The chip's end of the UART, with somebody in between.

    `down` and `up` are what becomes of octets to the device and from it: a list of pieces, and of
    pauses in seconds.
    """

    def __init__(self, socket):
        self._socket = socket
        self.down = self.up = lambda octets: [octets]
        self.at_once = 4096  # octets that the chip gets of what the device sent

    def fileno(self) -> int:
        return self._socket.fileno()

    def sendall(self, octets: bytes) -> None:
        for piece in self.down(octets):
            if isinstance(piece, float):
                time.sleep(piece)  # the fault is a pause
            else:
                self._socket.sendall(piece)

    def recv(self, n: int) -> bytes:
        return b"".join(self.up(self._socket.recv(min(n, self.at_once))))

    def close(self) -> None:
        self._socket.close()


class Device:
    """A member, and requests to it that are repeated until they are answered."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.psn = 9
        desk.commission()

    def count(self, what: str) -> int:
        return int(self.desk.console(what))

    @property
    def initiated(self) -> int:
        return self.count("device.procedures.initiated")

    @property
    def expected(self) -> int:
        return self.count("device.counter.hi << 16 | device.counter.lo")

    def persist(self, frame) -> bytes:
        """The APDU of the answer to a request that is sent until there is one."""
        desk = self.desk
        desk.heard.clear()
        answers = []

        def answered() -> bool:
            answers[:] = [one for one in desk.heard if one.tid == frame.tid and one.pdu == SPDU]
            return bool(answers)

        for _ in range(MOST_TRIES):
            desk.send(frame)
            try:
                desk.until(answered, TRY_AGAIN)
                return answers[0].body
            except TimeoutError:
                continue
        raise AssertionError(f"no answer to {MOST_TRIES} tries")

    def sealed(self, command: str):
        """A secured request and the frame that carries it."""
        desk = self.desk
        sealed = Sealed(desk.key, SUBNET, NODE, desk.sequence, bytes.fromhex(command))
        desk.sequence += 1
        return sealed, desk.frame(sealed.apdu)

    def command(self, command: str):
        sealed, frame = self.sealed(command)
        answer = sealed.open(self.persist(frame))
        assert answer is not None, "the answer's digest does not hold"
        return answer

    def procedure(self) -> str:
        """The command that initiates a procedure under the next number."""
        self.psn += 1
        data = f"{BP10}{self.psn:02X}{NO_TIME}"
        return f"40 {BT07} {len(data) // 2:04X} {data}"

    def result(self) -> bytes:
        """Number, PSN and result of the last procedure."""
        return self.command(f"3F {BT08} 000000 0004").data


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    with Desk(tmp_path_factory.mktemp("faults"), MICROPYTHON) as desk:
        desk.uart = Uart(desk.uart)
        yield Device(desk)


@pytest.fixture(autouse=True)
def healed(device):
    """Each test begins with an unharmed UART, and a link that is up."""
    yield
    device.desk.uart.down = device.desk.uart.up = lambda octets: [octets]
    assert device.command(f"3F {BT06} 000000 0001").code == 0


def once(device, number: int) -> None:
    """`number` procedures, each followed by a look at its result: each happens once."""
    initiated, expected = device.initiated, device.expected
    for _ in range(number):
        assert device.command(device.procedure()).code == 0
        assert device.result() == bytes.fromhex(BP10) + bytes((device.psn, DONE))
    assert device.initiated == initiated + number
    assert device.expected == expected + 2 * number
    assert device.desk.sequence == device.expected


# ---------------------------------------------------------------------------------- on the UART


def lost(draw):
    return lambda octets: [] if draw.random() < SHARE else [octets]


def doubled(draw):
    return lambda octets: [octets, octets] if draw.random() < SHARE else [octets]


def garbled(draw):
    def fault(octets):
        octets = bytearray(octets)
        if octets and draw.random() < SHARE:
            octets[draw.randrange(len(octets))] ^= draw.randrange(1, 256)
        return [bytes(octets)]

    return fault


def cut(draw):
    """The rest of a packet never comes."""
    return lambda octets: [octets[: draw.randrange(1, 9)] if draw.random() < SHARE else octets]


def noisy(draw):
    """Octets that nobody sent, between packets."""
    return lambda octets: [draw.randbytes(draw.randrange(3)), octets]


FAULTS = [lost, doubled, garbled, cut, noisy]


@pytest.mark.parametrize("way", ["down", "up"])
@pytest.mark.parametrize("fault", FAULTS)
def test_octets_go_wrong(device, fault, way):
    struck = []
    harm = fault(random.Random(f"{fault.__name__} {way}"))

    def counted(octets):
        pieces = harm(octets)
        struck.append(b"".join(pieces) != octets)
        return pieces

    initiated = device.initiated
    numbers = device.psn
    setattr(device.desk.uart, way, counted)
    while sum(struck) < STRIKES:
        assert device.command(device.procedure()).code == 0
        assert device.result() == bytes.fromhex(BP10) + bytes((device.psn, DONE))
    setattr(device.desk.uart, way, lambda octets: [octets])
    assert device.initiated - initiated == device.psn - numbers


def test_octet_by_octet_both_ways(device):
    def down(octets):
        return [part for k in range(len(octets)) for part in (octets[k : k + 1], 0.0005)]

    desk = device.desk
    desk.uart.down = down
    desk.uart.at_once = 1
    once(device, 2)
    desk.uart.at_once = 4096


@pytest.mark.parametrize("pause", [0.02, 0.09])
def test_a_pause_within_a_packet(device, pause):
    """Below 40 ms a packet goes on after it; above, it is given up and has to come again."""
    draw = random.Random(pause)

    def paused(octets):
        k = draw.randrange(1, len(octets))
        return [octets[:k], pause, octets[k:]] if draw.random() < 0.3 else [octets]

    device.desk.uart.down = paused
    once(device, 3)


@pytest.mark.parametrize("fault", ["reject", "fail", "drop_ack", "garble"])
@pytest.mark.parametrize("times", [1, 3, 9])
def test_what_the_chip_answers(device, fault, times):
    """Also more often in a row than the link tries before it starts anew."""
    sealed, frame = device.sealed(device.procedure())
    initiated = device.initiated
    setattr(device.desk.chip.faults, fault, times)
    answer = sealed.open(device.persist(frame))
    device.desk.until(lambda: not getattr(device.desk.chip.faults, fault))
    assert answer.code == 0
    assert device.initiated == initiated + 1


# ------------------------------------------------------------------------- the chip is reset


def reset_at_once(device, frame):
    device.desk.send(frame)
    device.desk.chip.reset(device.desk.now())


def reset_when_the_answer_comes(device, frame):
    """The device has carried it out; its answer dies in the chip."""
    desk = device.desk
    seen = []

    def swallow(octets):
        if len(octets) > 8:  # no acknowledgement but the answer
            seen.append(octets)
            return []
        return [octets]

    desk.uart.up = swallow
    desk.send(frame)
    desk.until(lambda: seen)
    desk.chip.reset(desk.now())
    desk.uart.up = lambda octets: [octets]


def reset_behind_the_answer(device, frame):
    """The answer is on its way to the line, and is forgotten with the chip's buffers."""
    desk = device.desk
    desk.heard.clear()
    desk.send(frame)
    desk.until(lambda: desk.heard)
    desk.heard.clear()
    desk.chip.reset(desk.now())


@pytest.mark.parametrize(
    "reset", [reset_at_once, reset_when_the_answer_comes, reset_behind_the_answer]
)
def test_the_chip_resets_in_an_exchange(device, reset):
    for _ in range(2):
        initiated, resets = device.initiated, device.count("device.node.link.resets")
        sealed, frame = device.sealed(device.procedure())
        reset(device, frame)
        assert sealed.open(device.persist(frame)).code == 0
        assert device.initiated == initiated + 1
        assert device.count("device.node.link.resets") == resets + 1
        assert device.result()[2:] == bytes((device.psn, DONE))


def test_the_chip_resets_again_and_again(device):
    desk = device.desk
    draw = random.Random(5)
    for _ in range(12):
        desk.chip.reset(desk.now())
        desk.turn(draw.random() * 0.02)
    once(device, 1)


# --------------------------------------------------------------------------------- on the line


def test_a_doubled_frame_is_answered_alike(device):
    """Twice on the line: the answer is the same octets, and nothing happens again."""
    initiated = device.initiated
    sealed, frame = device.sealed(device.procedure())
    first = device.persist(frame)
    assert sealed.open(first).code == 0
    for _ in range(3):
        assert device.persist(frame) == first
    assert device.initiated == initiated + 1


def test_two_at_once_are_answered_once_each(device):
    """The second arrives before the first was answered."""
    initiated = device.initiated
    sealed, frame = device.sealed(device.procedure())
    device.desk.send(frame)
    answer = device.persist(frame)
    assert sealed.open(answer).code == 0
    device.desk.until(lambda: device.count("device.node.transport.duplicates"))
    assert device.initiated == initiated + 1


def test_a_lost_answer_is_asked_for_under_another_transaction(device):
    """The same sealed octets, another transaction number: 0C, and nothing happens again.

    So the sender learns that its number was spent, and looks into BT08.
    """
    initiated = device.initiated
    sealed, frame = device.sealed(device.procedure())
    device.persist(frame)
    again = sealed.open(device.persist(device.desk.frame(sealed.apdu)))
    assert again.code == 0x0C
    assert int.from_bytes(again.data, "big") == device.desk.sequence
    assert device.initiated == initiated + 1
    assert device.result()[2:] == bytes((device.psn, DONE))


def test_a_frame_that_comes_late(device):
    """A copy of a request, after the next one was answered: its number is spent."""
    sealed, late = device.sealed(device.procedure())
    device.persist(late)
    assert device.command(device.procedure()).code == 0
    initiated = device.initiated
    answer = sealed.open(device.persist(late))
    assert answer.code == 0x0C
    assert device.initiated == initiated
    assert device.result()[2:] == bytes((device.psn, DONE))


def test_a_garbled_frame_is_no_request(device):
    """Whatever octet of a frame is another one, nothing happens; the right one then does."""
    draw = random.Random(7)
    for _ in range(20):
        sealed, frame = device.sealed(device.procedure())
        lpdu = bytearray(frame.encode())
        lpdu[draw.randrange(len(lpdu))] ^= draw.randrange(1, 256)
        initiated = device.initiated
        device.desk.send(bytes(lpdu))
        assert device.initiated == initiated  # the console's answer comes after the frame's
        assert sealed.open(device.persist(frame)).code == 0
        assert device.initiated == initiated + 1
