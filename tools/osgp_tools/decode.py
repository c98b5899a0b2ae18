"""`osgp decode`: explains captured frames: octets in hex, or a capture file.

`explain_hex` takes an LPDU with or without CRC, or octets of the UART (they begin with 7E);
`explain_file` takes a pcap and knows each answer's request. With a device's keys its secured
messages are verified and decrypted; an answer only when its request came before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from osgp_tools import decode_apdu, decode_names, decode_path, decode_table, lpdu, ltep, pcap
from osgp_tools.decode_table import Command
from osgp_tools.explanation import Node, octets
from osgp_tools.link_budget import SECOND_CARRIER, decibels
from osgp_tools.lpdu import Frame, FrameError
from osgp_tools.mip_chip import (
    COMM,
    COMM_ATTENUATE,
    COMM_MASK,
    COMM_ZERO_CROSS,
    INCOMING,
    INCOMING_PHASE,
    INCOMING_SSI,
    RESPONSE,
)
from osgp_tools.mip_framing import FLAG, MSG, NI_SHORT, TYPE_NAMES, Packet, Parser
from osgp_tools.secured import Key, Request

TABLE_ACCESS = 0x00
_OFFLINE = {0x3F: "node offline", 0x4F: "node offline"}


def explain_hex(text: str, key: Key | None = None) -> Node:
    """One frame, or the UART's octets, in hex with any blanks, colons or line ends between.

    Never fails on what the octets are; raises ValueError when they are not hex.
    """
    data = bytes.fromhex(text.replace(":", " "))
    decoder = Decoder(key)
    if data[:1] == bytes((FLAG,)):
        packets = list(Parser().feed(data))
        if packets:
            return decoder.uart(packets)
    return decoder.frame(data)


def explain_file(path: str | Path, key: Key | None = None) -> Iterator[Node]:
    """Each frame of a capture. Raises CaptureError, OSError."""
    decoder = Decoder(key)
    for number, captured in enumerate(pcap.read(path), 1):
        node = decoder.frame(captured.lpdu)
        when = datetime.fromtimestamp(captured.when, UTC)
        node.text = f"{number}  {when:%H:%M:%S.%f} #{captured.transceiver}  {node.text}"
        yield node


@dataclass
class _Asked:
    """A request that may be answered yet."""

    frame: Frame
    command: Command | None = None
    opened: Request | None = None
    target: "_Asked | None" = None  # of a message to repeat: what its target is asked


class Decoder:
    """Explains frames in the order in which they were sent."""

    def __init__(self, key: Key | None = None) -> None:
        self._key = key
        self._asked: dict[tuple[bytes, tuple[int, int], int], _Asked] = {}
        self._addresses: dict[bytes, tuple[int, int]] = {}  # of unique ids, as they answered

    # -- the UART

    def uart(self, packets: list[Packet]) -> Node:
        tree = Node("octets of the UART")
        for packet in packets:
            self._packet(tree, packet)
        return tree

    def _packet(self, tree: Node, packet: Packet) -> None:
        known = packet.kind < len(TYPE_NAMES)
        kind = TYPE_NAMES[packet.kind] if known else f"code packet type {packet.kind}"
        node = tree.add(f"{kind}, sequence {packet.seq}{', acknowledges' * packet.ack}")
        body = packet.body
        if packet.kind == NI_SHORT:
            node.add(_ni_command(packet.parameter))
        elif packet.kind == MSG and body is None:
            node.add("its message is broken")
        elif body:
            message = node.add(_ni_command(body[0]))
            frame, signal = _lpdu_of(body)
            if frame is None:
                message.add(f"data {octets(body[1:])}")
            else:
                for line in signal:
                    message.add(line)
                message.children.append(self.frame(frame))

    # -- a frame

    def frame(self, data: bytes) -> Node:
        """An LPDU, its CRC given, missing or wrong."""
        try:
            frame = lpdu.decode(data)
            check = f"CRC {octets(data[-2:])}, good"
        except FrameError as error:
            try:
                frame = lpdu.decode(data + lpdu.crc16(data).to_bytes(2, "big"))
            except FrameError:
                return Node(f"no frame ({error}): {octets(data)}")
            check = f"CRC missing or wrong, {lpdu.crc16(data):04X} were to follow"
        node = Node("")
        _explain_header(node, frame)
        said = self._explain_body(node, frame)
        node.add(check)
        node.text = f"{_route(frame)}  {said}"
        return node

    def _explain_body(self, node: Node, frame: Frame) -> str:
        if frame.pdu == lpdu.AUTH:
            return f"{decode_names.AUTH_PDU[frame.kind]} {octets(frame.body)}"
        if not frame.body:
            return decode_names.TPDU.get(frame.kind, "empty")
        if frame.pdu == lpdu.SPDU and frame.kind == lpdu.RESPONSE:
            return self._explain_answer(node, frame)
        asked = _Asked(frame)
        code = frame.body[0]
        part = node.add(f"APDU {code:02X} {decode_apdu.name(code)}")
        said = decode_apdu.name(code)
        if code == TABLE_ACCESS and frame.pdu in (lpdu.SPDU, lpdu.TPDU):
            self._explain_secured(part, asked)
            said = str(asked.command or "table access, encrypted")
        elif code == ltep.REPEAT and (message := _to_repeat(frame.body)):
            said += f": {self._explain_repeating(part, asked, message)}"
        else:
            decode_apdu.explain_message(part, frame.body)
        self._asked[frame.domain, frame.source, frame.tid] = asked
        return said

    def _explain_repeating(self, part: Node, asked: _Asked, message: ltep.Message) -> str:
        agent = decode_path.repeating(part, message)
        code = message.apdu[0]
        inner = agent.add(f"{code:02X} {decode_apdu.name(code)}")
        asked.target = _Asked(decode_path.for_target(asked.frame, message))
        if code != TABLE_ACCESS:
            decode_apdu.explain_message(inner, message.apdu)
            return decode_apdu.name(code)
        self._explain_secured(inner, asked.target)
        return str(asked.target.command or "table access, encrypted")

    def _explain_secured(self, part: Node, asked: _Asked) -> None:
        frame = asked.frame
        if self._key:
            asked.opened = self._open(frame)
            part.add(_verdict(asked.opened))
        text = asked.opened.text if asked.opened else None
        asked.command = decode_table.explain_request(part, frame.body, text)

    def _open(self, frame: Frame) -> Request | None:
        """The digest covers the device's own address; by unique id it is known from an answer.

        What is said to everybody covers 0 and 0.
        """
        assert self._key
        device = (0, 0) if frame.address == lpdu.BROADCAST else frame.destination
        if frame.address == lpdu.UNIQUE_ID:
            device = self._addresses.get(frame.unique_id, (0, 0))
        return self._key.request(device, frame.body)

    def _explain_answer(self, node: Node, frame: Frame) -> str:
        asked = self._asked.get((frame.domain, frame.destination, frame.tid))
        code = frame.body[0]
        part = node.add(f"APDU {code:02X}, answer to {_question(asked)}")
        if code in _OFFLINE and len(frame.body) == 1:
            return _OFFLINE[code]
        if asked and asked.target:
            if said := decode_path.repeated(part, frame.body):
                return f"repeating {said}"
            asked = asked.target
        elif asked and asked.frame.address == lpdu.UNIQUE_ID:
            self._addresses[asked.frame.unique_id] = frame.source
        if asked is None or asked.frame.body[0] == TABLE_ACCESS:
            return self._explain_secured_answer(part, frame, asked)
        return f"{decode_apdu.explain_answer(part, frame.body, asked.frame.body[0])}, {part.text}"

    def _explain_secured_answer(self, part: Node, frame: Frame, asked: _Asked | None) -> str:
        if frame.body[0] != TABLE_ACCESS or len(frame.body) < 2:
            part.add(f"data {octets(frame.body[1:])}")
            return "answer"
        text = None
        if self._key and asked:
            asked.opened = asked.opened or self._key.request(frame.source, asked.frame.body)
            if asked.opened and len(frame.body) > 2:
                answer = asked.opened.answer(frame.body)
                part.add(_verdict(answer))
                text = answer.text if answer else None
            if asked.opened and asked.command is None:
                asked.command = decode_table.parse_command(asked.opened.text)
        command = asked.command if asked else None
        said = decode_table.explain_answer(part, frame.body, text, command)
        return f"{said}: {command}" if command else said


def _to_repeat(apdu: bytes) -> ltep.Message | None:
    """With something for its target, or None."""
    try:
        message = ltep.decode(apdu)
    except ValueError:
        return None
    return message if message.apdu else None


def _verdict(opened: object | None) -> str:
    if opened is None:
        return "digest does not hold under this key"
    return f"digest holds, {'encrypted' if getattr(opened, 'encrypted', False) else 'in clear'}"


def _question(asked: _Asked | None) -> str:
    if asked is None:
        return "a request that was not seen"
    code = asked.frame.body[0]
    return str(asked.command or f"{code:02X} {decode_apdu.name(code)}")


def _route(frame: Frame) -> str:
    return f"{frame.source[0]}/{frame.source[1]} > {_destination(frame)}"


def _destination(frame: Frame) -> str:
    subnet, node = frame.destination
    if frame.address == lpdu.BROADCAST:
        return f"all of subnet {subnet}" if subnet else "all"
    if frame.address == lpdu.GROUP:
        return f"group {frame.group}"
    if frame.address == lpdu.UNIQUE_ID:
        return octets(frame.unique_id)
    return f"{subnet}/{node}"


def _explain_header(node: Node, frame: Frame) -> None:
    link = f"backlog +{frame.delta_backlog}"
    if frame.priority:
        link += ", priority"
    if frame.alt_path:
        link += ", second carrier"
    node.add(f"L2 header: {link}")
    domain = octets(frame.domain) if frame.domain else "of no length"
    network = node.add(f"NPDU: {_route(frame)}, domain {domain}")
    if frame.address == lpdu.SUBNET_NODE and frame.group is not None:
        network.add(f"answers a message to group {frame.group} as member {frame.member}")
    if frame.pdu == lpdu.APDU:
        node.add("unacknowledged")
        return
    names = decode_names.TPDU if frame.pdu == lpdu.TPDU else decode_names.SPDU
    kind = names.get(frame.kind, f"type {frame.kind}")
    if frame.pdu == lpdu.AUTH:
        kind = decode_names.AUTH_PDU[frame.kind]
    layer = node.add(f"{decode_names.PDU[frame.pdu]}: {kind}, transaction {frame.tid}")
    if frame.auth:
        layer.add("to be authenticated")
    if frame.members:
        layer.add(f"members that have answered: {octets(frame.members)}")


def _ni_command(command: int) -> str:
    known = decode_names.NI_COMMAND
    if command & COMM_MASK == COMM and command not in known:
        attenuated = ", attenuated" * bool(command & COMM_ATTENUATE)
        crossing = ", at zero crossing" * bool(command & COMM_ZERO_CROSS)
        plain = command & ~(COMM_ATTENUATE | COMM_ZERO_CROSS)
        return f"NI command {command:02X} {known[plain]}{attenuated}{crossing}"
    return f"NI command {command:02X} {known.get(command, 'unknown')}"


def _lpdu_of(body: bytes) -> tuple[bytes | None, list[str]]:
    """The LPDU in a message of the UART, and what the chip says about it."""
    command = body[0]
    if command == INCOMING_PHASE and len(body) > 2:
        return body[2:], [f"phase {body[1]}"]
    if command == INCOMING_SSI and len(body) > 4:
        margin, strength = decibels(body[-1])
        carrier = "second" if body[-2] & SECOND_CARRIER else "first"
        signal = f"margin {margin} dB, strength {strength} dB, {carrier} carrier"
        return body[2:-2], [f"phase {body[1]}", signal]
    local = command == RESPONSE and not any(body[4:15])
    carries = command == INCOMING or command & COMM_MASK == COMM
    return (body[1:] if carries and not local and len(body) > 1 else None), []
