"""Plays the life of one board on a fake port: micropython run_board.py ROOT BOARD plain|viper.

Starts it as the port would (_boot.py, then what boot.py asks of board.py), again and again, and
checks what it does. Prints what it checked; an exception is a failure.
"""

import os
import sys

import vfs

root, board, kind = sys.argv[1:4]
HOST = "/host" + root
FAKES = {"rpi_pico2": "fake_rp2", "esp32": "fake_esp32", "esp32s3": "fake_esp32"}

# The host's files move aside: / is the board's.
vfs.umount("/")
vfs.mount(vfs.VfsPosix("/"), "/host")
sys.path[:] = [HOST + "/host_tests/tools/fake_boards", HOST + "/firmware"]
if kind == "plain":
    import osgp.kernels

    sys.modules["kernels"] = osgp.kernels
sys.path[1:1] = [HOST + "/boards/" + board, HOST + "/boards"]
import fake_parts  # noqa: E402

port = __import__(FAKES.get(board, "fake_stm32"))
if hasattr(port, "prepare"):
    port.prepare(board, HOST)
OURS = ("board", "_boot", "common")


class Vfs:
    """The module `vfs` of the port."""

    VfsLfs2 = vfs.VfsLfs2
    mounted = []

    @staticmethod
    def mount(files, path):
        assert path == "/"
        vfs.mount(files, path)
        Vfs.mounted.append(files)

    @staticmethod
    def rom_ioctl(command, segment):
        return port.rom_ioctl(command, segment)


class Urandom:
    """The module `os` with a source that can stand still."""

    stuck = False

    def __init__(self):
        self.draws = []

    def __getattr__(self, name):
        return getattr(os, name)

    def urandom(self, n):
        self.draws.append((n, getattr(port, "WLAN", None) and port.WLAN.on))
        return b"*" * n if self.stuck else os.urandom(n)


urandom = Urandom()


def start(cause):
    """One start of the board. Returns its module."""
    for name in list(sys.modules):
        if name.split(".")[0] in OURS:
            del sys.modules[name]
    for _ in Vfs.mounted:
        vfs.umount("/")
    Vfs.mounted.clear()
    fake_parts.Uart.made.clear()
    fake_parts.Watchdog.started.clear()
    urandom.draws.clear()
    sys.modules["vfs"] = Vfs
    sys.modules["os"] = urandom
    for name, module in port.modules.items():
        sys.modules[name] = module
    port.restart(cause)
    import _boot  # noqa: F401

    import board

    return board


def restarts(function):
    try:
        function()
    except fake_parts.Reset:
        return
    raise AssertionError("no reset")


def a_blank_board_gets_a_file_system():
    here = start("power on")
    assert len(Vfs.mounted) == 1
    assert not here.service, here.service
    assert here.reset_cause == "power on"
    assert here.installation_key(bytes(6)) is None


def what_is_written_is_there_after_a_reset():
    with open("/installation.key", "wb") as file:
        file.write(bytes(range(16)))
    here = start("reset")
    assert here.installation_key(bytes(6)) == bytes(range(16))
    assert here.reset_cause == "reset"
    assert start("watchdog").reset_cause == "watchdog"
    with open("/installation.key", "wb") as file:
        file.write(b"too short")
    assert start("reset").installation_key(bytes(6)) is None
    os.remove("/installation.key")


def the_update_key_is_a_file():
    here = start("reset")
    assert here.update_key() is None
    for key in (bytes(59), bytes(61), bytes(60)):
        with open("/update.pub", "wb") as file:
            file.write(key)
        assert here.update_key() == (key if len(key) == 60 else None)
    os.remove("/update.pub")


def the_raw_region_is_where_the_map_says():
    here = start("reset")
    flash, at = port.raw
    here.flash.erase(4096)
    assert flash.erased[-1] == at + 4096
    record = bytes(range(1, 49))
    here.flash.program(4096 + 240, record)  # over the end of a page
    here.flash.program(4096 + 288, record[:16])  # the rest of a page that was begun
    back = bytearray(64)
    here.flash.read(4096 + 240, back)
    assert back == record + record[:16]
    assert flash.octets[at + 4096 + 240 : at + 4096 + 288] == record
    assert flash.octets[at + 4096 + 304] == 0xFF
    here.flash.erase(4096)
    here.flash.read(4096 + 240, back)
    assert back == b"\xff" * 64
    here.flash.erase(0x4C000 - 4096)
    assert start("reset").service == ""  # the file system has not been touched


def a_log_of_the_device_runs_on_it():
    import kernels

    from tables.store import Ring

    here = start("reset")
    ring = Ring(here.flash, 0x4A000, 2, 20, kernels)
    for k in range(200):
        ring.append(bytes((k,)) * 20)
        ring.tend()
    ring = Ring(here.flash, 0x4A000, 2, 20, kernels)
    assert ring.last == 199
    back = bytearray(20)
    assert ring.read(199, back)
    assert back == b"\xc7" * 20


