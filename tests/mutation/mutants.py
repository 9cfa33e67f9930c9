"""Changes one thing of a rule's condition at a time: what a slip of the hand, or of the mind, would do to it.

Not mutmut, which passes over decorated functions, and every rule is one. What belongs to the statement (examples,
defaults, types, lists of names) is not changed: the statement is what the condition is held against.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# Words for a reader, which no condition hangs on: the last argument of these.
_WORDED = {"any_of", "matches", "one_or_some", "satisfies", "some"}
_UNITS = {"at_least", "at_most"}
_OPPOSITES = {
    "at_least": "at_most",
    "at_most": "at_least",
    "is_false": "is_true",
    "is_left_out": "is_set",
    "is_set": "is_left_out",
    "is_true": "is_false",
    "none_of": "one_of",
    "one_of": "none_of",
    "each": "some",
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """A changed module. ``what`` says where and how, for a reader."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every module that differs from ``source`` in one thing of a function's body."""
    tree = ast.parse(source)
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        if _makes_examples(function):
            continue
        for node in list(_inside(function)):
            for what, by in list(_changes(node)):
                yield Mutant(node.lineno, f"{ast.unparse(node)[:90]} -> {what}", _changed(tree, node, by))


def _makes_examples(function: ast.FunctionDef) -> bool:
    """Helpers that build examples give an object, or one with its type; conditions a Check, a truth value or a text."""
    made = "" if function.returns is None else ast.unparse(function.returns)
    return made.startswith(("dict[", "tuple[str, dict[")) or made in ("Example", "Made")


def _inside(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Expressions of a function's body, without docstrings and words for a reader."""
    todo: list[ast.AST] = [part for part in function.body if not _is_docstring(part)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.expr):
            yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.FunctionDef):
            children = [part for part in node.body if not _is_docstring(part)]
        elif isinstance(node, ast.AnnAssign):
            children = [node.value] if node.value else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            worded = node.func.attr in _WORDED or (node.func.attr in _UNITS and len(node.args) > 1)
            children = [node.func, *(node.args[:-1] if worded else node.args)]
        elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"):
            children = []
        todo.extend(children)


def _is_docstring(part: ast.AST) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


Change = tuple[str, ast.expr]
"""What is done to a node, in words, and what stands there afterwards."""


def _changes(node: ast.expr) -> Iterator[Change]:
    return _CHANGES.get(type(node), lambda _: iter(()))(node)


def _of_combination(node: ast.BinOp) -> Iterator[Change]:
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        other = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
        yield "the left side alone", node.left
        yield "the right side alone", node.right
        yield "the other way to combine them", ast.BinOp(node.left, other, node.right)


def _of_conditions(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "the other way to combine them", ast.BoolOp(other, node.values)
    for index, value in enumerate(node.values):
        rest = node.values[:index] + node.values[index + 1 :]
        yield f"without {ast.unparse(value)[:40]}", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _of_not(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield "the opposite", node.operand


def _of_comparison(node: ast.Compare) -> Iterator[Change]:
    for index, comparison in enumerate(node.ops):
        turned = [*node.ops[:index], _COMPARISONS[type(comparison)](), *node.ops[index + 1 :]]
        yield f"another comparison ({type(turned[index]).__name__})", ast.Compare(node.left, turned, node.comparators)


def _of_call(node: ast.Call) -> Iterator[Change]:
    if not isinstance(node.func, ast.Attribute):
        return
    check, attr = node.func.value, node.func.attr
    if attr == "unless":
        yield "without the exemption", check
        yield "the exemption alone", node.args[0]
    elif attr in _OPPOSITES:
        words: list[ast.expr] = [ast.Constant("some")] if attr == "each" else []
        opposite = ast.Attribute(check, _OPPOSITES[attr], ast.Load())
        yield _OPPOSITES[attr], ast.Call(opposite, [*node.args, *words], node.keywords)


def _of_constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield str(not value), ast.Constant(not value)
    elif isinstance(value, int | float):
        yield str(value + 1), ast.Constant(value + 1)
        yield str(value - 1), ast.Constant(value - 1)
    elif isinstance(value, str):
        yield "another text", ast.Constant(f"XX{value}")


def _of_choice(node: ast.IfExp) -> Iterator[Change]:
    yield "the first alone", node.body
    yield "the second alone", node.orelse


_CHANGES: dict[type[ast.expr], Callable[[Any], Iterator[Change]]] = {
    ast.BinOp: _of_combination,
    ast.BoolOp: _of_conditions,
    ast.Call: _of_call,
    ast.Compare: _of_comparison,
    ast.Constant: _of_constant,
    ast.IfExp: _of_choice,
    ast.UnaryOp: _of_not,
}


class _Replace(ast.NodeTransformer):
    def __init__(self, node: ast.AST, by: ast.expr) -> None:
        self.node, self.by = node, by

    def visit(self, node: ast.AST) -> ast.AST:
        return self.by if node is self.node else self.generic_visit(node)


def _changed(tree: ast.Module, node: ast.expr, by: ast.expr) -> ast.Module:
    """A copy of the module with something else in the place of one node."""
    node.is_changed = True  # type: ignore[attr-defined]
    made = copy.deepcopy(tree)
    del node.is_changed  # type: ignore[attr-defined]
    (mine,) = [each for each in ast.walk(made) if hasattr(each, "is_changed")]
    return ast.fix_missing_locations(_Replace(mine, copy.deepcopy(by)).visit(made))
