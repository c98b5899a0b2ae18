"""Explains what goes along a path: directed repeating (4D, 4C) and discovery (45, 4A)."""

from osgp_tools import addp, lpdu, ltep
from osgp_tools.addp import DiscoveryFormatError, Heard
from osgp_tools.decode_names import LTEP_MODE, LTEP_SERVICE, LTEP_TARGET
from osgp_tools.explanation import Node, octets
from osgp_tools.link_budget import SECOND_CARRIER
from osgp_tools.lpdu import Frame
from osgp_tools.ltep import Hop, Message, Timing

_WHO = ("everybody", "who is not commissioned", "who is out of communication")


def repeating(node: Node, message: Message) -> Node:
    """A message to repeat; returns the line under which the target's APDU belongs."""
    subnet = "own" if message.by_destination else "source's"
    uniform = message.by_destination or message.by_source
    for number, hop in enumerate(message.hops, 1):
        where = subnet if uniform else str(hop.subnet)
        node.add(f"hop {number}: subnet {where}, node {hop.node}{_carrier(hop)}")
    if message.between:
        node.add(f"between repeaters: {_timing(message.between)}")
    if message.all_agents:
        node.add("every repeater sends it to the target as well")
    path = ", second carrier" if message.alt_path else ""
    service = LTEP_SERVICE[message.service]
    agent = node.add(f"to the target: {service}, {LTEP_MODE[message.mode]}{path}")
    agent.add(_timing(message.agent))
    if message.key_delta:
        agent.add(f"with what is added to the key: {len(message.key_delta)} octets, not shown")
    agent.add(f"{LTEP_TARGET[message.target.kind][0]} {octets(message.target.octets)}")
    return agent


def _carrier(hop: Hop) -> str:
    return ", second carrier" if hop.alt_path else ""


def _timing(timing: Timing) -> str:
    return f"{timing.retries} retries, timer {round(1000 * timing.seconds)} ms"


def for_target(frame: Frame, message: Message) -> Frame:
    """What the target will hear, as far as the message to repeat tells."""
    kind, address = message.target.kind, message.target.octets
    heard = frame.with_(body=message.apdu, destination=(0, 0))
    if kind in (ltep.UNIQUE_ID, ltep.SUBNET_UNIQUE_ID):
        return heard.with_(address=lpdu.UNIQUE_ID, unique_id=address[-6:])
    if kind == ltep.BROADCAST:
        return heard.with_(address=lpdu.BROADCAST)
    if kind == ltep.SUBNET_NODE:
        return heard.with_(address=lpdu.SUBNET_NODE, destination=(address[0], address[1]))
    return heard


def repeated(node: Node, answer: bytes) -> str:
    """Whether this is what repeaters say themselves: then that, else "" (it is the target's)."""
    if answer == bytes((ltep.REPEAT,)):
        node.add("the target was served")
        return "done"
    if ltep.is_failure(answer):
        failure = ltep.RepeatingError(answer[1])
        node.add(str(failure))
        return "busy" if failure.busy else "failed"
    return ""


def discovery(node: Node, data: bytes, code: int) -> bool:
    apdu = bytes((code,)) + data
    try:
        if code == addp.OUT:
            _query(node, addp.decode_query(apdu))
        else:
            _answer(node, addp.decode_answer(apdu))
    except DiscoveryFormatError:
        return False
    return True


def _query(node: Node, query: addp.Query) -> None:
    if query.device:
        node.add(f"asks {octets(query.device)}")
    else:
        who = _WHO[query.condition] if query.condition < len(_WHO) else query.condition
        node.add(f"seeks {who}, hash and {query.mask:02X} = {query.value:02X}")
        node.add(f"{query.slots} slots of {round(1000 * addp.SLOT_UNIT * query.slot_length)} ms")
    if query.copies:
        node.add(f"each frame is sent {query.copies} times again")
    if query.epoch:
        node.add(f"epoch {query.epoch}")
    node.add(f"concentrator {octets(query.concentrator)}, nonce {query.nonce:04X}")
    for number, unique_id in enumerate(query.path):
        passed = ", has passed it on" if number < query.place else ""
        node.add(f"hop {number + 1}: {octets(unique_id)}{passed}")


def _answer(node: Node, answer: addp.Answer) -> None:
    state = f"{answer.subnet}/{answer.node}" if answer.commissioned else "not commissioned"
    talks = ", in communication" if answer.communicating else ""
    node.add(f"device {octets(answer.device)}, {state}{talks}, {answer.hops} hops away")
    node.add(f"heard the query: {_heard(answer.heard)}")
    if answer.program:
        node.add(f"program id {octets(answer.program)}")
    node.add(f"concentrator {octets(answer.concentrator)}, nonce {answer.nonce:04X}")
    for number, piece in enumerate(answer.path):
        told = octets(piece)
        if number >= answer.place:
            told = f"..{octets(piece[3:])} heard the answer: {_heard(Heard(*piece[:3]))}"
        node.add(f"hop {number + 1}: {told}")


def _heard(heard: Heard) -> str:
    if not heard.measured:
        return "not measured"
    carrier = "second" if heard.status & SECOND_CARRIER else "first"
    signal = f"margin {heard.margin} dB, strength {heard.strength} dB"
    return f"{signal}, {carrier} carrier, phase {heard.phase}"
