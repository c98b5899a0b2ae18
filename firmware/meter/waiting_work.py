"""Rare: takes one-time reads that are due, ends requests that nobody answered, hides keys.

What it does can be cut short by a power failure and done again at the next start.

An entry of ET19 or ET20 (`tables/extended/mep_logs.py`):

    transaction 2 | handle 2 | type 1 | result 1 | due 6 | sequence 2 | reserved 3

A one-time read is done once, whenever power goes: its entry holds how many the log had when it was
posted, the log holds the entry that its newest is of (in `Copies.day`), and is safe first.
"""

from micropython import const

import rare
import ticks
from meter.clock import from_ltime, to_stime
from meter.registers import put16
from tables.model import MASTER

BT23 = const(23)
ET13 = const(2048 + 13)
ET14 = const(2048 + 14)
ET15 = const(2048 + 15)
ET19 = const(2048 + 19)
ET20 = const(2048 + 20)
ET36 = const(2048 + 36)
ET42 = const(2048 + 42)
ET51 = const(2048 + 51)

KEYS = "MBUSKEY"  # the setting with the first halves of the M-Bus keys

MBUS_ALARM = const(81)  # argument: device in bits 13-15, what happened in 0-12
LOG_ENTRY = const(87)
_READ_FAILED = const(4)

_STAMP = const(6)  # time and season in an entry of ET31
_DONE = const(1)
_NO_RESPONSE = const(2)

_ENTRY = const(17)  # of ET19 and ET20
_TYPE = const(4)
_RESULT = const(5)
_DUE = const(6)
_SEQUENCE = const(12)

_REQUESTS = const(5)  # ET15: 1 + k * 6 {transaction 2, handle 2, type 1, result 1}
_REQUEST = const(6)
_STATUS = const(36)  # ET14: 6 + k * 36 {handle 2, ..., alarms 2 at 20 - 6}
_ALARMS = const(14)
_NO_COMMUNICATION = const(0x10)
_FIRST_CLIENT = const(1000)  # handle of a MEP client
_MULTICAST = const(6)
_CLIENT_ALERTS = const(272)  # ET13: of the MEP client
_ON_DEMAND = const(0x02)

_MBUS = const(4)
_CONFIGURATION = const(66)  # ET13: of a device
_KEY = const(30)  # in it
_HALF = const(8)
_TIMEOUT = const(3)  # ET51
_RESET_NOW = const(0x08)
_UNREAD = const(120)  # ET36: the bitmap of logs with unread entries
_BIDN = const(8)  # ET42
_NEVER = const(0x10000000)


def run(waiting, now_ms):
    """now_ms < 0: ET13 or ET51 was written, which is all that there is to see to."""
    try:
        hide_keys(waiting)
        reset_client(waiting)
        if now_ms >= 0:
            waiting.again = False
            waiting.day = _NEVER  # of what flash does not take, until the next request or start
            read_meter(waiting)
            expire(waiting, now_ms)
            plan(waiting, now_ms)
    except OSError:
        waiting.open = False


def u16(buf, o):
    return buf[o] | buf[o + 1] << 8


# ---- what was written


def hide_keys(waiting):
    """The first half of a key goes from ET13, where it was written, to where nobody reads it."""
    image = waiting.model.load(ET13)
    keys = bytearray(_MBUS * _HALF)
    waiting.settings.load(KEYS, keys)
    written = False
    for k in range(_MBUS):
        at = _CONFIGURATION * k + _KEY
        if any(image[at : at + _HALF]):
            keys[_HALF * k : _HALF * (k + 1)] = image[at : at + _HALF]
            image[at : at + _HALF] = bytes(_HALF)
            written = True
    if written:
        waiting.settings.replace(KEYS, keys, len(keys))
        waiting.model.patch(ET13, 0, image)


def reset_client(waiting):
    """ET51 asks for a reset of the MEP client: no board has such a line, so it is over."""
    flags = waiting.model.load(ET51)[0]
    if flags & _RESET_NOW:
        waiting.model.patch(ET51, 0, bytes([flags & ~_RESET_NOW]))


# ---- one-time reads


def waits(queue, at):
    return queue[at + _TYPE] and not queue[at + _RESULT]


def moment(queue, at):
    """(day, second) at which an entry is due; (0, 0): at once."""
    return from_ltime(queue, at + _DUE) or (0, 0)


def is_due(waiting, when):
    clock = waiting.application.clock
    return when == (0, 0) or (clock.valid and when <= (clock.day, clock.second))


def read_meter(waiting):
    """Entries of ET19 that are due become entries of ET31."""
    queue = waiting.model.load(ET19)
    log = waiting.log
    for at in range(0, len(queue), _ENTRY):
        if waits(queue, at) and is_due(waiting, moment(queue, at)):
            posted = u16(queue, at + _SEQUENCE)
            if log.day != at or not (log.count - posted) & 0xFFFF:
                rare.run("meter.copies_change", log, "add", snapshot(waiting), at)
            queue[at + _RESULT] = _DONE
            put16(queue, at + _SEQUENCE, log.count - 1)
            tell_unread(waiting)
            waiting.events.post(LOG_ENTRY)
            waiting.model.patch(ET19, at, queue[at : at + _ENTRY])


