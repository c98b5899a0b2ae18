"""Rare: procedures of the MEP and M-Bus side: EP17, EP18, EP19, EP41, EP50, EP61.

What they do stands in ET13 to ET16 and ET50; who waits there for an answer is looked after by
`meter/waiting.py`. Sources: MEP p.243-247; parameters by profile where the definitions say so
(`tables/extended/mep_data.py`).

    ET14   header 6 | 5 x {handle 2, status 1, ...; alarms 2 at 14; device alarms 1 at 23; ...}
    ET15   pointers 1 | 5 x {transaction 2, handle 2, type 1, result 1} | 5 x {length 1, data 24}
           | multicast length 1, data 64
"""

from micropython import const

from meter.registers import put16
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, NO_AUTHORIZATION

ET04 = const(2048 + 4)
ET13 = const(2048 + 13)
ET14 = const(2048 + 14)
ET15 = const(2048 + 15)
ET34 = const(2048 + 34)
ET50 = const(2048 + 50)

MEP_REMOVED = const(80)  # argument 1: removed
STATUS_CHANGED = const(96)  # argument: device in bits 13-15, 4: removed
QUEUE_FULL = const(7)

_EP17 = const(2048 + 17)
_EP18 = const(2048 + 18)
_EP19 = const(2048 + 19)
_EP41 = const(2048 + 41)
_EP50 = const(2048 + 50)

_ALL = const(0xFFFF)
_FIRST_CLIENT = const(1000)  # handle of a MEP client
_MBUS = const(4)  # devices with a lower index are M-Bus
_DEVICES = const(5)

_OCCUPANCY = const(5)  # ET14
_STATUS_AT = const(6)
_STATUS = const(36)
_ALARMS = const(14)
_DEVICE_ALARMS = const(23)

_REQUESTS = const(5)  # ET15
_REQUEST = const(6)
_WRITES_AT = const(31)
_WRITE = const(25)
_MULTICAST_AT = const(156)
_MULTICAST_SIZE = const(65)
_FAILED = const(3)

_ALERTS = const(272)  # ET13: of the MEP client
_ON_DEMAND = const(0x02)

_GROUP_MASK = const(2)  # ET34
_CONFIGURATION_2 = const(22)
_FLAGS = const(30)  # ET50
_ICONS = const(67)
_REGISTERED = const(0x01)
_SECURITY_MODE = const(127)  # ET04
_AES = const(2)

# types of requests
_APPLICATION_RESET = const(1)
_BILLING_READ = const(2)
_STATUS_READ = const(3)
_WRITE_DATA = const(4)
_TIME = const(5)
_MULTICAST = const(6)
_DOWNLOAD = const(7)
_SWITCHOVER = const(9)
_WRITE_BY_INDEX = const(10)
_IMAGE = const(20)  # octets of length and MAC of an image


def run(number, parameters, response, device, now):
    if number == _EP17:
        return remove(device, parameters[0], u16(parameters, 1)), 0
    if number == _EP18:
        return clear_alarms(device, parameters), 0
    if number == _EP19:
        return on_demand(device, parameters, response)
    if number == _EP41:
        return download(device, parameters, response)
    if number == _EP50:
        return CONFLICT, 0  # this meter measures by itself
    return (NO_AUTHORIZATION if parameters[0] <= 1 else BAD_PARAMETER), 0  # EP61: no MEP port


def u16(buf, o):
    return buf[o] | buf[o + 1] << 8


def installed(status, k):
    """The handle of device k; 0: there is none."""
    return u16(status, _STATUS_AT + _STATUS * k) if status[_OCCUPANCY] >> k & 1 else 0


def find(status, handle):
    """Indices of the installed devices that a handle means; FFFF: all."""
    found = []
    for k in range(_DEVICES):
        there = installed(status, k)
        if there and handle in (there, _ALL):
            found.append(k)
    return found


# ---- EP17, EP18


def remove(device, action, handle):
    """Take devices out. ET14, by which they are found, is last: cut short, it can be repeated."""
    if action > 1:
        return BAD_PARAMETER
    model = device.model
    status = model.load(ET14)
    found = find(status, handle)
    if not found and handle != _ALL:
        return CONFLICT
    fail_requests(device, [installed(status, k) for k in found])
    for k in found:
        if k >= _MBUS:
            flags = model.load(ET50)[_FLAGS]
            model.patch(ET50, _ICONS, bytes(2))
            model.patch(ET50, _FLAGS, bytes([flags & ~_REGISTERED]))
            model.patch(ET13, _ALERTS, bytes(1))
        at = _STATUS_AT + _STATUS * k
        status[at : at + _STATUS] = bytes(_STATUS)
        status[_OCCUPANCY] &= ~(1 << k)
    if found:
        model.patch(ET14, 0, status)
    for k in found:
        device.events.post(STATUS_CHANGED, (k + 1) << 13 | 4)
        if k >= _MBUS:
            device.events.post(MEP_REMOVED, 1)
    return DONE


