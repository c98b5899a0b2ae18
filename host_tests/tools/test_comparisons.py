"""Secrets and what proves something are compared by `kernels.equal` alone, which takes as long
wherever the difference is (`osgp/security/__init__.py`)."""

import ast
from pathlib import Path

import pytest

OSGP = Path(__file__).parents[2] / "firmware" / "osgp"
MODULES = [
    *sorted((OSGP / "security").glob("*.py")),
    *(
        OSGP / name
        for name in (
            "envelope.py",
            "next_key.py",
            "commission.py",
            "procedures/keys.py",
            "lon/authentication.py",
            "lon/reply.py",
        )
    ),
]
# Nothing secret: a digest by which a random source that repeats is known; whose record it is.
EXCEPTIONS = {"random.py": 2, "authentication.py": 1}


def of_octets(node: ast.expr) -> bool:
    """Whether an operand is a run of octets, as far as its form shows."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Slice)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"bytes", "cmac", "_check"}
    named = {"tag", "mac", "_mac", "_sum", "key", "digest"}
    return (isinstance(node, ast.Name) and node.id in named) or (
        isinstance(node, ast.Attribute) and node.attr in named
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_nothing_is_compared_octet_by_octet(path):
    found = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(isinstance(op, (ast.Eq, ast.NotEq, ast.In)) for op in node.ops)
        and any(of_octets(operand) for operand in (node.left, *node.comparators))
    ]
    assert len(found) <= EXCEPTIONS.get(path.name, 0), found


def test_this_finds_them():
    (compare,) = [
        node for node in ast.walk(ast.parse("tag == buf[a:b]")) if isinstance(node, ast.Compare)
    ]
    assert of_octets(compare.left)
    assert of_octets(compare.comparators[0])
