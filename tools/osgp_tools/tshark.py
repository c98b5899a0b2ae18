"""A second opinion on a capture: what Wireshark's LON dissector makes of it, against what we do.

Nobody here wrote that dissector. Where it is known to be wrong (`lon.md` 6) its field is left out:
format and type of an AuthPDU, the destination subnet of an answer to a group message. It checks no
CRC and shows it at the end of the data.
"""

import shutil
import subprocess
from pathlib import Path

from osgp_tools import pcap
from osgp_tools.lpdu import APDU, AUTH, GROUP, SUBNET_NODE, TPDU, UNIQUE_ID, Frame, decode

_PROTOCOLS = "raw:ip:udp:cnip:lon"
_SERVICE_PIN = b"\x7f"  # the one message that it takes apart further


def installed() -> bool:
    return shutil.which("tshark") is not None


def fields(path: str | Path, *names: str) -> list[dict[str, str]]:
    """The named fields of each packet, an empty string where it has none. Raises
    CalledProcessError.
    """
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    for name in names:
        command += ["-e", name]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [dict(zip(names, line.split("\t"), strict=True)) for line in shown.splitlines()]


def expected(frame: Frame) -> dict[str, int | str]:
    """tshark's fields of a frame, as they should be: numbers, and octets in hex."""
    seen: dict[str, int | str] = {
        "lon.prio": int(frame.priority),
        "lon.alt_path": int(frame.alt_path),
        "lon.delta_bl": frame.delta_backlog,
        "lon.pdufmt": frame.pdu,
        "lon.addrfmt": frame.address,
        "lon.srcnet": frame.source[0],
        "lon.srcnode": frame.source[1],
        "lon.domain": frame.domain.hex(),
    }
    if frame.address == UNIQUE_ID:
        seen["lon.uid"] = frame.unique_id.hex()
    answers_group = frame.address == SUBNET_NODE and frame.group is not None
    if frame.address == SUBNET_NODE:
        seen["lon.dstnode"] = frame.destination[1]
    if frame.address == GROUP or answers_group:
        seen["lon.dstgrp" if frame.address == GROUP else "lon.grp"] = frame.group or 0
    if frame.address != GROUP and not answers_group:
        seen["lon.dstnet"] = frame.destination[0]
    if frame.pdu != APDU:
        seen["lon.trans_no"] = frame.tid
    if frame.pdu not in (APDU, AUTH):
        seen["lon.auth"] = int(frame.auth)
        seen["lon.tpdu_type" if frame.pdu == TPDU else "lon.spdu_type"] = frame.kind
    if frame.pdu != AUTH and frame.body:
        seen |= _code(frame.body[0])
    if frame.pdu != AUTH and frame.body[:1] not in (b"", _SERVICE_PIN):
        code = 2 if frame.body[0] & 0x80 else 1  # octets: a network variable's selector has two
        seen["data.data"] = (frame.body[code:] + frame.encode()[-2:]).hex()
    return seen


def _code(code: int) -> dict[str, int | str]:
    if code & 0x80:
        return {}
    if code >= 0x60:
        return {"lon.nm": code}
    if code >= 0x50:
        return {"lon.nd": code}
    if code >= 0x40:
        return {"lon.ff": code}
    return {"lon.application": code}


def disagreements(path: str | Path) -> list[str]:
    """One line for each field of each frame that tshark and we see differently; empty when all is
    well.
    """
    ours = list(pcap.read(path))
    wanted = [expected(decode(captured.lpdu)) for captured in ours]
    names = sorted({name for seen in wanted for name in seen})
    theirs = fields(path, "frame.protocols", "_ws.malformed", *names)
    found = []
    if len(ours) != len(theirs):
        found.append(f"{len(ours)} frames, tshark has {len(theirs)}")
    for number, (seen, packet) in enumerate(zip(wanted, theirs), 1):
        if not packet["frame.protocols"].startswith(_PROTOCOLS) or packet["_ws.malformed"]:
            found.append(f"frame {number}: {packet['frame.protocols']} {packet['_ws.malformed']}")
        for name, value in seen.items():
            got = packet[name]
            same = _octets(got) == value if isinstance(value, str) else _is(got, value)
            if not same:
                found.append(f"frame {number}: {name} is {value!r}, tshark says {got!r}")
    return found


def _octets(text: str) -> str:
    return text.replace(":", "").replace("<MISSING>", "")


def _is(text: str, value: int) -> bool:
    return bool(text) and int(text, 0) == value
