"""Explains APDUs that are no table access: management, diagnostics, commissioning, repeating."""

from collections.abc import Callable

from osgp_tools import decode_path, ltep
from osgp_tools.decode_names import (
    DIAGNOSTIC,
    FOREIGN,
    MANAGEMENT,
    MEMORY,
    NODE_MODE,
    NODE_STATE,
    RESET_CAUSE,
)
from osgp_tools.explanation import Node, octets
from osgp_tools.link_budget import decibels


def name(code: int) -> str:
    """What a message with this APDU code is, in a few words."""
    if code >= 0x80:
        return "network variable"
    if code >= 0x60:
        return MANAGEMENT.get(code, "network management")
    if code >= 0x50:
        return DIAGNOSTIC.get(code, "network diagnostic")
    if code >= 0x40:
        return FOREIGN.get(code, "foreign frame")
    return "table access" if code == 0 else "application message"


def explain_message(node: Node, apdu: bytes) -> None:
    """The fields of a request or message, as far as they are known."""
    _fields(_MESSAGES.get(apdu[0]), node, apdu[1:])


def explain_answer(node: Node, apdu: bytes, asked: int) -> str:
    """The answer to a message with code `asked`. Returns what it says in a few words."""
    management = asked >= 0x60
    low = asked & (0x1F if management else 0x0F)
    success, failure = (0x20 | low, low) if management else (0x30 | low, 0x10 | low)
    data = apdu[1:]
    if asked in _FOREIGN_ANSWERS and apdu[0] == asked:
        return _FOREIGN_ANSWERS[asked](node, data)
    if apdu[0] == failure and asked >= 0x50:
        return "refused"
    if apdu[0] != success or asked < 0x50:
        node.add(f"data {octets(data)}")
        return name(apdu[0])
    _fields(_ANSWERS.get(asked), node, data)
    return "done"


def _fields(explainer: Callable[[Node, bytes], bool] | None, node: Node, data: bytes) -> None:
    if data and not (explainer and explainer(node, data)):
        node.add(f"data {octets(data)}")


# Each of these says what it can of the octets after the code, or returns False.


def _identity(node: Node, data: bytes) -> bool:
    if len(data) != 14:
        return False
    node.add(f"unique id {octets(data[:6])}")
    node.add(f"program id {octets(data[6:])}")
    return True


def _query_id(node: Node, data: bytes) -> bool:
    who = {0: "unconfigured", 1: "selected", 2: "selected and unconfigured"}
    if not data or data[0] not in who:
        return False
    node.add(f"who is {who[data[0]]}")
    if len(data) >= 5:
        node.add(f"and whose memory at {octets(data[2:4])} holds {octets(data[5:])}")
    return True


def _update_domain(node: Node, data: bytes) -> bool:
    if len(data) != 16:
        return False
    length = data[9] & 7
    node.add(f"entry {data[0]}: domain {octets(data[1 : 1 + length])}, {data[7]}/{data[8] & 0x7F}")
    node.add("key: 6 octets, not shown")
    return True


def _node_mode(node: Node, data: bytes) -> bool:
    if not data:
        return False
    text = NODE_MODE.get(data[0], f"mode {data[0]}")
    if len(data) > 1:
        text += f" {NODE_STATE.get(data[1], data[1])}"
    node.add(text)
    return True


def _read_memory(node: Node, data: bytes) -> bool:
    if len(data) != 4:
        return False
    area = MEMORY[data[0]] if data[0] < len(MEMORY) else f"mode {data[0]}"
    node.add(f"{area}: {data[3]} octets from {int.from_bytes(data[1:3], 'big')}")
    return True


def _status(node: Node, data: bytes) -> bool:
    if len(data) != 15:
        return False
    counters = ("transmission errors", "transaction timeouts", "full", "lost", "missed")
    for index, counter in enumerate(counters):
        node.add(f"{counter} {int.from_bytes(data[2 * index : 2 * index + 2], 'big')}")
    node.add(f"reset by {RESET_CAUSE.get(data[10], data[10])}")
    node.add(f"state {NODE_STATE.get(data[11], data[11])}")
    node.add(f"firmware {data[12]}, error log {data[13]}, model {data[14]:02X}")
    return True


def _transceiver(node: Node, data: bytes) -> bool:
    if len(data) < 7:
        return False
    for carrier, register in (("first carrier", data[3]), ("second carrier", data[4])):
        margin, strength = decibels(register)
        node.add(f"{carrier}: margin {margin} dB, strength {strength} dB")
    node.add(f"registers {octets(data)}")
    return True


def _challenge(node: Node, data: bytes) -> bool:
    if len(data) != 9:
        return False
    node.add(f"version {data[0]}, nonce {octets(data[1:])}")
    return True


def _commission(node: Node, data: bytes) -> bool:
    if len(data) != 69:
        return False
    node.add(f"version {data[0]}, nonce {octets(data[1:9])}")
    node.add("sealed: domain, address, keys, numbers (52 octets), tag 8")
    return True


def _commissioned(node: Node, data: bytes) -> str:
    if len(data) == 10:
        node.add(f"version {data[0]}, sealed result and tag")
    return "answered"


def _challenged(node: Node, data: bytes) -> str:
    _challenge(node, data)
    return "answered"


def _repeating(node: Node, data: bytes) -> bool:
    """LTEP: hops still to come, timing, and the message that the last of them sends."""
    try:
        message = ltep.decode(bytes((ltep.REPEAT,)) + data)
    except ValueError:
        return False
    agent = decode_path.repeating(node, message)
    if message.apdu:
        inner = agent.add(f"{message.apdu[0]:02X} {name(message.apdu[0])}")
        explain_message(inner, message.apdu)
    return True


def _table_access(node: Node, data: bytes) -> bool:
    node.add(f"secured, {len(data)} octets: {octets(data)}")
    return True


_MESSAGES: dict[int, Callable[[Node, bytes], bool]] = {
    0x00: _table_access,
    0x45: lambda node, data: decode_path.discovery(node, data, 0x45),
    0x46: _commission,
    0x47: _challenge,
    0x4A: lambda node, data: decode_path.discovery(node, data, 0x4A),
    0x4D: _repeating,
    0x61: _query_id,
    0x63: _update_domain,
    0x6C: _node_mode,
    0x6D: _read_memory,
    0x7F: _identity,
}
_ANSWERS: dict[int, Callable[[Node, bytes], bool]] = {
    0x51: _status,
    0x54: _transceiver,
    0x56: _status,
    0x61: _identity,
}
_FOREIGN_ANSWERS: dict[int, Callable[[Node, bytes], str]] = {
    0x46: _commissioned,
    0x47: _challenged,
}
