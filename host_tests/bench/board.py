"""The budgets of a board, in its own time: python host_tests/bench/board.py [--commit]

Measured on the emulated Pico with the real firmware image and flash times, beside the committed
figures. The table is also written to build/bench-board.txt. Exit 1 when a budget is broken, unless
board_figures.json says under `known` why, or when a figure has grown by more than its slack.
"""

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1] / "board"))

import device_time
from board_rig import PLACE, REASON, UID, VM, Board, Numbers, bank, flash_file
from update_rig import Images, Life

from osgp_tools import flash as flash_map
from osgp_tools import ltep
from osgp_tools.client import READING, Target
from osgp_tools.concentrator import BP10, SET_ALL
from osgp_tools.lpdu import RESPONSE, Frame
from osgp_tools.ltep import Hop
from osgp_tools.source import Source
from osgp_tools.suites import AES_PSK
from osgp_tools.update import GROUP
from osgp_tools.update_device import EP10
from osgp_tools.update_packets import Image, Loudspeaker, give
from osgp_tools.update_status import State

REPOSITORY = Path(__file__).resolve().parents[2]
FIGURES = Path(__file__).with_name("board_figures.json")
BT06, BT23, BT28, BT64, ET04 = 6, 23, 28, 64, 2052
READS, WRITES = 12, 30
PHASE = 0.4  # a turn of the loop more or less: where in it the last octets come is chance
STEP = 0.137  # s between reads: so they come in all parts of the second in which a meter counts
PLACE_2 = replace(PLACE, mode=AES_PSK)
LIMIT = 84  # octets of one answer
SILENCE_MS = 2000  # of 14908 after a start
NOW = datetime.fromtimestamp(device_time.START, UTC)
SOURCE = Source.household((NOW - timedelta(days=1)).date(), 2, 3500)
ANSWER = 20  # octets: what is longer is no acknowledgement


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    budget: float | None  # of shared/design.md
    slack: float = 0.1  # by which it may grow before this fails


async def start_up(board: Board) -> list[Figure]:
    """From power-on to the first answer: asked for as soon as the device says that it is there."""
    client = board.client()
    spoke = asyncio.Event()
    client.service_pin = lambda *_: spoke.set()
    await spoke.wait()
    await client.request(Target(b"OSGP\0\0", unique_id=UID), b"\x51", READING)
    bursts = await board.pico.bursts(1)
    first = bursts[0]["start_ms"]
    answer = next(b["start_ms"] for b in reversed(bursts) if is_answer(b))
    board_bank = "memoryview(device.board.bank(0))"
    sha = f"__import__('hashlib').sha256({board_bank}[4096:{len(bank())}]).digest()"
    clock = "device.board.ticks_us()"
    verify = await board.number(f"(lambda a: ({sha}, {clock} - a)[1])({clock})")
    return [
        Figure("start to the first octet", first, "ms", None),
        Figure("start to the first answer", answer, "ms", SILENCE_MS + 1000),
        Figure("verification of the bank", verify / 1000, "ms", None),
    ]


def is_answer(burst: dict) -> bool:
    return burst["direction"] == "out" and burst["count"] > ANSWER


def turn_rounds(bursts: list[dict]) -> list[float]:
    """From the last octet of each request to the first of its answer, ms."""
    found = []
    asked = None
    for burst in bursts:
        if burst["direction"] == "in" and burst["count"] > ANSWER:
            asked = burst["end_ms"]
        elif is_answer(burst) and asked is not None:
            found.append(burst["start_ms"] - asked)
            asked = None
    return found


async def longest_slice(board: Board) -> float:
    """ms, of any part but the console, since `forget_slices`."""
    longest = "max([slot.longest for slot in device.scheduler.slots[:3]])"
    return await board.number(longest) / 1000


async def forget_slices(board: Board) -> None:
    await board.console("[setattr(slot, 'longest', 0) for slot in device.scheduler.slots]")


async def reading(board: Board, session) -> list[Figure]:
    """A steady life: reads of all kinds of tables, nothing erased."""
    await session.read(BT23, 0, LIMIT)
    await board.console("import gc; gc.collect()")
    heap = await board.number("gc.mem_alloc()")
    await asyncio.sleep(1)
    await forget_slices(board)
    await board.pico.stats(clear=True)
    figures = [Figure("heap in use", heap, "octets", 80 * 1024, 0.02)]
    for name, table in (("BT23", BT23), ("BT64", BT64)):
        await board.pico.bursts(1)
        for _ in range(READS):
            await session.read(table, 0, LIMIT)
            await asyncio.sleep(STEP)
        took = turn_rounds(await board.pico.bursts(1))
        figures.append(Figure(f"turn-round, 84 octets of {name}", median(took), "ms", 8, PHASE))
    for table in (BT28, ET04):
        await session.read(table, 0, LIMIT)
    stats = await board.pico.stats()
    wait = stats["uart1"]["longest_wait_ms"]
    collection = await board.number("device.scheduler.longest_collection_us")
    return [
        *figures,
        Figure("longest slice, reading", await longest_slice(board), "ms", 12),
        Figure("longest collection", collection / 1000, "ms", None, 0.2),
        Figure("longest wait of an octet, reading", wait, "ms", None, 0.5),
    ]


