"""The emulated Pico behaves like a board where the firmware's promises depend on it."""

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from osgp_tools.emulator import FOLDER, HOST, EmulatedPico, EmulatorError, missing

BUILD = Path(__file__).resolve().parents[2] / "build/rpi_pico"
IMAGE = Path(os.environ.get("OSGP_PICO_UF2", BUILD / "firmware.uf2"))
BOOTROM = Path(os.environ.get("OSGP_BOOTROM", BUILD / "bootrom.bin"))
REASON = missing() or next(
    (f"there is no {file} (make firmware)" for file in (IMAGE, BOOTROM) if not file.is_file()), ""
)

pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

CHARACTER_MS = 10 / 115.2
UART = "from machine import UART; u = UART(1, 115200, tx=4, rx=5, rxbuf=512); import time\n"
KEEP = "with open('kept', 'w') as f: f.write('before')"
FLASH = "import rp2; f = rp2.Flash(); last = f.ioctl(4, 0) - 1\n"


@asynccontextmanager
async def powered(flash: Path, **options):
    async with EmulatedPico(BOOTROM, flash, **options) as pico:
        await pico.start(IMAGE)
        yield pico


def run(test, flash: Path, **options) -> Any:
    """Run `test(pico)` on a board of its own."""

    async def body():
        async with powered(flash, **options) as pico:
            return await test(pico)

    return asyncio.run(body())


@pytest.fixture
def flash(tmp_path) -> Path:
    return tmp_path / "flash"


def waiting_for(condition: str) -> str:
    """Device code: at most two seconds."""
    return (
        "end = time.ticks_add(time.ticks_ms(), 2000)\n"
        f"while not ({condition}) and time.ticks_diff(end, time.ticks_ms()) > 0: pass\n"
    )