def fail_requests(device, handles):
    """Open requests to these devices are over."""
    body = device.model.load(ET15)
    failed = False
    for at in range(1, _WRITES_AT, _REQUEST):
        mine = u16(body, at + 2) in handles and body[at + 4] != _MULTICAST
        if mine and body[at + 4] and not body[at + 5]:
            body[at + 5] = _FAILED
            failed = True
    if failed:
        device.model.patch(ET15, 0, body)
        device.waiting.open = False
        device.waiting.again = True


def clear_alarms(device, parameters):
    """EP18 {handle 2, alarms 2, device alarms 1}: clear the bits that are 1."""
    status = device.model.load(ET14)
    handle = u16(parameters, 0)
    found = find(status, handle)
    if not found and handle != _ALL:
        return CONFLICT
    for k in found:
        at = _STATUS_AT + _STATUS * k
        status[at + _ALARMS] &= ~parameters[2]
        status[at + _ALARMS + 1] &= ~parameters[3]
        status[at + _DEVICE_ALARMS] &= ~parameters[4]
    if found:
        device.model.patch(ET14, 0, status)
    return DONE


# ---- EP19, EP41


def on_demand(device, parameters, response):
    """EP19 {transaction 2, handle 2, type 1, more by type} -> index."""
    kind = parameters[4]
    data = payload(device, kind, parameters[5:])
    if data is None:
        return BAD_PARAMETER, 0
    status = device.model.load(ET14)
    handle = u16(parameters, 2)
    if kind == _MULTICAST:
        index = listener(device, status, handle)
    elif kind == _WRITE_BY_INDEX:
        index = lowest(handle)
        handle = installed(status, index) if 0 <= index < _DEVICES else 0
        index = index if handle else -1
        kind = _WRITE_DATA
    else:
        found = [] if handle == _ALL else find(status, handle)
        index = found[0] if found else -1
    if index < 0:
        return CONFLICT, 0
    if not suits(kind, index):
        return BAD_PARAMETER, 0
    return post(device, u16(parameters, 0), handle, kind, data, response)


def payload(device, kind, rest):
    """The octets that go with a request; None: there is no such type, or they do not fit it."""
    if kind in (_WRITE_DATA, _WRITE_BY_INDEX, _MULTICAST):
        most = (_MULTICAST_SIZE if kind == _MULTICAST else _WRITE) - 1
        if not rest or rest[0] > most or len(rest) != 1 + rest[0]:
            return None
        return rest[1:]
    if kind == _SWITCHOVER:
        wanted = _IMAGE if device.model.load(ET04)[_SECURITY_MODE] == _AES else 0
        return rest if len(rest) == wanted else None
    if kind in (_APPLICATION_RESET, _BILLING_READ, _STATUS_READ, _TIME) and not rest:
        return rest
    return None


def suits(kind, index):
    """Whether a type is one for M-Bus devices, or for the MEP client."""
    if kind == _SWITCHOVER:
        return index >= _MBUS
    return index < _MBUS or kind not in (_APPLICATION_RESET, _STATUS_READ, _TIME)


def listener(device, status, groups):
    """The first M-Bus device that hears a multicast to these groups; -1: none."""
    configured = device.model.load(ET34)
    for k in range(_MBUS):
        mask = configured[_CONFIGURATION_2 * k + _GROUP_MASK]
        if installed(status, k) and (groups == _ALL or groups & mask):
            return k
    return -1


def lowest(mask):
    """The lowest bit that is set; -1: none."""
    k = 0
    while mask and not mask >> k & 1:
        k += 1
    return k if mask else -1


def download(device, parameters, response):
    """EP41 {transaction 2, handle 2} -> index."""
    handle = u16(parameters, 2)
    found = [] if handle == _ALL else find(device.model.load(ET14), handle)
    if not found or found[0] < _MBUS:
        return CONFLICT, 0
    return post(device, u16(parameters, 0), handle, _DOWNLOAD, b"", response)


def post(device, transaction, handle, kind, data, response):
    """Put a request into ET15, with its message, in one write."""
    body = device.model.load(ET15)
    k = body[0] & 0x0F
    at = 1 + _REQUEST * k
    if body[at + 4] and not body[at + 5]:
        return QUEUE_FULL, 0
    put16(body, at, transaction)
    put16(body, at + 2, handle)
    body[at + 4] = kind
    body[at + 5] = 0
    to = _MULTICAST_AT if kind == _MULTICAST else _WRITES_AT + _WRITE * k
    body[to] = len(data)
    body[to + 1 : to + 1 + len(data)] = data
    body[0] = body[0] & 0xF0 | (k + 1) % _REQUESTS
    device.model.patch(ET15, 0, body)
    device.waiting.again = True  # the pointer to the oldest request follows
    if handle >= _FIRST_CLIENT and kind != _MULTICAST:
        alert(device)
    response[0] = k
    return DONE, 1


def alert(device):
    """The MEP client is told of the request by ET13."""
    flags = device.model.load(ET13)[_ALERTS]
    if not flags & _ON_DEMAND:
        device.model.patch(ET13, _ALERTS, bytes([flags | _ON_DEMAND]))
