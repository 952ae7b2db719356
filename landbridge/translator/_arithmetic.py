"""The expressions of `compute`.

    sum     = product { ( "+" | "-" ) product }
    product = factor { ( "*" | "/" ) factor }
    factor  = number | "-" factor | "(" sum ")" | call | path
    call    = "round(" sum "," integer ")" | "sum(" path "," sum ")" | "abs(" sum ")"
            | ( "min(" | "max(" ) sum { "," sum } ")"

A bare name in a path ends at + - * / as well: quote a name that has one in it.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from landbridge.translator._ast import Arithmetic, Binary, Negative, Number, Operand, Pickest, Round, Sum
from landbridge.translator._paths import Path, Reader, SyntaxProblem, read_path

_SIGNS = frozenset("+-*/")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_CALL = re.compile(r"(round|sum|min|max|abs)\(", re.ASCII)
MAX_DEPTH = 40


def parse(text: str) -> Arithmetic:
    """The tree of an expression; raises SyntaxProblem."""
    reader = Reader(text)
    tree = _sum(reader, 0)
    reader.blank()
    if reader.peek():
        raise SyntaxProblem(
            f"'{reader.peek()}' is not expected here.", reader.at, "Write + - * / ( ) , names and numbers."
        )
    return tree


def _sum(reader: Reader, depth: int) -> Arithmetic:
    if depth > MAX_DEPTH:
        raise SyntaxProblem("the expression is nested too deeply.", reader.at)
    left = _product(reader, depth)
    while True:
        reader.blank()
        sign = reader.peek()
        if not sign or sign not in "+-":
            return left
        reader.at += 1
        left = Binary(sign, left, _product(reader, depth))


def _product(reader: Reader, depth: int) -> Arithmetic:
    left = _factor(reader, depth)
    while True:
        reader.blank()
        sign = reader.peek()
        if not sign or sign not in "*/":
            return left
        reader.at += 1
        left = Binary(sign, left, _factor(reader, depth))


def _factor(reader: Reader, depth: int) -> Arithmetic:
    reader.blank()
    if depth > MAX_DEPTH:
        raise SyntaxProblem("the expression is nested too deeply.", reader.at)
    if reader.take("-"):
        return Negative(_factor(reader, depth + 1))
    if reader.take("("):
        inner = _sum(reader, depth + 1)
        reader.blank()
        reader.need(")", "after an expression in parentheses")
        return inner
    if found := _NUMBER.match(reader.text, reader.at):
        reader.at = found.end()
        return Number(found[0])
    if call := _CALL.match(reader.text, reader.at):
        reader.at = call.end()
        return _call(reader, call[1], depth + 1)
    return Operand(read_path(reader, _SIGNS))


def _call(reader: Reader, name: str, depth: int) -> Arithmetic:
    if name == "sum":
        reader.blank()
        path = read_path(reader, _SIGNS)
        _comma(reader)
        body = _sum(reader, depth)
        _close(reader)
        return Sum(path, body)
    first = _sum(reader, depth)
    if name == "round":
        _comma(reader)
        reader.blank()
        found = _NUMBER.match(reader.text, reader.at)
        if found is None or not found[0].isdigit() or len(found[0]) > 2 or int(found[0]) > 20:
            raise SyntaxProblem("round needs a number of places from 0 to 20.", reader.at)
        reader.at = found.end()
        _close(reader)
        return Round(first, int(found[0]))
    operands = [first]
    reader.blank()
    while name != "abs" and reader.take(","):
        operands.append(_sum(reader, depth))
        reader.blank()
    _close(reader)
    return Pickest(name, tuple(operands))


def _comma(reader: Reader) -> None:
    reader.blank()
    reader.need(",", "between arguments")


def _close(reader: Reader) -> None:
    reader.blank()
    reader.need(")", "after the arguments")


def paths(tree: Arithmetic) -> list[tuple[Path, tuple[Path, ...]]]:
    """Every path of an expression, each with the paths of the sums around it, outermost first."""
    if isinstance(tree, Operand):
        return [(tree.path, ())]
    if isinstance(tree, Binary):
        return paths(tree.left) + paths(tree.right)
    if isinstance(tree, (Negative, Round)):
        return paths(tree.operand)
    if isinstance(tree, Sum):
        return [(tree.path, ()), *((path, (tree.path, *around)) for path, around in paths(tree.body))]
    if isinstance(tree, Pickest):
        return [found for operand in tree.operands for found in paths(operand)]
    return []


def operands(tree: Arithmetic) -> list[Operand | Sum]:
    """What an expression takes from the message, from left to right; what is inside of a sum is the sum's."""
    if isinstance(tree, (Operand, Sum)):
        return [tree]
    if isinstance(tree, Binary):
        return operands(tree.left) + operands(tree.right)
    if isinstance(tree, (Negative, Round)):
        return operands(tree.operand)
    return [found for operand in tree.operands for found in operands(operand)] if isinstance(tree, Pickest) else []


def sums(tree: Arithmetic) -> list[Sum]:
    """Every sum of an expression that is not inside of another one."""
    if isinstance(tree, Sum):
        return [tree]
    if isinstance(tree, Binary):
        return sums(tree.left) + sums(tree.right)
    if isinstance(tree, (Negative, Round)):
        return sums(tree.operand)
    return [found for operand in tree.operands for found in sums(operand)] if isinstance(tree, Pickest) else []


def of_one(tree: Arithmetic, value: Decimal) -> Decimal:
    """The value of an expression (without sums) whose only operand is known."""
    if isinstance(tree, Number):
        return Decimal(tree.text)
    if isinstance(tree, Binary):
        return Decimal(combine(tree.operator, of_one(tree.left, value), of_one(tree.right, value)))
    if isinstance(tree, Negative):
        return -of_one(tree.operand, value)
    if isinstance(tree, Round):
        return of_one(tree.operand, value).quantize(Decimal(1).scaleb(-tree.places), ROUND_HALF_UP)
    if isinstance(tree, Pickest):
        found = [of_one(operand, value) for operand in tree.operands]
        return abs(found[0]) if tree.name == "abs" else min(found) if tree.name == "min" else max(found)
    return value


def combine(operator: str, left: Any, right: Any) -> Any:
    """left operator right, of decimals or measures."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left / right
