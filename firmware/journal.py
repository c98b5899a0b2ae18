"""The journal: what ended the runs of this device. `osgp logs` shows it.

An entry is a number, a blank and text; the last four are the settings `journal0` to `journal3`.
"""

import gc
import io
import sys

from micropython import const

_ENTRIES = const(4)
_LONGEST = const(507)  # octets of a setting that littlefs keeps inline


def note(board, text: str):
    """Makes an entry; of a text too long, the end. Does not raise: if it cannot, it prints why."""
    gc.collect()  # what raised may be a lack of memory
    try:
        add(board.settings(), text)
    except Exception as error:
        print("journal: not kept:", repr(error))


def note_exception(board, error, up: int):
    """Prints an exception, and makes an entry of it. `up`: seconds since the start."""
    sys.print_exception(error)
    text = io.StringIO()
    sys.print_exception(error, text)  # pyright: ignore[reportArgumentType]
    note(board, "up %d s since %s\n%s" % (up, board.reset_cause, text.getvalue()))  # pyright: ignore[reportAttributeAccessIssue]


def add(settings, text: str):
    """Makes an entry in the place of the oldest. OSError: the file system is full, or failed."""
    buf = bytearray(_LONGEST)
    number = 0
    for k in range(_ENTRIES):
        n = settings.load("journal%d" % k, buf)
        if n > 0:
            number = max(number, 1 + int(bytes(buf[:n]).split(b" ", 1)[0]))
    head = b"%d " % number
    entry = head + text.encode()[len(head) - _LONGEST :]
    settings.replace("journal%d" % (number % _ENTRIES), entry, len(entry))
