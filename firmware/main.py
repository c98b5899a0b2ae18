"""Take `device` from the bank that boot.py chose, run it, record what it raised. Without a bank:
the REPL."""

import sys

import board

if "/bank" in sys.path:
    from device import run

    run(board)