def test_the_quick_core_does_what_the_slow_one_does():
    done = subprocess.run(
        ["node", FOLDER / "same_core.mjs"],
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    assert "the same" in done.stdout


def test_a_loop_takes_the_time_that_it_takes(flash):
    code = """
import time
def loop():
    x = 0
    for i in range(40000): x = (x + i) & 0xffff
start = time.ticks_us()
loop()
print(time.ticks_diff(time.ticks_us(), start))
"""
    took = int(run(lambda pico: pico.mpremote("exec", code), flash))
    assert took == pytest.approx(245_200, rel=0.01)  # two emulators and two images agree on it


@pytest.mark.parametrize(
    ("times", "erase_ms", "page_ms"), [("typical", 45, 0.7), ("worst", 400, 3)]
)
def test_the_flash_takes_its_time(flash, times, erase_ms, page_ms):
    code = FLASH + (
        "import time; a = time.ticks_us(); f.ioctl(6, last); b = time.ticks_us()\n"
        "f.writeblocks(last, bytes(256), 0)\n"
        "print(time.ticks_diff(b, a), time.ticks_diff(time.ticks_us(), b))"
    )
    printed = run(lambda pico: pico.mpremote("exec", code), flash, flash_times=times)
    erase, page = (int(number) / 1000 for number in printed.split())
    assert erase_ms <= erase < erase_ms + 1
    assert page_ms <= page < page_ms + 1


def test_a_uart_is_deaf_during_an_erase(flash):
    async def test(pico):
        reader, wire = await asyncio.open_connection(HOST, pico.ports["uart1"])
        printing = asyncio.create_task(
            pico.mpremote(
                "exec",
                UART
                + FLASH
                + "u.write('r')\n"
                + waiting_for("u.any()")
                + "f.ioctl(6, last); time.sleep_ms(20); print(len(u.read()))",
            )
        )
        await reader.readexactly(1)
        wire.write(b"x" * 200)  # 17 ms
        heard = int(await printing)
        stats = await pico.stats()
        wire.close()
        return heard, stats

    heard, stats = run(test, flash, uart1="0")
    uart = stats["uart1"]
    assert uart["received"] == heard
    assert uart["lost"] == 200 - heard
    assert 32 <= heard < 40  # the FIFO, and what was taken before the erase began
    assert 45 < uart["longest_wait_ms"] < 46
    assert 45 < stats["longest_masked_ms"] < 46


def test_nothing_is_lost_when_nothing_comes_during_the_erase(flash):
    async def test(pico):
        reader, wire = await asyncio.open_connection(HOST, pico.ports["uart1"])
        printing = asyncio.create_task(
            pico.mpremote(
                "exec",
                UART
                + FLASH
                + "u.write('r')\n"
                + waiting_for("u.any() == 200")
                + "f.ioctl(6, last); print(u.any(), u.read() == b'x' * 200)",
            )
        )
        await reader.readexactly(1)
        wire.write(b"x" * 200)
        printed = await printing
        wire.close()
        return printed, await pico.stats()

    printed, stats = run(test, flash, uart1="0")
    assert printed.split() == ["200", "True"]
    assert stats["uart1"]["lost"] == 0
    assert stats["flash"]["erases"] >= 1


def test_a_uart_keeps_its_baud_rate_both_ways(flash):
    """An echo through a board that connects to us, timed by the bursts."""

    async def test():
        echoed = asyncio.Event()

        async def talk(reader, writer):
            assert await reader.readexactly(1) == b"r"
            writer.write(b"y" * 100)
            assert await reader.readexactly(100) == b"y" * 100
            echoed.set()
            writer.close()

        server = await asyncio.start_server(talk, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        async with powered(flash, uart1=f"connect:{port}") as pico:
            code = UART + "u.write('r')\n" + waiting_for("u.any() == 100")
            code += "u.write(u.read()); u.flush()"
            await pico.mpremote("exec", code)
            await asyncio.wait_for(echoed.wait(), 10)
            bursts = await pico.bursts(1)
            server.close()
            return bursts

    ready, asked, answered = asyncio.run(test())
    assert (ready["direction"], ready["count"]) == ("out", 1)
    assert (asked["direction"], asked["count"]) == ("in", 100)
    assert asked["end_ms"] - asked["start_ms"] == pytest.approx(100 * CHARACTER_MS, rel=0.01)
    assert (answered["direction"], answered["count"]) == ("out", 100)
    assert answered["end_ms"] - answered["start_ms"] == pytest.approx(100 * CHARACTER_MS, rel=0.01)
    assert 0 < answered["start_ms"] - asked["end_ms"] < 5


def test_the_watchdog_resets_a_device_that_hangs(flash):
    async def test(pico):
        await pico.mpremote("exec", KEEP)
        start = await pico.time()
        hang = "import machine; machine.WDT(timeout=700); machine.disable_irq()\nwhile True: pass"
        await pico.mpremote("exec", "--no-follow", hang)
        reset = await pico.event("reset", 30)
        asked = "import machine; print(machine.reset_cause(), open('kept').read())"
        return reset, start, await pico.mpremote("exec", asked), await pico.stats()

    reset, start, printed, stats = run(test, flash)
    assert reset["reason"] == "watchdog"
    assert reset["ms"] - start > 700
    assert printed.split() == ["3", "before"]
    assert stats["boots"] == 2
    assert stats["longest_masked_ms"] == pytest.approx(700, abs=5)


def test_a_reset_amid_a_write_leaves_the_old_file(flash):
    async def test(pico):
        await pico.mpremote("exec", "with open('name', 'wb') as f: f.write(b'old' * 1000)")
        amid = "f = open('name', 'wb'); f.write(b'new' * 3000); import machine; machine.reset()"
        await pico.mpremote("exec", "--no-follow", amid)
        reset = await pico.event("reset", 30)
        programs = (await pico.stats())["flash"]["programs"]
        asked = "import machine; print(machine.reset_cause(), open('name').read() == 'old' * 1000)"
        return reset["reason"], programs, await pico.mpremote("exec", asked)

    reason, programs, printed = run(test, flash)
    assert reason == "forced"
    assert programs > 9000 // 256  # part of the new file had reached the flash
    assert printed.split() == ["3", "True"]


def test_the_flash_outlives_a_power_cut(flash):
    async def test(pico):
        await pico.mpremote("exec", KEEP)
        await pico.kill()
        with pytest.raises(EmulatorError):
            await pico.time()
        await pico.start()
        asked = "import machine; print(machine.reset_cause(), open('kept').read())"
        return await pico.mpremote("exec", asked)

    assert run(test, flash).split() == ["1", "before"]


@pytest.mark.parametrize(("tear", "torn"), [(None, False), ("7", True)])
def test_what_is_under_way_is_torn_if_wanted(flash, tear, torn):
    """A page of zeros is being programmed into an erased sector when the power goes."""

    async def test(pico):
        await pico.mpremote("exec", FLASH + "f.ioctl(6, last)")
        await pico.cut_in_operation(1)
        program = pico.mpremote("exec", FLASH + "f.writeblocks(last, bytes(256), 0)")
        with pytest.raises(EmulatorError):
            await program
        await pico.until_cut()

    run(test, flash, tear=tear)
    *rest, page = (flash.read_bytes()[a : a + 256] for a in (-4096 + 256, -4096))
    assert rest == [b"\xff" * 256]
    assert (page != b"\xff" * 256) == torn
    assert page != bytes(256)


@pytest.mark.parametrize("operation", [1, 3, 5])
def test_a_torn_operation_leaves_a_file_system(flash, operation):
    """The power goes in the midst of an erase or program, which is left half done."""

    async def test(pico):
        await pico.mpremote("exec", "with open('name', 'wb') as f: f.write(b'old' * 400)")
        await pico.cut_in_operation(operation)
        write = "with open('name', 'wb') as f: f.write(b'new' * 400)"
        writing = asyncio.create_task(pico.mpremote("exec", write))
        await pico.until_cut()
        with pytest.raises(EmulatorError):  # nobody is there any more
            await writing
        await pico.start()
        asked = "c = open('name', 'rb').read(); print(c == b'old' * 400, c == b'new' * 400)"
        return await pico.mpremote("exec", asked)

    assert sorted(run(test, flash, tear="7").split()) == ["False", "True"]


RANDOM = "import os; print(os.urandom(16).hex(), os.urandom(16).hex())"


def test_random_octets_are_random(flash):
    async def test(pico):
        first = await pico.mpremote("exec", RANDOM)
        await pico.kill()
        await pico.start()
        return [*first.split(), *(await pico.mpremote("exec", RANDOM)).split()]

    drawn = run(test, flash)
    assert len(set(drawn)) == 4
    assert all(len(set(bytes.fromhex(octets))) > 8 for octets in drawn)


def test_a_register_that_reads_ones_gives_the_same_octet_for_ever(flash):
    printed = run(lambda pico: pico.mpremote("exec", RANDOM), flash, random="constant")
    assert len(set(bytes.fromhex("".join(printed.split())))) == 1


def test_a_random_bit_that_is_stuck_looks_random_but_repeats(flash):
    """MicroPython feeds the bit to an 8-bit shift register, which runs on without it."""
    code = "import os; print(os.urandom(512).hex())"
    printed = run(lambda pico: pico.mpremote("exec", code), flash, random="stuck")
    octets = bytes.fromhex(printed)
    assert len(set(octets[:32])) > 8
    assert any(octets[k:] == octets[:-k] for k in range(1, 256))


def test_mpremote_copies_and_lists(flash, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 4)
    back = tmp_path / "back"

    async def test(pico):
        await pico.mpremote("cp", str(source), ":copied")
        await pico.mpremote("cp", ":copied", str(back))
        return await pico.mpremote("ls")

    assert "1024 copied" in run(test, flash)
    assert back.read_bytes() == source.read_bytes()


def test_mpremote_has_a_time_limit(flash):
    async def test(pico):
        with pytest.raises(EmulatorError, match="not done in"):
            await pico.mpremote("exec", "while True: pass", patience=1)

    run(test, flash)


def test_it_ends_with_its_standard_input(flash):
    process = subprocess.Popen(
        ["node", FOLDER / "board.mjs", f"--bootrom={BOOTROM}", f"--image={IMAGE}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert b'"ready"' in process.stdout.readline()
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], b"--bootrom is missing"),
        (["--bootrom=/nowhere"], b"/nowhere"),
        ([f"--bootrom={BOOTROM}", "--uart1=pty"], b"neither a port"),
        ([f"--bootrom={BOOTROM}", f"--flash={BOOTROM}"], b"a flash file has 2097152"),
        ([f"--bootrom={BOOTROM}", "--speed=fast"], b"not a number"),
        (["--colour=red"], b"colour"),
    ],
)
def test_it_says_what_is_wrong(arguments, complaint):
    process = subprocess.run(
        ["node", FOLDER / "board.mjs", *arguments],
        check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=20,
    )  # fmt: skip
    assert process.returncode == 2
    assert complaint in process.stderr


def test_an_image_cut_short_is_refused(tmp_path):
    cut = tmp_path / "cut.uf2"
    cut.write_bytes(IMAGE.read_bytes()[: 512 * 20])

    async def test():
        async with EmulatedPico(BOOTROM, tmp_path / "flash") as pico:
            with pytest.raises(EmulatorError, match="gone"):
                await pico.start(cut)

    asyncio.run(test())
    assert (tmp_path / "flash").read_bytes() == b"\xff" * 0x200000
