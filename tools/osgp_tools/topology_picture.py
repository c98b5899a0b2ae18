"""What a topology looks like: a tree for a terminal, a drawing, a page.

The drawing has the concentrator in its middle and a ring for each hop. The best ways are coloured
by how much they have to spare; grey lines are the other links that are known.
"""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

from rich.console import RenderableType
from rich.table import Table
from rich.tree import Tree

from osgp_tools.links import Link
from osgp_tools.topology import HERE, Topology

_RING = 130  # units between two rings
_LEAF = 26  # and between two devices on the outermost one
_DOT = 7
_GOOD, _FAIR = 18.0, 9.0  # dB of margin
_COLOURS = {"good": "#2e9e5b", "fair": "#d99a1c", "bad": "#cf3f3f"}
_FAINT = {"stroke": "#888", "stroke-width": "1", "stroke-opacity": "0.4"}
_STYLES = {"good": "green", "fair": "yellow", "bad": "red"}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>OSGP network</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem }}
svg {{ max-width: 100%; height: auto; border: 1px solid #8884 }}
table {{ border-collapse: collapse; margin-top: 1rem }}
th, td {{ padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #8884 }}
th:first-child, td:first-child, td:last-child {{ text-align: left; font-family: monospace }}
</style></head><body>
<h1>OSGP network</h1>
<p>{summary}</p>
{svg}
<table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""
_HEADS = (
    *("device", "address", "hops", "margin to it", "margin back", "arrives"),
    *("phase", "last heard of (UTC)", "way"),
)


@dataclass
class Branch:
    """A device, the link by which it is reached best, and those that are reached through it."""

    unique_id: bytes
    link: Link | None = None
    hops: int = 0
    children: list["Branch"] = field(default_factory=list)

    @property
    def leaves(self) -> int:
        return sum(child.leaves for child in self.children) or 1

    def walk(self) -> Iterator["Branch"]:
        yield self
        for child in self.children:
            yield from child.walk()


def branches(topology: Topology) -> tuple[Branch, list[bytes]]:
    """The tree of best ways, and the devices to which no way is known."""
    root = Branch(HERE)
    made = {HERE: root}
    lost = []
    paths = {
        node.unique_id: topology.path(node.unique_id, anybody=True) for node in topology.nodes()
    }
    for unique_id, path in sorted(paths.items(), key=lambda one: (len(one[1]), one[0])):
        if not path:
            lost.append(unique_id)
            continue
        parent = made[path[-2]]
        branch = Branch(unique_id, topology.link(path[-2], unique_id), parent.hops + 1)
        parent.children.append(branch)
        made[unique_id] = branch
    return root, lost


def quality(link: Link | None) -> str:
    margin = link.margin if link else 0.0
    if margin >= _GOOD:
        return "good"
    return "fair" if margin >= _FAIR else "bad"


# ---- terminal


def terminal(topology: Topology) -> list[RenderableType]:
    """For `rich`: a tree, and how many devices are how far away."""
    root, lost = branches(topology)
    tree = Tree("concentrator")
    _grow(topology, tree, root)
    for unique_id in lost:
        tree.add(f"[dim]{unique_id.hex()}  no way is known[/dim]")
    table = Table("hops", "devices", "weakest link", title=_summary(topology, root, lost))
    of_hops: dict[int, list[Branch]] = {}
    for branch in root.walk():
        of_hops.setdefault(branch.hops, []).append(branch)
    for hops, some in sorted(of_hops.items()):
        if hops:
            weakest = min(one.link.margin for one in some if one.link)
            table.add_row(f"{hops}", f"{len(some)}", f"{weakest:.0f} dB")
    return [tree, table]


def _grow(topology: Topology, tree: Tree, branch: Branch) -> None:
    for child in branch.children:
        style = _STYLES[quality(child.link)]
        _grow(topology, tree.add(f"[{style}]{_label(topology, child)}[/{style}]"), child)


def _label(topology: Topology, branch: Branch) -> str:
    member = topology.node(branch.unique_id).member
    where = f"{member}" if member else "no member"
    link = branch.link
    assert link
    text = f"{branch.unique_id.hex()}  {where}"
    if link.margins:
        text += f"  {link.margin:.0f} dB"
    return text + f"  {link.arrives:.0%}"


def _summary(topology: Topology, root: Branch, lost: list[bytes]) -> str:
    all_of_them = list(root.walk())
    parts = [
        f"{len(all_of_them) - 1} devices",
        f"{sum(1 for _ in topology.links())} links",
        f"{max(one.hops for one in all_of_them)} hops at most",
    ]
    return ", ".join(parts + ([f"{len(lost)} without a way"] if lost else []))


# ---- drawing


def svg(topology: Topology) -> str:
    """The drawing, a document of its own."""
    root, _ = branches(topology)
    places = _places(root)
    reach = max(math.hypot(x, y) for x, y in places.values()) + 4 * _LEAF
    size = f"{-reach:.0f} {-reach:.0f} {2 * reach:.0f} {2 * reach:.0f}"
    drawing = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=size)
    drawing.set("font-family", "sans-serif")
    drawing.set("font-size", "11")
    rings = ET.SubElement(drawing, "g", fill="none", stroke="#888")
    rings.set("stroke-opacity", "0.2")
    for hops in range(1, max(one.hops for one in root.walk()) + 1):
        ET.SubElement(rings, "circle", r=f"{hops * _radius(root):.1f}")
    _draw_others(drawing, topology, root, places)
    for branch in root.walk():
        for child in branch.children:
            _line(drawing, places, branch.unique_id, child.unique_id, quality(child.link))
    for branch in root.walk():
        _draw_device(drawing, topology, branch, places[branch.unique_id])
    return ET.tostring(drawing, encoding="unicode")


def _radius(root: Branch) -> float:
    """Of one ring: so large that all leaves have room on the outermost."""
    rings = max((one.hops for one in root.walk() if one.hops), default=1)
    return max(_RING, root.leaves * _LEAF / (2 * math.pi * rings))


def _places(root: Branch) -> dict[bytes, tuple[float, float]]:
    """Coordinates: an angle for each leaf, and everybody above the middle of what hangs on him."""
    places = {root.unique_id: (0.0, 0.0)}
    radius, turn = _radius(root), 2 * math.pi / root.leaves

    def put(branch: Branch, first: float) -> None:
        for child in branch.children:
            angle = (first + child.leaves / 2) * turn
            away = child.hops * radius
            places[child.unique_id] = (away * math.cos(angle), away * math.sin(angle))
            put(child, first)
            first += child.leaves

    put(root, 0.0)
    return places


def _draw_others(
    drawing: ET.Element, topology: Topology, root: Branch, places: dict[bytes, tuple]
) -> None:
    """Links that no best way uses."""
    best = {
        frozenset((branch.unique_id, child.unique_id))
        for branch in root.walk()
        for child in branch.children
    }
    for a, b, _ in topology.links():
        if frozenset((a, b)) not in best and a in places and b in places:
            _line(drawing, places, a, b, "")


def _line(drawing: ET.Element, places: dict[bytes, tuple], a: bytes, b: bytes, how: str) -> None:
    (x1, y1), (x2, y2) = places[a], places[b]
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    look = {"stroke": _COLOURS[how], "stroke-width": "2"} if how else _FAINT
    ET.SubElement(drawing, "line", ends | look)


def _draw_device(
    drawing: ET.Element, topology: Topology, branch: Branch, place: tuple[float, float]
) -> None:
    group = ET.SubElement(drawing, "g", transform=f"translate({place[0]:.1f},{place[1]:.1f})")
    if branch.unique_id == HERE:
        box = {"x": "-11", "y": "-11", "width": "22", "height": "22", "fill": "#3a6ea5"}
        ET.SubElement(group, "rect", box)
        ET.SubElement(group, "title").text = "concentrator"
        return
    member = topology.node(branch.unique_id).member
    colour = _COLOURS[quality(branch.link)]
    look = {"r": f"{_DOT}", "fill": colour if member else "white", "stroke": colour}
    ET.SubElement(group, "circle", look | {"stroke-width": "2"})
    turn = math.degrees(math.atan2(place[1], place[0]))  # labels point outwards
    flipped = abs(turn) > 90
    label = {"x": f"{-_DOT - 3 if flipped else _DOT + 3}", "y": "4", "fill": "#888"}
    label |= {"transform": f"rotate({turn + 180 * flipped:.1f})"}
    text = ET.SubElement(group, "text", label | {"text-anchor": "end" if flipped else "start"})
    text.text = f"{member}" if member else branch.unique_id.hex()[-4:]
    ET.SubElement(group, "title").text = _label(topology, branch)


# ---- page


def html(topology: Topology) -> str:
    """The drawing and a table of everybody, in one file that needs no other."""
    root, lost = branches(topology)
    cells = [_cells(topology, branch) for branch in root.walk() if branch.unique_id != HERE]
    cells += [[one.hex()] + [""] * (len(_HEADS) - 2) + ["no way is known"] for one in lost]
    rows = "\n".join(f"<tr>{_row('td', row)}</tr>" for row in cells)
    summary = escape(_summary(topology, root, lost))
    return _PAGE.format(summary=summary, svg=svg(topology), heads=_row("th", _HEADS), rows=rows)


def _row(tag: str, cells) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)


def _cells(topology: Topology, branch: Branch) -> list[str]:
    node, link = topology.node(branch.unique_id), branch.link
    assert link
    path = topology.path(branch.unique_id, anybody=True)
    there, back = link.margins.get(path[-2]), link.margins.get(branch.unique_id)
    seen = datetime.fromtimestamp(node.seen, UTC).strftime("%Y-%m-%d %H:%M") if node.seen else ""
    way = [topology.node(one) for one in path[1:-1]]
    return [
        branch.unique_id.hex(),
        f"{node.member}" if node.member else "",
        f"{branch.hops}",
        "" if there is None else f"{there:.0f} dB",
        "" if back is None else f"{back:.0f} dB",
        f"{link.arrives:.0%}",
        "" if node.phase is None else f"{node.phase * 60}°",
        seen,
        " ".join(f"{one.member or one.unique_id.hex()}" for one in way) or "direct",
    ]
