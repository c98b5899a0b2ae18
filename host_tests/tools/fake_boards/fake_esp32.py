"""The esp32 port as far as boards/esp32 and esp32s3 use it (ports/esp32, MicroPython 1.25)."""
# ruff: noqa: A002, N801  the port's names

import fake_parts
import port_pins


def partitions(path):
    """Label -> (offset, size) of the data partitions of a table."""
    found = {}
    with open(path) as file:
        for line in file:
            cells = [cell.strip() for cell in line.split("#")[0].split(",")]
            if len(cells) > 4 and cells[1] == "data":
                found[cells[0]] = int(cells[3], 16), int(cells[4], 16)
    return found


flashes = {}  # label -> Flash
raw = files = rom = None
LINE = (1, 115200, 25, 26)
SERVICE = 27


def prepare(board, root):
    """Sets up for esp32 or esp32s3."""
    global raw, files, rom, LINE, SERVICE
    for label, (_, size) in partitions(root + "/boards/common/partitions.csv").items():
        flashes[label] = fake_parts.Flash(size)
    raw = flashes["raw"], 0
    files = flashes["vfs"], 0
    rom = fake_parts.rom(len(flashes["romfs"].octets))
    Pin.known = port_pins.ESP32
    Pin.taken = port_pins.ESP32_TAKEN
    if board == "esp32s3":
        Pin.known = port_pins.ESP32S3
        Pin.taken = port_pins.ESP32S3_TAKEN
        LINE = (1, 115200, 17, 18)
        SERVICE = 16


class Pin(fake_parts.Pin):
    taken = ()

    def __init__(self, name, *options):
        if name in self.taken:
            raise ValueError("pin %d is taken" % name)
        super().__init__(name, *options)


class UART(fake_parts.Uart):
    def __init__(self, number, baud, *, tx, rx, timeout, timeout_char, rxbuf, txbuf):
        if number not in (1, 2):
            raise ValueError("UART0 is the console")
        if txbuf < 129 or rxbuf < 129:  # UART_HW_FIFO_LEN is 128
            raise ValueError("buffers")
        self._open(number, baud, {"timeout": timeout, "timeout_char": timeout_char})
        self.pins = (tx.name, rx.name)


class machine:
    Pin = Pin
    UART = UART
    WDT = fake_parts.Watchdog
    PWRON_RESET = 1
    HARD_RESET = 2
    WDT_RESET = 3
    SOFT_RESET = 5
    cause = 1
    reset = fake_parts.reset

    @staticmethod
    def reset_cause():
        return machine.cause


class Partition(fake_parts.Device):
    TYPE_DATA = 1

    @staticmethod
    def find(type, label):
        if type != Partition.TYPE_DATA or label not in flashes:
            return []
        flash = flashes[label]
        return [Partition(flash, 0, len(flash.octets))]


class esp32:
    Partition = Partition


class WLAN:
    on = False
    works = True

    def __init__(self, interface):
        assert interface == network.STA_IF

    def active(self, on):
        if on and not WLAN.works:
            raise OSError("Wifi Internal Error")
        WLAN.on = on


class network:
    STA_IF = 0
    WLAN = WLAN


modules = {"machine": machine, "esp32": esp32, "network": network}


def rom_ioctl(command, segment):
    assert (command, segment) == (2, 0)
    return rom


def restart(cause):
    """What machine.reset_cause says at a start."""
    machine.cause = {"power on": 1, "reset": 2, "watchdog": 3}[cause]
