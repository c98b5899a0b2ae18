"""Run `device` from the bank that boot.py chose. Without a bank, or in service mode: the REPL.

A bank on trial spends a try when it raises, hangs or returns; not when somebody interrupts it.
"""

import sys

import micropython
from micropython import const

_CTRL_C = const(3)

if sys.path[0].startswith("/bank"):
    import board

    service = getattr(board, "service", "")  # why not to run; not every board has the mode
    if service:
        print("main: service mode,", service)
    else:
        board.watchdog.feed()  # the first feed starts it: a bank may hang while it is imported
        on_trial = False
        try:
            import banks

            on_trial = banks.open_run(board)
            del banks, sys.modules["banks"]  # the heap is the application's
            from device import run

            run(board)
        except KeyboardInterrupt:
            micropython.kbd_intr(-1)  # mpremote is not the only one to send two of them
            import banks

            banks.close_run(board)
            micropython.kbd_intr(_CTRL_C)
            raise
        except (Exception, SystemExit) as error:
            if not on_trial:
                raise
            sys.print_exception(error)
        if on_trial:
            board.reset()
