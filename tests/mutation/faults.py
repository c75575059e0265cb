"""Small faults in a source file, such as people make: a turned comparison, a sign, a constant, swapped arguments."""

from __future__ import annotations

import ast
import copy
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_ALIKE = {"maximum", "minimum", "max", "min", "hypot", "logaddexp", "array_equal", "convolve"}  # in both arguments
_UNSEEN = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Global, ast.Assert)  # texts have no numbers that count


@dataclass(frozen=True)
class Fault:
    """A stretch of bytes of a source file and what stands there instead.

    Attributes:
        kind: "comparison", "condition", "operator", "sign", "constant", "arguments" or "call".
        line: from 1.
        start, end: of the bytes that are replaced.
        before, after: their text, old and new.
    """

    kind: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def put_into(self, source: str) -> str:
        """The file with the fault."""
        raw = source.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()


def chosen(source: str, count: int, seed: str) -> list[Fault]:
    """``count`` faults at random, of as many kinds as there are; the same for the same seed."""
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults(source):
        by_kind[fault.kind].append(fault)
    dice = random.Random(seed)
    for found in by_kind.values():
        dice.shuffle(found)
    kinds, picked = list(by_kind), []
    dice.shuffle(kinds)
    while len(picked) < count and any(by_kind.values()):
        picked += [by_kind[kind].pop() for kind in kinds if by_kind[kind]][: count - len(picked)]
    return sorted(picked, key=lambda fault: fault.start)


def faults(source: str) -> list[Fault]:
    """All that can be made, in the order of the file."""
    tree, starts = ast.parse(source), _line_starts(source)
    raw, found = source.encode(), []
    for node in _seen(tree):
        for kind, place, new in _changes(node):
            start = starts[place.lineno - 1] + place.col_offset
            end = starts[place.end_lineno - 1] + place.end_col_offset
            before = raw[start:end].decode()
            found.append(Fault(kind, place.lineno, start, end, before, new))
    return sorted(found, key=lambda fault: (fault.start, fault.kind, fault.after))


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _seen(node: ast.AST) -> Iterator[ast.AST]:
    """What runs: no annotations, decorators, texts, or imports for the type checker alone."""
    if isinstance(node, _UNSEEN) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _seen(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Kind, what is replaced, and the new text."""
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in _COMPARISONS:
            yield "comparison", node, _rewritten(node, lambda new: new.ops.__setitem__(0, _COMPARISONS[type(first)]()))
        case ast.If() | ast.IfExp() | ast.While():
            yield "condition", node.test, f"(not ({ast.unparse(node.test)}))"
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "condition", node, _rewritten(node, lambda new: setattr(new, "op", other))
        case ast.BinOp(op=operator) if type(operator) in _OPERATORS and not _of_texts(node):
            other = _OPERATORS[type(operator)]()
            yield "operator", node, _rewritten(node, lambda new: setattr(new, "op", other))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield "sign", node, f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield "constant", node, str(not value)
        case ast.Constant(value=int(value)):
            yield "constant", node, str(value + 1)
        case ast.Constant(value=float(value)):
            yield "constant", node, repr(1.2 * value or 1.0)
        case ast.Call(func=function, args=[first, second, *_]) if ast.unparse(first) != ast.unparse(second):
            alike = ast.unparse(function).rpartition(".")[2] in _ALIKE
            if not alike and not any(isinstance(each, ast.Starred) for each in (first, second)):
                yield "arguments", node, _rewritten(node, _swap)
        case ast.Expr(value=ast.Call()):
            yield "call", node, "pass"


def _of_texts(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(s, ast.JoinedStr) or isinstance(getattr(s, "value", None), str | bytes) for s in sides)


def _rewritten(node: ast.expr, change: Callable[[Any], object]) -> str:
    new = copy.deepcopy(node)
    change(new)
    return f"({ast.unparse(new)})"


def _swap(call: ast.Call) -> None:
    call.args[:2] = call.args[1::-1]
