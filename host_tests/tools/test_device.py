"""The desk device as a process: it restarts, keeps its flash, ends in time, offers its UART."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
import tty
from pathlib import Path

import pytest
import stub_firmware

from osgp_tools import flash, image
from osgp_tools.device import Device, DeviceError
from osgp_tools.device_serving import serve
from test_on_micropython import RUNS, interpreter

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> bytes:
    return image.build_bank(firmware=stub_firmware.write(tmp_path_factory.mktemp("fw") / "a"))


@pytest.fixture
def flash_file(tmp_path, bank) -> Path:
    path = tmp_path / "flash.bin"
    flash.create(path, {0: bank})
    return path


async def ask(uart, question: bytes) -> bytes:
    """What comes back for an octet or more: as much as was sent, or, of "C" and "F", all."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(uart, question)
    return await asyncio.wait_for(loop.sock_recv(uart, 100), 10)


async def reset(device: Device) -> None:
    before = device.resets
    await asyncio.get_running_loop().sock_sendall(device.uart, b"R")
    while device.resets == before:  # noqa: ASYNC110  a device has no event for its users
        await asyncio.sleep(0.01)


def running(scenario, flash_file, **options):
    """Runs scenario(device) on a device that was started."""

    async def main():
        async with Device(flash_file, **options) as device:
            await scenario(device)

    asyncio.run(main())


# ------------------------------------------------------------------------------------ the process


@pytest.mark.parametrize("run", ["64-bit", "32-bit"])
def test_a_device_lives_resets_and_keeps_its_flash(flash_file, run, monkeypatch):
    micropython = interpreter(RUNS[run][0])
    if micropython is None:
        pytest.skip(f"no {run} MicroPython")
    monkeypatch.setenv("MICROPYTHON", micropython)

    async def scenario(device):
        assert await ask(device.uart, b"hello") == b"hello"
        assert await ask(device.uart, b"C") == b"power on"
        assert await ask(device.uart, b"F") == b"\xff" * 16
        await reset(device)
        assert await ask(device.uart, b"C") == b"reset"
        assert await ask(device.uart, b"F") == b"written by stub."
        await device.cut_power()
        await device.start()
        assert await ask(device.uart, b"C") == b"power on"
        assert await ask(device.uart, b"F") == b"written by stub."

    running(scenario, flash_file, heap="128k" if run == "32-bit" else "1m")


def test_what_it_prints_goes_to_the_log(flash_file, tmp_path):
    log = tmp_path / "device.log"

    async def raising(device):
        assert await ask(device.uart, b"x") == b"x"
        device.uart.send(b"E")
        assert await device.wait() == 1

    running(raising, flash_file, log=log)
    lines = log.read_text().splitlines()
    assert lines[0] == "running"
    assert lines[-1] == "ValueError: the stub was told to"


def test_sigint_ends_it_quietly(flash_file, tmp_path):
    log = tmp_path / "device.log"

    async def scenario(device):
        await ask(device.uart, b"x")
        os.kill(device.pid, signal.SIGINT)
        assert await device.wait() == 130

    running(scenario, flash_file, log=log)
    assert log.read_text() == "running\n"


def test_one_that_hangs_is_started_again(flash_file, monkeypatch):
    monkeypatch.setattr("osgp_tools.device_watchdog.TIMEOUT", 2.5)

    async def scenario(device):
        assert await ask(device.uart, b"C") == b"power on"
        await asyncio.sleep(3)  # it lives, and says so
        assert device.resets == 0
        device.uart.send(b"H")
        while device.resets == 0:  # noqa: ASYNC110  a device has no event for its users
            await asyncio.sleep(0.01)
        assert await ask(device.uart, b"C") == b"watchdog"

    running(scenario, flash_file)


def test_it_ends_when_its_uart_closes(flash_file):
    async def scenario(device):
        await ask(device.uart, b"x")
        device.uart.shutdown(socket.SHUT_RDWR)
        assert await device.wait() == 0

    running(scenario, flash_file)


def alive(pid: int) -> bool:
    """Whether a process runs: one that nobody waits for stays as a zombie, Z."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


PARENT = """
import asyncio, sys
from pathlib import Path
from osgp_tools.device import Device

