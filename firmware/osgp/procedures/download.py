"""Rare: procedures of a download: EP08, EP09, EP10 (`profile.md` 23 to 25).

    EP08 {image length 4}   EP09 {packet 2, data 56}   EP10 {bank 1, image id 8}

What takes its time goes on in `osgp/download.py`, slice by slice.
"""

from micropython import const

import rare
from osgp.procedures.results import ACCEPTED, BAD_PARAMETER, CONFLICT, DONE, TIMING
from tables.compiled import MIGRATIONS

_ERASE = const(2048 + 8)
_PACKET = const(2048 + 9)

_SECTOR = const(4096)
_SHORTEST = const(4097)  # octets of an image
_LONGEST = const(192192)


def run(number, parameters, response, device, now):
    """See above."""
    if number == _PACKET:
        return device.download.packet(parameters, 0) if device.download else CONFLICT, 0
    banks = rare.load("banks")
    active = banks.active()
    bank_flash = getattr(device.board, "bank_flash", None)
    if active < 0 or not bank_flash or bank_flash(1 - active) is None:
        return CONFLICT, 0
    if number == _ERASE:
        return erase(parameters, device, 1 - active, now), 0
    return switch(parameters, device, banks, now), 0


def erase(parameters, device, bank, now):
    """EP08. During a trial the other bank is the only way back."""
    work = rare.load("osgp.download")
    if device.trial or is_verified(device, work) or not device.board.update_key():
        return CONFLICT
    length = int.from_bytes(parameters, "little")
    if not _SHORTEST <= length <= _LONGEST:
        return BAD_PARAMETER
    download = device.download = device.download or work.Download(device, bank)
    device.last_error = 0
    download.length = length
    download.packets = work.packets(length)
    download.received = download.crc = 0
    download.begin(work.ERASING, erasing(download, work.LAST_SECTOR, work.head(length)), now)
    return ACCEPTED


def erasing(download, last, head):
    """The work of EP08: a sector a slice. First what tells of a download before, then the bank's
    header: neither half a download nor half a bank is ever taken for a whole one."""
    forget_image(download)
    yield True
    download.flash.erase(last)
    for at in range(0, download.length, _SECTOR):
        yield True
        download.flash.erase(at)
    yield True
    # Only now, for the old bank cannot start any more; and before there is a download. A former
    # trial may have left tables of another layout, whatever our own are.
    rare.load("osgp.migration").forget(download.device.settings, MIGRATIONS)
    yield True
    download.flash.program(last, head)
    download.take_up(download.length, 0)
    download.finish(DONE)


def forget_image(download):
    """What is erased was never found good. The same image may come again: it is a download that
    nobody has tried, and what became of the former one is no matter any more."""
    banks = rare.load("banks")
    state = banks.load(download.device.flash)
    never = bytes(8)
    if state.confirmed != download.bank and state.ids[download.bank] != never:
        state.ids[download.bank] = never
        state.set_confirmed(state.confirmed, banks.CONFIRMED)
        state.keep()


def is_verified(device, work):
    """Whether a trial has begun, and only the restart into it is to come."""
    return device.download and device.download.state == work.VERIFIED


def switch(parameters, device, banks, now):
    """EP10."""
    bank = parameters[0]
    image = parameters[1:]
    active = banks.active()
    if bank > 1:
        return BAD_PARAMETER
    if device.trial:
        if image != device.trial.state.ids[bank]:
            return CONFLICT if bank != active else BAD_PARAMETER
        return device.trial.confirm(now) if bank == active else device.trial.give_back()
    if bank == active:
        ids = banks.load(device.flash).ids
        return DONE if image == ids[bank] else BAD_PARAMETER
    return verify(image, device, bank, banks, now)


def verify(image, device, bank, banks, now):
    """EP10 that names the other bank: what is there need not have come just now."""
    work = rare.load("osgp.download")
    if is_verified(device, work):
        return CONFLICT
    download = device.download
    if download and download.received < download.packets:
        return TIMING
    if not download:
        head = bytearray(banks.HEADER)
        device.board.bank_flash(bank).read(0, head)
        if banks.header(head) is None:
            return TIMING
        download = device.download = work.Download(device, bank)
    device.last_error = 0
    check = rare.run("osgp.download_check", download, image, banks)
    download.begin(work.VERIFYING, check, now)
    return ACCEPTED