def banks_lie_in_the_port_s_rom():
    here = start("reset")
    assert len(here.bank(0)) == len(here.bank(1)) == 0x32000
    rom = port.rom_ioctl(2, 0)
    rom[0] = 0x11
    rom[0x32000] = 0x22
    assert here.bank(0)[0] == 0x11
    assert here.bank(1)[0] == 0x22


def banks_are_written_where_they_lie():
    here = start("reset")
    for k in (0, 1):
        flash = here.bank_flash(k)
        if flash is None:
            assert board == "pybd_sf6"
            return
        flash.erase(0x31000)
        record = bytes(range(1, 49))
        flash.program(0x31000 + 240, record)
        flash.program(0x31000 + 240, record)  # what is there, once more
        flash.program(0x31000 + 288, record[:16])  # the rest of a page that was begun
        back = bytearray(64)
        flash.read(0x31000 + 240, back)
        assert back == record + record[:16]
        assert here.bank(k)[0x31000 + 240 : 0x31000 + 304] == back
        flash.erase(0x31000)
        assert here.bank(k)[0x31000:0x32000] == b"\xff" * 4096
    assert here.bank(0)[0] == 0x11


def the_line_is_a_uart_on_its_pins():
    here = start("reset")
    number, baud, tx, rx = port.LINE
    assert len(fake_parts.Uart.made) == 1
    assert fake_parts.Uart.made[0][:2] == (number, baud)
    uart = getattr(here.plc, "_uart", here.plc)
    assert uart.pins == (tx, rx)
    assert here.plc.write(b"12345", 3) == 3
    assert uart.sent == b"123"
    if uart is not here.plc:
        wrapped_line(here.plc, uart)


def wrapped_line(plc, uart):
    import select

    poll = select.poll()
    poll.register(plc, select.POLLIN)
    buf = bytearray(4)
    assert plc.readinto(buf) is None
    assert not list(poll.ipoll(0))
    uart.incoming = b"abcdef"
    assert [event[0] for event in poll.ipoll(0)] == [plc]
    assert plc.readinto(buf) == 4
    assert buf == b"abcd"
    assert plc.readinto(buf) == 2
    assert plc.readinto(buf) is None


def service_mode_is_asked_for_and_left():
    here = start("power on")
    restarts(here.reset_to_service)
    here = start("reset")
    assert "asked for" in here.service
    here.watchdog.feed()
    assert not fake_parts.Watchdog.started
    assert "asked for" in start("reset").service  # until it is told otherwise
    restarts(start("reset").reset)
    here = start("reset")
    assert here.service == ""
    here.watchdog.feed()
    here.watchdog.feed()
    assert [timer.fed for timer in fake_parts.Watchdog.started] == [2]
    restarts(here.reset_to_service)
    assert start("power on").service == ""
    port.Pin.low = (port.SERVICE,)
    assert "jumper" in start("reset").service
    port.Pin.low = ()


def random_is_not_the_same_twice_unless_its_source_is():
    here = start("power on")
    drawn = {bytes(here.random(8)) for _ in range(20)}
    assert len(drawn) == 20
    assert all(len(here.random(n)) == n for n in (1, 8, 16, 32))
    seeded = hasattr(port, "WLAN")
    if seeded:
        assert [on for _, on in urandom.draws[:2]] == [True, True]
        assert not port.WLAN.on  # afterwards
    Urandom.stuck = True
    here = start("power on")
    assert here.random(8) == here.random(8)
    Urandom.stuck = False
    if seeded:
        port.WLAN.works = False
        here = start("power on")
        assert here.random(8) == here.random(8)
        port.WLAN.works = True


def aes_is_the_one_of_fips_197():
    encrypt = start("reset").aes(bytes(range(16)))
    assert encrypt(bytes(17 * k for k in range(16))).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


def time_stays_a_small_number():
    here = start("reset")
    for now in (here.ticks_ms(), here.ticks_us()):
        assert 0 <= now < 1 << 30 or sys.maxsize >> 31


def a_damaged_file_system_stays_as_it_is():
    flash, at = port.files
    for k in range(0, 8192, 16):
        flash.octets[at + k] = 0x5A
    before = bytes(flash.octets[at : at + 65536])
    here = start("power on")
    assert not Vfs.mounted
    assert bytes(flash.octets[at : at + 65536]) == before
    assert here.service == "there is no file system"


for check in (
    a_blank_board_gets_a_file_system,
    what_is_written_is_there_after_a_reset,
    the_raw_region_is_where_the_map_says,
    a_log_of_the_device_runs_on_it,
    the_update_key_is_a_file,
    banks_lie_in_the_port_s_rom,
    banks_are_written_where_they_lie,
    the_line_is_a_uart_on_its_pins,
    service_mode_is_asked_for_and_left,
    random_is_not_the_same_twice_unless_its_source_is,
    aes_is_the_one_of_fips_197,
    time_stays_a_small_number,
    a_damaged_file_system_stays_as_it_is,
):
    check()
    print(check.__name__)