async def main():
    device = Device(Path(sys.argv[1]))
    await device.start()
    print(device.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_it_does_not_outlive_its_parent(flash_file):
    path = os.pathsep.join(str(REPOSITORY / name) for name in ("tools", "tools/shims", "firmware"))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(flash_file)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(pid)


def test_a_flash_file_has_one_device(flash_file):
    async def scenario(device):
        with pytest.raises(DeviceError, match="running device"):
            async with Device(flash_file):
                pass

    running(scenario, flash_file)


def test_no_flash_file(tmp_path):
    with pytest.raises(DeviceError, match="no flash file"):
        running(None, tmp_path / "none.bin")


def test_no_micropython(flash_file, monkeypatch):
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    for _ in range(2):  # the flash file is let go of
        with pytest.raises(DeviceError, match="cannot run /nowhere/micropython"):
            running(None, flash_file)


def test_a_device_that_only_resets_is_given_up(tmp_path, monkeypatch):
    folder = stub_firmware.write(tmp_path / "fw")
    (folder / "device.py").write_text("def run(board):\n    board.reset()\n")
    flash.create(tmp_path / "flash.bin", {0: image.build_bank(firmware=folder)})
    monkeypatch.setattr("osgp_tools.device._RESTARTS", 3)

    async def scenario(device):
        with pytest.raises(DeviceError, match="again and again"):
            await asyncio.wait_for(device.wait(), 10)

    running(scenario, tmp_path / "flash.bin")


def test_without_a_bank_it_ends_in_safe_mode(tmp_path):
    flash.create(tmp_path / "flash.bin", {})
    log = tmp_path / "log"

    async def scenario(device):
        assert await device.wait() == 3

    running(scenario, tmp_path / "flash.bin", log=log)
    assert log.read_text() == "boot: no code bank to run, safe mode\n"


def test_a_damaged_file_system_is_not_formatted(flash_file, tmp_path):
    content = bytearray(flash_file.read_bytes())
    content[flash.FILES + 5 * flash.SECTOR] = 0
    flash_file.write_bytes(content)
    log = tmp_path / "log"

    async def scenario(device):
        assert await device.wait() == 4

    running(scenario, flash_file, log=log)
    assert log.read_text().startswith("vm: the file system is damaged and stays as it is")
    assert flash_file.read_bytes() == content


# --------------------------------------------------------------------------------- its flash file


def test_files_of_a_flash_file(flash_file, tmp_path):
    assert flash.files(flash_file) == {}
    folder = stub_firmware.write(tmp_path / "fw")
    (folder / "device.py").write_text(
        "def run(board):\n"
        "    settings = board.settings()\n"
        "    settings.replace('BT51', b'abc', 3)\n"
    )
    (folder / "osgp").mkdir()
    for name in ("settings.py", "osgp/__init__.py", "osgp/kernels.py"):
        (folder / name).write_text((image.FIRMWARE / name).read_text())
    flash.create(flash_file, {1: image.build_bank(firmware=folder)})

    async def scenario(device):
        await device.wait()

    running(scenario, flash_file)
    found = flash.files(flash_file)
    assert list(found) == ["/settings/BT51"]
    assert found["/settings/BT51"][:4] == b"\x01abc"


def test_a_bank_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="do not fit"):
        flash.create(tmp_path / "flash.bin", {1: bytes(flash.BANK_SIZE + 1)})


# ---------------------------------------------------------------------------------- its UART, open


def serving(plc: str, flash_file: Path, scenario):
    async def main():
        device = asyncio.create_task(serve(plc, flash_file))
        try:
            await asyncio.wait_for(asyncio.to_thread(scenario, device), 20)
        finally:
            device.cancel()
            results = await asyncio.gather(device, return_exceptions=True)
        return results[0]

    return asyncio.run(main())


def echoed(user: int, octets: bytes) -> bool:
    """Whether a device at the other end of a descriptor gives back what it is sent."""
    os.write(user, octets)
    answer = b""
    while len(answer) < len(octets) and select.select([user], [], [], 10)[0]:
        answer += os.read(user, 100)
    return answer == octets


def opened(path: Path) -> int:
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


def test_a_new_terminal_whose_users_come_and_go(flash_file, tmp_path):
    path = tmp_path / "plc"

    def scenario(_):
        for octets in (b"one", b"\x00\x0a\x0d\x11\x7e\xff\x03", b"three"):
            terminal = opened(path)
            assert echoed(terminal, octets)
            os.close(terminal)

    assert isinstance(serving(f"pty:{path}", flash_file, scenario), asyncio.CancelledError)
    assert not os.path.lexists(path)


def test_a_port_whose_users_come_and_go(flash_file):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def connect():
        end = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=10)
            except ConnectionRefusedError:
                assert time.monotonic() < end
                time.sleep(0.02)

    def scenario(_):
        for octets in (b"one", b"\x00\xff\x7e", b"three"):
            with connect() as user:
                assert echoed(user.fileno(), octets)

    assert isinstance(serving(f"tcp:{port}", flash_file, scenario), asyncio.CancelledError)


def test_on_a_terminal_that_exists_and_goes(flash_file, tmp_path):
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = tmp_path / "adapter"
    path.symlink_to(os.ttyname(theirs))

    def scenario(device):
        while not select.select([ours], [], [], 0.1)[0]:  # what came before it was opened is lost
            os.write(ours, b"?")
        os.read(ours, 100)
        os.close(theirs)
        os.close(ours)
        while not device.done():
            time.sleep(0.02)

    result = serving(f"pty:{path}", flash_file, scenario)
    assert isinstance(result, DeviceError)
    assert "is gone" in str(result)


@pytest.mark.parametrize(
    "plc", ["tcp:", "tcp:x", "tcp:99999", "pty:", "usb:1", "pty:/nowhere/plc"]
)
def test_no_such_place(flash_file, plc):
    with pytest.raises(DeviceError, match=plc):
        asyncio.run(asyncio.wait_for(serve(plc, flash_file), 10))


def test_a_device_that_ends_by_itself_is_told(flash_file, tmp_path):
    path = tmp_path / "plc"

    def scenario(device):
        terminal = opened(path)
        os.write(terminal, b"E")
        while not device.done():
            time.sleep(0.02)
        os.close(terminal)

    result = serving(f"pty:{path}", flash_file, scenario)
    assert "status 1" in str(result)


def test_a_flash_file_is_made(tmp_path):
    flash_file = tmp_path / "new.bin"
    path = tmp_path / "plc"
    serving(f"pty:{path}", flash_file, lambda _: os.close(opened(path)))
    assert image.Header.decode(flash_file.read_bytes()[flash.BANKS[0] :]).version == 1