def snapshot(waiting):
    """An entry of ET31: BIDN 2 if there are demands, STIME_DATE 5, season 1, BT23."""
    model = waiting.model
    clock = waiting.application.clock
    entry = bytearray(waiting.log.size)
    registers = model.size(BT23)
    at = len(entry) - registers
    if at > _STAMP:
        model.read(ET42, _BIDN, 2, entry, 0, MASTER)
    if clock.valid:
        calendar = waiting.application.calendar
        calendar.at(clock.day, clock.second)
        to_stime(calendar.local_day, calendar.local_second, entry, at - _STAMP)
        entry[at - 1] = calendar.season
    model.read(BT23, 0, registers, entry, at, MASTER)
    return entry


def tell_unread(waiting):
    """ET36: the first of its logs has unread entries."""
    unread = bytearray(1)
    waiting.model.read(ET36, _UNREAD, 1, unread, 0, MASTER)
    if not unread[0] & 1:
        unread[0] |= 1
        waiting.model.patch(ET36, _UNREAD, unread)


# ---- requests to devices


def expire(waiting, now_ms):
    """The requests under way have had the time of ET51.3."""
    if not waiting.open or ticks.diff(now_ms, waiting.until_ms) < 0:
        return
    waiting.open = False
    model = waiting.model
    body = model.load(ET15)
    k = body[0] >> 4
    at = 1 + _REQUEST * k
    if waits(body, at):
        handle = u16(body, at + 2)
        multicast = body[at + _TYPE] == _MULTICAST
        body[at + _RESULT] = _NO_RESPONSE
        body[0] = body[0] & 0x0F | (k + 1) % _REQUESTS << 4
        model.patch(ET15, 0, body)
        if handle >= _FIRST_CLIENT and not multicast:
            clear_alert(waiting, body)
        elif not multicast:
            alarm(waiting, handle)
    at, queue = device_read(waiting)
    if at >= 0:
        queue[at + _RESULT] = _NO_RESPONSE
        model.patch(ET20, at, queue[at : at + _ENTRY])
        alarm(waiting, u16(queue, at + 2))


def clear_alert(waiting, body):
    """The MEP client is no longer wanted when no request for it is open."""
    for at in range(1, 1 + _REQUEST * _REQUESTS, _REQUEST):
        client = u16(body, at + 2) >= _FIRST_CLIENT and body[at + _TYPE] != _MULTICAST
        if client and waits(body, at):
            return
    alerts = waiting.model.load(ET13)[_CLIENT_ALERTS]
    if alerts & _ON_DEMAND:
        waiting.model.patch(ET13, _CLIENT_ALERTS, bytes([alerts & ~_ON_DEMAND]))


def alarm(waiting, handle):
    """An M-Bus device did not answer: its alarm in ET14, and the event of it."""
    status = waiting.model.load(ET14)
    for k in range(_MBUS):
        at = 6 + _STATUS * k
        if u16(status, at) == handle:
            status[at + _ALARMS] |= _NO_COMMUNICATION
            waiting.model.patch(ET14, at, status[at : at + _STATUS])
            waiting.events.post(MBUS_ALARM, (k + 1) << 13 | _READ_FAILED)


def device_read(waiting):
    """(place, ET20) of the first entry that is due; the place is -1 if there is none."""
    queue = waiting.model.load(ET20)
    for at in range(0, len(queue), _ENTRY):
        if waits(queue, at) and is_due(waiting, moment(queue, at)):
            return at, queue
    return -1, queue


# ---- what comes next


def next_request(waiting):
    """Point at the oldest open request of ET15, else at where the next one goes. Is one open?"""
    body = waiting.model.load(ET15)
    write = pointer = body[0] & 0x0F
    is_open = False
    for k in range(_REQUESTS):
        oldest = (write + k) % _REQUESTS
        if waits(body, 1 + _REQUEST * oldest):
            pointer = oldest
            is_open = True
            break
    if pointer != body[0] >> 4:
        waiting.model.patch(ET15, 0, bytes([write | pointer << 4]))
    return is_open


def plan(waiting, now_ms):
    """When there is something to do again."""
    is_open = next_request(waiting) or device_read(waiting)[0] >= 0
    if is_open and not waiting.open:
        waiting.open = True
        seconds = waiting.model.load(ET51)[_TIMEOUT]
        waiting.until_ms = ticks.add(now_ms, 1000 * seconds)
    first = (_NEVER, 0)
    for number in (ET19, ET20):
        queue = waiting.model.load(number)
        for at in range(0, len(queue), _ENTRY):
            when = moment(queue, at)
            if waits(queue, at) and not is_due(waiting, when) and when < first:
                first = when
    waiting.day, waiting.second = first
