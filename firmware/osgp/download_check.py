"""Rare: what is in a bank is judged, slice by slice, and becomes the next to run (`profile.md` 25,
27, 28). Nothing of an image is believed before its digest and signature hold."""

import hashlib

from micropython import const

import rare

# last errors of ET17, beside those of `banks.unfit`
_LENGTH = const(4)
_DIGEST = const(5)
_NOT_SIGNED = const(6)
_SIGNATURE = const(7)
_SECURITY = const(8)
_NO_KEY = const(10)
_NOT_NAMED = const(15)

_CHECKSUM_ERROR = const(77)  # event

_VERIFIED = const(5)  # state of ET17
_DONE = const(0)
_SECTOR = const(4096)
_CHUNK = const(1024)
_STEPS = const(5)


def run(download, image, banks):
    """The work of EP10 as a generator: each step is a slice, and it yields whether the next one
    writes. image: the id of the one that is to be there. banks: the module."""
    device = download.device
    state = banks.load(device.flash)
    yield False
    error = yield from _judge(download, image, banks, state)
    yield True
    if error == _DIGEST:
        device.events.post(_CHECKSUM_ERROR, download.bank)
    if error:
        download.fail(error)
        return
    state.begin_trial(download.bank, image)
    download.state = _VERIFIED
    rare.run("osgp.restart", device)  # before BT08 has the result: it waits for that to be read
    yield True
    download.finish(_DONE)


def _judge(download, image, banks, state):
    """Why the bank may not run, as a last error of ET17; 0: it may."""
    head = bytearray(banks.HEADER)
    download.flash.read(0, head)
    fields = banks.header(head)
    board = download.device.board
    error = banks.unfit(fields, board.NAME.encode())
    if error:
        return error
    if download.length and download.length != _SECTOR + fields[0]:
        return _LENGTH
    digest = yield from _digest(download.flash, fields[0])
    if digest != fields[6]:
        return _DIGEST
    if banks.identity(head) != image:
        return _NOT_NAMED
    if fields[2] < state.floor:
        return _SECURITY
    mark = bytearray(len(banks.MARK))
    download.flash.read(banks.MARK_AT, mark)
    if mark == banks.MARK:  # no packet can write it
        return 0
    yield False
    return (yield from _judge_signature(download, board.update_key(), head))


def _digest(flash, length):
    """The SHA-256 of the image."""
    digest = hashlib.sha256()
    buf = bytearray(_CHUNK)
    for at in range(_SECTOR, _SECTOR + length, _CHUNK):
        part = memoryview(buf)[: min(_CHUNK, _SECTOR + length - at)]
        flash.read(at, part)
        digest.update(part)
        if at % _SECTOR == 0:
            yield False
    return digest.digest()


def _judge_signature(download, key, head):
    """0, or why the signature behind the header is not one of ours."""
    scheduler = download.device.scheduler
    signature = rare.load("signature")
    size = signature.size(key)
    if not size:
        return _NO_KEY
    octets = bytearray(size)
    download.flash.read(len(head), octets)
    if octets[:4] == b"\xff\xff\xff\xff":
        return _NOT_SIGNED
    yield False
    verifier = signature.Verifier(key, head, octets)
    steps = 0
    while verifier.step():
        if steps % _STEPS == 0:  # 9 kB each: else there would be a collection within a slice
            scheduler.collect_at = scheduler.ticks_ms()
        steps += 1
        yield False
    return 0 if verifier.good else _SIGNATURE
