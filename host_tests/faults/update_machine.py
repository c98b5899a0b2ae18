"""A device from the power switch to the bank that runs, for the lives of an update.

What runs is the firmware's own: boot.py chooses, main.py runs `device.run` of the bank, that one
hands over to this firmware's `device.run`, on real littlefs, rings, selector and banks in one
simulated NOR flash. Time is virtual: waiting costs none.

A script is a generator, and is what goes on around the device: it is taken a step further at each
turn of the scheduler, and yields

    None          go on
    a word        the device is reset, and this is the cause: "power on", "watchdog", "reset"
    CONNECT       somebody connects by mpremote: KeyboardInterrupt, and a soft reset
"""

import builtins
import sys

import vfs
from device_life import FILE_SECTORS, RAW_SECTORS, Uart, source
from nor import PAGE, SECTOR, Blocks, Raw

import banks
import device as firmware
import scheduler
import ticks

BANK_SECTORS = 50
BANK_SIZE = BANK_SECTORS * SECTOR
BANKS = (RAW_SECTORS + FILE_SECTORS, RAW_SECTORS + FILE_SECTORS + BANK_SECTORS)  # first sectors
SECTORS = BANKS[1] + BANK_SECTORS
SELECTOR = (28, 29)  # sectors of the raw region
RAW_UNIT = 16
CONNECT = "connect"
ALIVE = 30  # feeds of the watchdog
MOST_STARTS = 40  # without a turn of the scheduler between them
_AGAIN = ("boot", "bank_choice", "banks", "main", "device")  # what each start imports anew


class Reset(BaseException):
    """The processor begins anew; the argument is the cause."""


class Over(BaseException):
    """The script has ended."""


class Watchdog:
    """The device lives: the script goes on."""

    def __init__(self, machine):
        self.started = False
        self._machine = machine

    def feed(self):
        self.started = True
        self._machine.fed()


class Leap:
    """What the scheduler polls: nothing comes in, and the time until then passes at once."""

    def __init__(self, machine):
        self._machine = machine

    def ipoll(self, ms):
        machine = self._machine
        machine.pass_time(max(ms, machine.leap))
        return ()


class Board:
    """What boards/unix/board.md says a board gives."""

    NAME = "life"
    INSECURE = True
    OPEN_NM = False
    RANDOM_SOURCE = "a count, another one at each start"
    BROADCAST_MAY = ("relays", "levels", "tariff", "download")
    console = None

    def __init__(self, machine, cause):
        nor = machine.nor
        self.reset_cause = cause
        self.now = 1000
        self.flash = Raw(nor, 0, RAW_UNIT, again=SELECTOR)
        self.plc = Uart()
        self.watchdog = Watchdog(machine)
        self.machine = machine
        self._count = len(nor.operations) & 0xFF

    def bank(self, k):
        first = BANKS[k] * SECTOR
        return memoryview(self.machine.nor.data)[first : first + BANK_SIZE]

    def bank_flash(self, k):
        return Raw(self.machine.nor, BANKS[k], RAW_UNIT, again=range(BANK_SECTORS))

    def update_key(self):
        return self.machine.update_key

    def settings(self):
        from settings import Settings

        return Settings("/flash/settings")

    def element(self):
        from meter.element import SimulatedElement

        return SimulatedElement(source)

    def ticks_ms(self):
        return self.now

    def ticks_us(self):
        return self.now * 1000 & 0x3FFFFFFF

    def random(self, n):
        self._count += 1
        return bytes([self._count + k & 0xFF for k in range(n)])

    def aes(self, key):
        from support import aes

        return aes(key)

    def installation_key(self, uid):
        return None

    def reset(self):
        raise Reset("reset")

    # What the images of update_images.py ask for

    def run_bank(self, version):
        self.machine.run_bank(version)

    def hang(self):
        assert self.watchdog.started, "nothing ends this"
        raise Reset("watchdog")


class Turned(firmware.Device):
    """A device whose waiting takes no time. Its machine knows it when it has started."""

    def __init__(self, board):
        super().__init__(board)
        self.scheduler._poll = Leap(board.machine)

    def start(self):
        super().start()
        self.board.machine.device = self


