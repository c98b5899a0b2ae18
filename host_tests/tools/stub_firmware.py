"""A firmware of a few lines for tests of what is around one: banks, boot.py, the desk board."""

from pathlib import Path

# Answers what it gets. "R" writes to raw flash and resets, "F" answers with what is there, "C"
# with the cause of the last reset; "E" raises, "H" hangs.
DEVICE = """
import select
from application.state import STATE

def run(board):
    poll = select.poll()
    poll.register(board.plc, select.POLLIN)
    buf = bytearray(16)
    print(STATE)
    while True:
        board.watchdog.feed()
        for event in poll.ipoll(1000):
            n = event[0].readinto(buf)
            if buf[0] == 0x52:
                board.flash.erase(0x1000)
                board.flash.program(0x1010, b"written by stub.")
                board.reset()
            if buf[0] == 0x45:
                raise ValueError("the stub was told to")
            while buf[0] == 0x48:
                pass
            if buf[0] == 0x46:
                board.flash.read(0x1010, buf)
                n = 16
            if buf[0] == 0x43:
                n = len(board.reset_cause)
                buf[:n] = board.reset_cause.encode()
            board.plc.write(buf, n)
"""


def write(folder: Path, state: str = "running") -> Path:
    """Writes the stub into a folder that is to be made, and returns the folder."""
    (folder / "application").mkdir(parents=True)
    (folder / "device.py").write_text(DEVICE)
    (folder / "application" / "__init__.py").write_text("")
    (folder / "application" / "state.py").write_text(f"STATE = {state!r}\n")
    return folder