async def repeating(board: Board) -> list[Figure]:
    """A secured read and its answer of 84 octets, as a repeater with one hop to come."""
    path = [Hop(PLACE.subnet, PLACE.node), Hop(PLACE.subnet, PLACE.node + 1)]
    read = bytes.fromhex("00 3F 0017 000000 0054") + bytes(12)
    body = ltep.wrap(path, ltep.node(PLACE.subnet, PLACE.node + 2), read, ltep.schedule(2))[1]
    ask = Frame(source=(1, 127), destination=(path[0].subnet, path[0].node), domain=PLACE.domain)
    answer = Frame(
        kind=RESPONSE,
        source=(path[1].subnet, path[1].node),
        destination=(path[0].subnet, path[0].node),
        domain=PLACE.domain,
        body=bytes(2 + LIMIT + 8),
    )
    await board.pico.bursts(1)
    for k in range(READS):
        for frame in (ask.with_(body=body), answer):
            await board.transceiver.send(frame.with_(tid=k % 15 + 1).encode())
            await asyncio.sleep(1)
    took = turn_rounds(await board.pico.bursts(1))
    return [
        Figure("a repeater passes a read on", median(took[::2]), "ms", 8, PHASE),
        Figure("a repeater passes the answer back", median(took[1::2]), "ms", 8, PHASE),
    ]


async def set_clock(board: Board, session, moment: datetime) -> None:
    """Set the clock, and wait until the past is counted."""
    ltime = bytes((moment.year - 2000, *moment.timetuple()[1:6]))
    weekday = bytes((moment.isoweekday() % 7,))
    await session.procedure(BP10, bytes((SET_ALL,)) + ltime + weekday)
    while await board.number("int(device.application.behind)"):
        pass  # its console answers once a turn


async def filling_in(board: Board, session, clock) -> list[Figure]:
    """The clock is set, which is the end of an outage as well; then it is set half a day on, and
    that is counted and logged, one page in flash after the other."""
    await forget_slices(board)
    moment = datetime.fromtimestamp(clock.time(), UTC)
    await set_clock(board, session, moment)
    first = await longest_slice(board)
    await asyncio.sleep(2)
    await forget_slices(board)
    await board.pico.stats(clear=True)
    before = await board.pico.stats()
    await set_clock(board, session, moment + timedelta(hours=12))
    stats = await board.pico.stats()
    pages = stats["flash"]["programs"] - before["flash"]["programs"]
    longest = await board.number("device.scheduler.slots[1].longest") / 1000
    return [
        Figure("longest slice, the clock set at a start", first, "ms", None, 0.2),
        Figure("longest slice, filling in", longest, "ms", 12),
        Figure("pages to fill in half a day", pages, "pages", None),
        Figure("longest deafness", stats["longest_masked_ms"], "ms", 46),
    ]


async def writing(board: Board, session) -> list[Figure]:
    """A setting written and answered, by flash times scattered as the data sheet says."""
    took = []
    for k in range(WRITES):
        await board.pico.bursts(1)
        await session.write(BT06, bytes((k,)) * 75, 0)
        took += turn_rounds(await board.pico.bursts(1))
    return [
        Figure("setting written, median", median(took), "ms", 50, 0.3),
        Figure("setting written, 90th percentile", quantiles(took, n=10)[8], "ms", 150, 0.5),
    ]


async def measure_typical(clock, folder: Path) -> list[Figure]:
    flash = flash_file(folder / "typical", files={"/source": SOURCE.encode()})
    async with Board(flash, clock) as board:
        figures = await start_up(board)
        client = board.client()
        await forget_slices(board)
        await board.commission(client)
        longest = await longest_slice(board)
        figures.append(Figure("longest slice, becoming a member", longest, "ms", 12))
        session = board.session(client, Numbers())
        figures += await filling_in(board, session, clock)
        figures += await reading(board, session)
        return figures + await repeating(board)


async def measure_mode_2(clock, folder: Path) -> list[Figure]:
    """The AES suite: the device becomes a member in mode 2, and is read."""
    async with Board(flash_file(folder / "aes"), clock) as board:
        await board.up()
        client = board.client()
        await forget_slices(board)
        await board.commission(client, PLACE_2)
        longest = await longest_slice(board)
        session = board.session(client, Numbers(), PLACE_2)
        await session.read(BT23, 0, LIMIT)
        await board.console("import gc; gc.collect()")
        heap = await board.number("gc.mem_alloc()")
        await board.pico.bursts(1)
        for _ in range(READS):
            await session.read(BT23, 0, LIMIT)
        took = turn_rounds(await board.pico.bursts(1))
        return [
            Figure("longest slice, becoming a member, mode 2", longest, "ms", 12, 0.2),
            Figure("heap in use, mode 2, no past", heap, "octets", 80 * 1024, 0.02),
            Figure("turn-round, 84 octets of BT23, mode 2", median(took), "ms", 8, PHASE),
        ]