class Heap:
    """In place of `gc`: this heap holds whole flashes, and is collected when it is full."""

    def collect(self):
        pass

    def threshold(self, octets):
        pass


firmware.Device = Turned  # what `firmware.run` makes
firmware.gc = scheduler.gc = Heap()


class Machine:
    """One device. `device` is None until it turns; `starts` counts the times that a bank began
    to run, `versions` which ones."""

    def __init__(self, nor, update_key):
        self.nor = nor
        self.update_key = update_key
        self.leap = 0  # ms that pass at each turn at least
        self.device = self.board = None
        self.starts = 0
        self.versions = []
        self.safe = False  # the last start was one into safe mode
        self.alive = False  # a bank that brings its own firmware has turned for a while
        self.up = 0  # ms since the machine was made
        self.failure = None
        self._script = None
        self._unknown = 0  # feeds by somebody whom we do not know

    # ---- power

    def run(self, script, cause="power on"):
        """Power is there until the script is over. It is taken as one that has begun, so that it
        may be nobody's: `iter(())` starts the device, no more."""
        self._script = script
        without_turn = 0
        while True:
            turned = self.up
            word = self._start(cause)
            if word is None:
                break
            without_turn = without_turn + 1 if turned == self.up else 0
            assert without_turn < MOST_STARTS, "it resets, again and again"
            if word != CONNECT:  # a soft reset does not change what the chip says
                cause = word
        if self.failure:
            raise self.failure

    def choose(self, cause="power on"):
        """What boot.py does, and no more. Returns the bank that it chose, -1: safe mode."""
        path = list(sys.path)
        self._boot(cause)
        chosen = banks.active()
        self._leave(path)
        return chosen

    def value(self, name):
        """What a setting holds, read without a device."""
        blocks = Blocks(self.nor, RAW_SECTORS, FILE_SECTORS)
        vfs.mount(vfs.VfsLfs2(blocks, progsize=PAGE), "/flash")
        value = bytearray(1024)
        n = self.board.settings().load(name, value)
        vfs.umount("/flash")
        return bytes(value[: max(n, 0)])

    def _start(self, cause):
        """One start. Returns the cause of the next one, None: the script is over."""
        self.device = None
        self._unknown = 0
        path = list(sys.path)
        blocks = Blocks(self.nor, RAW_SECTORS, FILE_SECTORS)
        vfs.mount(vfs.VfsLfs2(blocks, progsize=PAGE), "/flash")
        try:
            self._boot(cause)
            self.safe = banks.active() < 0
            if self.safe:
                return None
            __import__("main")
            self.board.hang()  # in the REPL, at which nobody is
        except Reset as reset:
            return reset.args[0]
        except KeyboardInterrupt:
            return CONNECT
        except Over:
            return None
        finally:
            self.device = None
            self._leave(path)
            vfs.umount("/flash")

    def _boot(self, cause):
        self.board = Board(self, cause)
        sys.modules["board"] = self.board
        for name in _AGAIN:
            sys.modules.pop(name, None)
        __import__("boot")

    def _leave(self, path):
        if banks.active() >= 0:
            vfs.umount(sys.path[0])
        sys.path[:] = path

    # ---- what the board tells

    def run_bank(self, version):
        self.starts += 1
        self.versions.append(version)
        firmware.run(self.board)

    def pass_time(self, ms):
        self.board.now = ticks.add(self.board.now, ms)
        self.up += ms

    def fed(self):
        """A turn of the scheduler has ended, or a start has come so far."""
        if self.device is None:
            self._unknown += 1
            self.alive = self._unknown > ALIVE
            if self.alive:
                raise Over
            return
        try:
            word = next(self._script)
        except StopIteration:
            raise Over from None
        except Exception as error:
            self.failure = error
            raise Over from None
        if word == CONNECT:
            raise KeyboardInterrupt
        if word is not None:
            raise Reset(word)


def quiet():
    """Nobody reads what thousands of starts print."""
    builtins.print = lambda *arguments, **named: None
