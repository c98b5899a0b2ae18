"""Run `device` from the bank that boot.py chose. Without a bank, or in service mode: the REPL."""

import sys

if sys.path[0].startswith("/bank"):
    import board

    service = getattr(board, "service", "")  # why not to run; not every board has the mode
    if service:
        print("main: service mode,", service)
    else:
        from device import run

        run(board)