async def seconds_until(board: Board, condition: str) -> float:
    """Of the device; its console answers once a turn."""
    started = await board.pico.time()
    while await board.console(condition) != "True":
        pass
    return (await board.pico.time() - started) / 1000


async def own_slice(board: Board) -> float:
    """The longest of the part that downloads and verifies, ms."""
    own = "[slot.longest for slot in device.scheduler.slots if slot.part is device.download]"
    return await board.number(f"max({own})") / 1000


async def receiving(life: Life, image: Image) -> list[Figure]:
    """Packets by unicast and by broadcast, into a bank that is erased."""
    board = life.board
    session = life.session
    await give(session, image, 0)
    await board.console("import gc; gc.collect()")
    heap = await board.number("gc.mem_alloc()")
    await board.pico.bursts(1)
    for packet in range(1, 1 + WRITES):
        await give(session, image, packet)
        await asyncio.sleep(STEP)
    took = turn_rounds(await board.pico.bursts(1))
    await forget_slices(board)
    speaker = Loudspeaker(life.client, life.vault, GROUP)
    for packet in range(1 + WRITES, 1 + 2 * WRITES):
        await speaker.say(image, packet, life.vault.members(), ())
        await asyncio.sleep(STEP)
    speaker.close()
    await asyncio.sleep(1)  # the last one waits for a quiet moment
    there = await board.number("device.download.received")
    return [
        Figure("heap in use, a download, no past", heap, "octets", None, 0.02),
        Figure("turn-round, EP09", median(took), "ms", 50, PHASE),
        Figure("packets lost of those broadcast", 1 + 2 * WRITES - there, "packets", 0),
        Figure("longest slice, a packet broadcast", await longest_slice(board), "ms", 12, 0.2),
        Figure("longest slice, writing it", await own_slice(board), "ms", 12, 0.2),
    ]


async def verifying(life: Life, image: Image) -> list[Figure]:
    """A whole image, from the answer to EP10 on."""
    board = life.board
    await forget_slices(board)
    await life.session.initiate(EP10, bytes((1,)) + image.id)
    took = await seconds_until(board, f"device.download.state=={State.VERIFIED.value}")
    return [
        Figure("verification of an image", took * 1000, "ms", 1500),
        Figure("longest slice, verifying", await own_slice(board), "ms", 12),
    ]


async def measure_update(clock, folder: Path) -> list[Figure]:
    """A download of this tree's own version 2."""
    os.environ["XDG_STATE_HOME"] = str(folder)  # of the signing key
    images = Images.make(folder / "images", following=False)
    async with Board(images.flash(folder / "update"), clock) as board:
        life = Life(board, images, folder, Random(1))
        await life.begin()
        await life.until(images.two, "sending packets")
        figures = await receiving(life, images.two)
        await life.fill(images.two, 1)
        await life.until(images.two, "switching banks")
        figures += await verifying(life, images.two)
        life.close()
        return figures


async def measure_writes(clock, folder: Path) -> list[Figure]:
    async with Board(flash_file(folder / "scattered"), clock, flash_times="1") as board:
        await board.up()
        client = board.client()
        await board.commission(client)
        return await writing(board, board.session(client, Numbers()))


def measure() -> list[Figure]:
    figures = [
        Figure("VM image", VM.stat().st_size, "octets", flash_map.BANKS[0], 0.02),
        Figure("bank image", len(bank()), "octets", 192 * 1024, 0.1),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for part in (measure_typical, measure_mode_2, measure_writes, measure_update):
            figures += device_time.run(lambda clock, part=part: part(clock, Path(folder)))
    return figures


def judge(figure: Figure, committed: dict) -> str:
    if figure.budget is not None and figure.value > figure.budget:
        return f"known: {committed['known']}" if "known" in committed else "OVER BUDGET"
    if "value" in committed and figure.value > committed["value"] * (1 + figure.slack):
        return "HAS GROWN"
    return "ok"


def main() -> int:
    if REASON:
        print(f"SKIP {REASON}")
        return 0
    committed = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures = measure()
    if "--commit" in sys.argv:
        for figure in figures:
            committed.setdefault(figure.name, {})["value"] = round(figure.value, 2)
        FIGURES.write_text(json.dumps(committed, indent=2) + "\n")
    lines = [f"{'figure':36}{'measured':>12}{'committed':>12}{'budget':>10}  unit"]
    verdicts = []
    for figure in figures:
        known = committed.get(figure.name, {})
        verdicts.append(judge(figure, known))
        budget = "" if figure.budget is None else f"{figure.budget:.0f}"
        lines.append(
            f"{figure.name:36}{figure.value:12.2f}{known.get('value', ''):>12}{budget:>10}"
            f"  {figure.unit:8}{verdicts[-1]}"
        )
    table = "\n".join(lines)
    print(table)
    (REPOSITORY / "build").mkdir(exist_ok=True)
    (REPOSITORY / "build/bench-board.txt").write_text(table + "\n")
    return int(any(verdict.isupper() for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
