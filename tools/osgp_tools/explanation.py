"""An explanation: a line of text with lines below it, for a terminal, a file or a test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree


@dataclass
class Node:
    """One line and what belongs under it. rich prints it as a tree."""

    text: str
    children: list["Node"] = field(default_factory=list)

    def add(self, text: str) -> "Node":
        """A line under this one; returns it."""
        child = Node(text)
        self.children.append(child)
        return child

    def lines(self, depth: int = 0) -> Iterator[str]:
        """Plain text, two blanks of indent a level."""
        yield "  " * depth + self.text
        for child in self.children:
            yield from child.lines(depth + 1)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __rich__(self) -> Tree:
        tree = Tree(Text(self.text))
        for child in self.children:
            tree.add(child.__rich__())
        return tree


def octets(data: bytes) -> str:
    """Hex as the standards print it; "nothing" when there is none."""
    return data.hex().upper() or "nothing"
