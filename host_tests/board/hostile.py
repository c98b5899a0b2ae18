"""Goes onto the board's file system (MicroPython) and does there what must not hurt: flash that is
busy at bad moments, a part that hangs, a file system without room, resets amid work.

    >>> import hostile; hostile.deaf(device)
"""

import time

import machine

SPARE = 0x40000  # in the raw region: no ring of the device is there


class Uart:
    """The board's UART, and a flash that is busy when it hurts most."""

    def __init__(self, uart, erase, pause_ms, coming, leaving):
        self.uart = uart
        self.erase = erase
        self.pause_ms = pause_ms
        self.coming = coming
        self.leaving = leaving
        self.last = time.ticks_ms()
        self.struck = 0

    def strike(self):
        if time.ticks_diff(time.ticks_ms(), self.last) >= self.pause_ms:
            self.erase(SPARE)
            self.last = time.ticks_ms()
            self.struck += 1

    def any(self):
        n = self.uart.any()
        if n and self.coming:  # the first octets are there, the others are on their way
            self.strike()
        return n

    def readinto(self, buf, n):
        return self.uart.readinto(buf, n)

    def write(self, buf, n):
        n = self.uart.write(buf, n)
        if n > 32 and self.leaving:  # more than the FIFO holds
            self.strike()
        return n


def deaf(device, pause_ms=1000, coming=True, leaving=False):
    """From now on an erase falls into what comes in, or goes out, at most one in pause_ms."""
    uart = Uart(device.board.plc, device.flash.erase, pause_ms, coming, leaving)
    device.node.link.uart = uart
    return uart


def hang(device):
    """The application never returns again."""

    def poll(now):
        while True:
            time.sleep_ms(100)  # not computing: an emulator does that slowly

    device.application.poll = poll


def fill():
    """Takes the last block. How many small files then could not become larger than inline."""
    for k in range(4):
        write("/small%d" % k, "wb", 1)
    while write("/large", "ab", 4096):
        pass
    return sum(not write("/small%d" % k, "wb", 600) for k in range(4))


def write(name, mode, n):
    """False: there is no room."""
    try:
        with open(name, mode) as file:
            file.write(bytes(n))
    except OSError:
        return False
    return True


def reset_in(ms):
    """machine.reset() between two flash operations, whatever the device does then."""
    machine.Timer(mode=machine.Timer.ONE_SHOT, period=ms, callback=lambda _: machine.reset())
