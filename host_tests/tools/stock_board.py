"""A stand-in for a board with MicroPython as it comes.

The unix port's REPL on a pseudo terminal, with a littlefs in a file as its root; boot.py and
main.py are run from there. A reset ends the process, and it is started again. Its power can be
cut in the midst of a flash operation.
"""

import fcntl
import os
import pty
import select
import subprocess
import termios
import threading
import tty
from pathlib import Path

from littlefs import LittleFS

from osgp_tools.device import micropython

BLOCKS = 256
SECTOR = 4096
PAGE = 256
RESET = 75  # exit status
PROMPT = b">>> "  # of the REPL, or of the device that main.py runs
UNIQUE_ID = bytes.fromhex("e66058388372e123")

# What is C code on a chip: flash, a file system (formatted if blank), `machine`, the start.
VM = """
import os, sys, vfs
class Flash:
    def __init__(self):
        self.file = open("{flash}", "r+b")
        self.operations = 0
    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * {sector} + offset)
        self.file.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        self.operations += 1
        self.file.seek(block * {sector} + offset)
        if self.operations == {cut}:
            self.file.write(buf[: len(buf) // 2])
            os.system("kill -9 $PPID")
        self.file.write(buf)
    def ioctl(self, operation, block):
        if operation == 4:
            return {blocks}
        if operation == 5:
            return {sector}
        if operation == 6:
            self.writeblocks(block, b"\\xff" * {sector})
        return 0
class Machine:
    def unique_id(self):
        return {unique_id}
    def reset(self):
        sys.exit({reset})
def start():
    flash = sys.modules["flash"] = Flash()
    first = bytearray({sector})
    flash.readblocks(0, first)
    if first == b"\\xff" * {sector}:
        vfs.VfsLfs2.mkfs(flash, progsize={page})
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash, progsize={page}), "/")
    flash.operations = 0
    sys.modules["machine"] = Machine()
    sys.path[:] = ["", ".frozen", "/lib"]
    run("boot.py")
    run("main.py")
def run(name):
    if name in os.listdir("/"):
        try:
            execfile("/" + name, {{"__name__": "__main__"}})
        except KeyboardInterrupt:
            pass
        except Exception as error:
            sys.print_exception(error)
start()
"""


class StockBoard:
    """`with StockBoard(folder) as board:` mpremote connects to `board.where`.

    As with USB, the port is another one after each start: who had it open finds it dead.
    """

    def __init__(self, folder: Path):
        self.flash = folder / "flash"
        if not self.flash.exists():
            self.flash.write_bytes(b"\xff" * BLOCKS * SECTOR)
        self.where = str(folder / "port")
        self.starts = 0
        self._vm = folder / "vm.py"
        self._process: subprocess.Popen | None = None
        self._keeper: threading.Thread | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, cut: int = 0) -> None:
        """Power on. cut: in which flash operation after the start the power goes; 0: none."""
        text = VM.format(
            flash=self.flash, sector=SECTOR, page=PAGE, blocks=BLOCKS, reset=RESET,
            unique_id=UNIQUE_ID, cut=cut or -1,
        )  # fmt: skip
        self._vm.write_text(text)
        self._spawn()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def stop(self) -> None:
        """Power off."""
        assert self._process
        self._process.kill()
        self.off()

    def off(self) -> None:
        """Wait until the power has gone."""
        assert self._keeper
        self._keeper.join()

    def files(self) -> dict[str, bytes]:
        """What is in the file system, by path."""
        system = LittleFS(block_size=SECTOR, block_count=BLOCKS, prog_size=PAGE, mount=False)
        system.context.buffer[:] = self.flash.read_bytes()
        system.mount()
        found = {}
        for folder, _, names in system.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with system.open(path, "rb") as file:
                    found[path] = file.read()
        return found

    def _spawn(self) -> None:
        """A process on a terminal of its own, and another terminal for who wants to talk to it."""
        self._console, console = pty.openpty()
        self._usb, self._port = pty.openpty()
        for terminal in (console, self._port):
            tty.setraw(terminal)
        attributes = termios.tcgetattr(console)
        attributes[3] |= termios.ISIG  # Ctrl-C interrupts what runs
        termios.tcsetattr(console, termios.TCSANOW, attributes)
        self._process = subprocess.Popen(
            [micropython(), "-X", "heapsize=1m", "-i", str(self._vm)],
            stdin=console, stdout=console, stderr=console, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  one ioctl
        )  # fmt: skip
        os.close(console)
        heard = b""
        while PROMPT not in heard:  # before that, Ctrl-C would end the process
            try:
                heard += os.read(self._console, 4096)
            except OSError:
                raise RuntimeError(f"the board does not start: {heard!r}") from None
        self.starts += 1
        Path(self.where).unlink(missing_ok=True)
        Path(self.where).symlink_to(os.ttyname(self._port))

    def _keep(self) -> None:
        """Carry octets, and start the process again when it resets."""
        while True:
            self._carry()
            assert self._process
            status = self._process.wait()
            for descriptor in (self._console, self._usb, self._port):
                os.close(descriptor)
            if status != RESET:
                Path(self.where).unlink()
                return
            self._spawn()

    def _carry(self) -> None:
        to = {self._console: self._usb, self._usb: self._console}
        while True:
            for ready in select.select(list(to), [], [])[0]:
                try:
                    os.write(to[ready], os.read(ready, 4096))
                except OSError:  # the process has ended
                    return
