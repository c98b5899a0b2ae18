"""Rare: ET42, the interface definition, made anew out of the tables that it tells of.

When it changes, ET38 gets an entry, ET04.116 goes up, event 88 is raised, and then ET42 changes:
if power goes before that, the next start does all of it again. So a change of the firmware is
told of, too.
"""

import binascii

from micropython import const

from meter.clock import to_ltime
from tables.model import MASTER

_BT13 = const(13)
_BT21 = const(21)
_BT22 = const(22)
_BT23 = const(23)
_BT61 = const(61)
_BT62 = const(62)
_BT71 = const(71)
_ET04 = const(2048 + 4)
_ET21 = const(2048 + 21)
_ET36 = const(2048 + 36)
_ET38 = const(2048 + 38)
_ET42 = const(2048 + 42)
_ET54 = const(2048 + 54)
_ET55 = const(2048 + 55)
_ET57 = const(2048 + 57)
_ET66 = const(2048 + 66)
_ET07 = const(2048 + 7)

LOG_ENTRY = const(87)  # events
DIMENSION_CHANGE = const(88)

_FIXED = const(41)  # octets in front of the adjustable logs
_BIDN = const(8)
_FLAGS = const(10)
_DEMAND_CONFIGURED = const(0x08)
_UNREAD_BITMAP = const(0x10)

_IDT_VERSION = const(116)  # ET04
_LOGS = const(7)  # ET36
_LOG = const(17)
_CONFIG_LOG = const(2)  # place of ET38 there
_UNREAD = const(120)  # the bitmap of logs with unread entries
_SETS = const(4)
_BT61_SET = const(6)
_ET21_SET = const(131)
_CONFIGURATION_ID = const(78)  # ET21
_MAPPED = const(112)  # source ids from here on stand for an extended one in ET66
_MAPPED_LAST = const(163)
_DATA_TYPES = const(16)  # ET57
_ENERGY_UNIT = const(198)  # ET55
_ROLLOVER_DIGIT = const(180)  # ET07

_HEADER = const(6)  # ET38
_ENTRY = const(35)


def run(device, procedure: int = 0, bidn: int = -1, configured: bool = False) -> bool:
    """Bring ET42 up to date and say whether it changed.

    procedure: that of BT07 which may have changed something, 0 at a start. bidn: what EP32 and
    EP33 got. configured: EP32 was carried out.
    """
    model = device.model
    old = model.load(_ET42)
    new = _build(model, old, bidn, configured)
    if new == old:
        return False
    version = (_octets(model, _ET04, _IDT_VERSION, 1)[0] + 1) & 0xFF
    _note(device, procedure, version, new)
    model.patch(_ET04, _IDT_VERSION, bytes((version,)))
    device.events.post(DIMENSION_CHANGE, procedure)
    model.patch(_ET42, 0, new)
    return True


def _octets(model, number, offset, n) -> bytearray:
    """Octets of any table as the device itself reads it; zeros where there are none."""
    octets = bytearray(n)
    model.read(number, offset, n, octets, 0, MASTER)
    return octets


def _build(model, old, bidn, configured) -> bytearray:
    new = bytearray(len(old))
    new[2] = _FIXED
    new[3] = _LOGS
    new[4] = _octets(model, _ET54, 0, 1)[0] & 3
    new[6:8] = _octets(model, _ET04, 114, 2)
    new[_BIDN:_FLAGS] = old[_BIDN:_FLAGS]
    if bidn >= 0:
        new[_BIDN] = bidn & 0xFF
        new[_BIDN + 1] = bidn >> 8
    bt21 = _octets(model, _BT21, 0, 10)
    flags = bt21[0] >> 2 & 1 | bt21[0] >> 3 & 6 | _UNREAD_BITMAP
    new[_FLAGS] = flags | (_DEMAND_CONFIGURED if configured else old[_FLAGS] & _DEMAND_CONFIGURED)
    new[11:19] = bt21[2:]
    new[19:21] = _octets(model, _BT13, 4, 2)
    tier = (model.size(_BT23) - (bt21[0] >> 2 & 1)) // (bt21[7] + 1)
    new[21] = tier & 0xFF
    new[22] = tier >> 8
    bt61 = _octets(model, _BT61, 7, _SETS * _BT61_SET)
    new[23:37] = _profile(model, bt61, 0)
    bt71 = _octets(model, _BT71, 0, 7)
    new[37] = bt71[0]
    new[38:40] = bt71[5:7]
    new[40] = bt71[3]
    end = _FIXED
    for piece in _variable(model, bt21, bt61):
        new[end : end + len(piece)] = piece
        end += len(piece)
    new[0] = end & 0xFF
    new[1] = end >> 8
    return new


