"""The figures of runs as text: a line each, and a page of Markdown for all of them."""

from collections.abc import Iterable
from itertools import groupby

HEAD = """# A whole network, simulated

Printed by `make bench-network` out of `figures.json`; nothing in here is written by hand.

The firmware's own code runs in every device and the concentrator's own classes at place 0. They
are joined at the LPDU by the channel of `osgp_tools/channel.py` (3,240 bit/s, predictive
p-persistent CSMA, collisions, links by distance); what is left out is the UART between a device
and its transceiver, but for the time it takes. A device answers 8 ms after it has a frame. The
same seed gives the same frames, to the octet and to the nanosecond: see the digests below.

- **time** is time on the line, with everything one after the other, as one channel asks for.
- **loss** is the share of frames that each receiver loses besides what its link loses.
- **sent again**: frames that the same sender had sent within 8.2 s, octet by octet.
- **collisions**: frames that met another one at somebody who heard both.
- **share** of the channel's limit (`docs/profile.md` 35): what the frames would have taken at
  least, each sent once and without any device's time, of the time that they took.
- Discovery begins with nobody known. Of the day each device's registers and yesterday's load
  profile of 96 quarter hours are read. The group is switched by one broadcast from the
  concentrator and one from each agent; who has switched is looked up in the devices, and then
  asked for, which finds those left out and finishes them.
"""


def line(run: dict) -> str:
    """One run in a line."""
    ratio = run["line_s"] / run["computed_s"]
    return (
        f"{run['topology']} at {run['loss']:.0%}: {duration(run['line_s'])} on the line, "
        f"{run['computed_s']:.0f} s computed ({ratio:.0f} times as fast)"
    )


def duration(seconds: float) -> str:
    """With as many digits as one wants to read."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def page(runs: Iterable[dict], day: dict) -> str:
    """All of it. `day`: a silent one."""
    parts = [HEAD]
    ordered = list(runs)
    for _, group in groupby(ordered, key=lambda run: run["topology"]):
        parts.append(network(list(group)))
    parts.append(computing(ordered, day))
    return "\n".join(parts)


def network(runs: list[dict]) -> str:
    """One network at its rates of loss."""
    first = runs[0]
    lines = [
        f"## {first['topology']}: {first['name']}",
        "",
        f"{first['devices']} devices, up to {first['hops']} hops away over links that lose at "
        f"most one frame in a hundred, {first['mean_hops']:.1f} on average; "
        f"each hears {first['neighbours']:.0f} others.",
        "",
        "| work | loss | done | time | a device | frames | sent again | collisions | share |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for k, piece in enumerate(first["pieces"]):
        lines += [_row(piece["name"], run["loss"], run["pieces"][k]) for run in runs]
    for run in runs:
        if run["troubles"]:
            text = ", ".join(f"{count} {name}" for name, count in run["troubles"].items())
            lines += ["", f"Tried again at {run['loss']:.0%} loss: {text}."]
    return "\n".join(lines) + "\n"


def _row(name: str, loss: float, piece: dict) -> str:
    each = piece["seconds"] / max(piece["wanted"], 1)
    cells = (
        name,
        f"{loss:.0%}",
        f"{piece['done']} of {piece['wanted']}",
        duration(piece["seconds"]),
        f"{each:.1f} s",
        f"{piece['frames']:,}",
        f"{piece['repeated'] / max(piece['frames'], 1):.0%}",
        f"{piece['collisions']:,}",
        f"{piece['share']:.2f}",
    )
    return "| " + " | ".join(cells) + " |"


def computing(runs: list[dict], day: dict) -> str:
    """What the runs took here, and their digests."""
    lines = [
        "## The runs",
        "",
        "Times of this computer's processor differ from one computer to the next; digests do not.",
        "",
        "| network | seed | loss | on the line | computed in | times as fast | SHA-256 of all "
        "frames, senders and times |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for run in runs:
        ratio = run["line_s"] / run["computed_s"]
        cells = (
            run["topology"],
            str(run["seed"]),
            f"{run['loss']:.0%}",
            duration(run["line_s"]),
            f"{run['computed_s']:.0f} s",
            f"{ratio:,.0f}",
            f"`{run['digest'][:16]}`",
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"A day on which {day['devices']} devices measure and keep registers and load profiles, "
        f"and nobody asks them: {day['computed_s']:.0f} s, "
        f"{day['line_s'] / day['computed_s']:,.0f} times as fast.",
    ]
    pictures = [
        "",
        "![What each piece takes, by loss](work.svg)",
        "",
        "![Share of the channel's limit, by loss](share.svg)",
        "",
        "![The streets, by hops](streets.svg)",
    ]
    return "\n".join(lines + pictures) + "\n"