def _profile(model, bt61, k) -> bytearray:
    """The shape of load profile data set k, from 0: 14 octets."""
    et21 = _octets(model, _ET21, _ET21_SET * k, _ET21_SET)
    at = _BT61_SET * k
    shape = bytearray(14)
    shape[0:4] = et21[8:12]
    shape[4:6] = bt61[at : at + 2]
    shape[6:8] = bt61[at + 4 : at + 6]
    shape[8] = et21[25]
    shape[9] = et21[93]
    shape[10:12] = bt61[at + 2 : at + 4]
    shape[12:14] = et21[89:91]
    return shape


def _variable(model, bt21, bt61):
    """What stands behind the fixed part, in pieces."""
    et36 = _octets(model, _ET36, 1, _LOGS * _LOG)
    for k in range(0, _LOGS * _LOG, _LOG):
        yield bytes((et36[k + 6], et36[k + 2], et36[k + 3]))
    demands = bt21[4]
    yield _octets(model, _BT22, bt21[3], demands)
    yield _octets(model, _BT22, bt21[3] + demands + (demands + 7 >> 3), bt21[5])
    yield _sources(model, bt61, 0)
    types = _octets(model, _ET57, 0, 4 * _DATA_TYPES)
    used = bytearray()
    for k in range(0, len(types), 4):
        if types[k] & 0x7C:  # M-Bus data type
            used.extend(types[k : k + 4])
    yield bytes((len(used) // 4,))
    yield used
    active = [k for k in range(1, _SETS) if bt61[_BT61_SET * k] or bt61[_BT61_SET * k + 1]]
    yield bytes((sum([1 << k - 1 for k in active]),))
    for k in active:
        yield _profile(model, bt61, k)
        yield _sources(model, bt61, k)
    yield b"\x08"
    yield _octets(model, _ET54, 69, 2)
    yield _octets(model, _ET54, 79, 3)
    yield _octets(model, _ET55, _ENERGY_UNIT, 1)
    yield _octets(model, _ET07, _ROLLOVER_DIGIT, 1)


def _sources(model, bt61, k) -> bytearray:
    """The extended source ids of the channels of set k."""
    at = sum([3 * bt61[_BT61_SET * one + 4] + 1 for one in range(k)])
    sources = bytearray()
    for channel in range(bt61[_BT61_SET * k + 4]):
        source = _octets(model, _BT62, at + 3 * channel + 1, 1)[0]
        if _MAPPED <= source <= _MAPPED_LAST:
            sources.extend(_octets(model, _ET66, 2 * (source - _MAPPED), 2))
        else:
            sources.append(source)
            sources.append(0)
    return sources


def _note(device, procedure, version, interface):
    """An entry of ET38: time 6 | procedure 2 | IDT version 1 | BIDN 2 | length 2
    | configuration ids 4 x 4 | CRC-32 of ET42 4 | 0 2."""
    model = device.model
    entry = bytearray(_ENTRY)
    clock = device.application.clock
    if clock.valid:
        to_ltime(clock.day, clock.second, entry, 0)
    entry[6] = procedure & 0xFF
    entry[7] = procedure >> 8
    entry[8] = version
    entry[9:11] = interface[_BIDN:_FLAGS]
    entry[11:13] = interface[0:2]
    for k in range(_SETS):
        at = _ET21_SET * k + _CONFIGURATION_ID
        entry[13 + 4 * k : 17 + 4 * k] = _octets(model, _ET21, at, 4)
    entry[29:33] = binascii.crc32(interface).to_bytes(4, "little")

    unread = _octets(model, _ET36, _UNREAD, 1)
    if not unread[0] & 1 << _CONFIG_LOG:
        unread[0] |= 1 << _CONFIG_LOG
        model.patch(_ET36, _UNREAD, unread)
    log = model.load(_ET38)
    entries = _octets(model, _ET36, 1 + _LOG * _CONFIG_LOG + 6, 1)[0]
    place = (log[2] + 1) % entries if log[1] else 0
    if log[5] == entries:
        log[0] |= 2  # one that nobody has read goes
    log[1] = min(log[1] + 1, entries)
    log[2] = place
    sequence = (log[3] | log[4] << 8) + 1
    log[3] = sequence & 0xFF
    log[4] = sequence >> 8 & 0xFF
    log[5] = min(log[5] + 1, entries)
    at = _HEADER + _ENTRY * place
    log[at : at + _ENTRY] = entry
    model.patch(_ET38, 0, log)
    device.events.post(LOG_ENTRY)
