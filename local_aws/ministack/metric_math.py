"""Evaluates metric math, as far as alarms use it; refuses every other function and operator by name.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

# One value a period, the newest last; None for a period without data.
Series = list[float | None]
Operation = Callable[[float, float], float]


@dataclass(frozen=True)
class Array:
    """An array of time series, as `[m1, m2]` or `METRICS()`."""

    series: list[Series]


# A number stands for a scalar.
Value = float | Series | Array

# CloudWatch's words for logical operators -> Python's, whose precedence is the same.
WORDS = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or "}
ARITHMETIC: dict[type[ast.operator], Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type[ast.cmpop], Operation] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


class MetricMathError(ValueError):
    """An expression that is wrong, or that local_aws cannot evaluate."""


def evaluate(expression: str, series: Mapping[str, Series], metrics: Sequence[str]) -> Value:
    """Return the value of `expression`; `series` has the time series by id, `metrics` the ids of METRICS().

    Raises `MetricMathError`.
    """
    return _Evaluation(series, metrics).value(parse(expression))


def parse(expression: str) -> ast.expr:
    """Return the syntax tree: metric math is written like Python. Raises `MetricMathError`."""
    text = re.sub(r"\bAND\b|\bOR\b|&&|\|\|", lambda match: WORDS[match[0]], expression)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise MetricMathError(f"the expression {expression!r} is not metric math") from error


def identifiers(expression: str) -> set[str]:
    """Return the ids that an expression refers to."""
    nodes = list(ast.walk(parse(expression)))
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in functions}


class _Evaluation:
    def __init__(self, series: Mapping[str, Series], metrics: Sequence[str]) -> None:
        self._series = series
        self._metrics = metrics
        self._length = max((len(one) for one in series.values()), default=0)

    def value(self, node: ast.expr) -> Value:
        """Return the value of a part of an expression."""
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in self._series:
                return self._series[name]
            case ast.List(elts=parts):
                return Array([self._series_of(part) for part in parts])
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
            case ast.BoolOp(op=op, values=parts):
                return self._logical(all if isinstance(op, ast.And) else any, parts)
        return self._operation(node)

    def _operation(self, node: ast.expr) -> Value:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return self._combine(ARITHMETIC[type(op)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[compared], comparators=[right]) if type(compared) in COMPARISONS:
                return self._compare(COMPARISONS[type(compared)], self.value(left), self.value(right))
        raise MetricMathError(f"local_aws does not support {ast.unparse(node)!r} in metric math")

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        match name, arguments:
            case "METRICS", []:
                return Array([self._series[each] for each in self._metrics])
            case "FILL", [filled, ast.Constant(value=int() | float() as number)]:
                return _fill(self.value(filled), float(number))
            case "IF", [condition, then, otherwise]:
                return self._if(condition, then, otherwise)
            case _, [argument] if name in AGGREGATES:
                return _aggregate(name, self.value(argument))
        raise MetricMathError(f"local_aws does not support {name}() with {len(arguments)} arguments")

    def _series_of(self, node: ast.expr) -> Series:
        return self._each(self.value(node))

    def _each(self, value: Value) -> Series:
        """Return a time series as it is, and a scalar as one that is the same in each period."""
        if isinstance(value, Array):
            raise MetricMathError("local_aws supports arrays of time series in functions only")
        return [value] * self._length if isinstance(value, float) else value

    def _combine(self, operation: Operation, left: Value, right: Value) -> Value:
        """Combine period by period; a period in which one side has no data has no result."""
        if isinstance(left, float) and isinstance(right, float):
            return float(operation(left, right))
        pairs = zip(self._each(left), self._each(right), strict=True)
        return [None if a is None or b is None else _apply(operation, a, b) for a, b in pairs]

    def _compare(self, operation: Operation, left: Value, right: Value) -> Value:
        """Compare; of two time series, one that has no data where the other has some counts as 0 there."""
        if isinstance(left, list) and isinstance(right, list):
            filled = [
                (None, None) if a is b is None else (a or 0.0, b or 0.0)
                for a, b in zip(left, right, strict=True)
            ]
            left, right = [a for a, _ in filled], [b for _, b in filled]
        return self._combine(operation, left, right)

    def _logical(self, joined: Callable[[Sequence[bool]], bool], parts: Sequence[ast.expr]) -> Value:
        columns = zip(*(self._series_of(part) for part in parts), strict=True)
        return [
            None if all(one is None for one in column) else float(joined([bool(one) for one in column]))
            for column in columns
        ]

    def _if(self, condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> Value:
        columns = zip(*(self._series_of(part) for part in (condition, then, otherwise)), strict=True)
        return [None if asked is None else yes if asked else no for asked, yes, no in columns]


def _apply(operation: Operation, left: float, right: float) -> float | None:
    try:
        return float(operation(left, right))
    except ZeroDivisionError:
        return None


def _aggregate(name: str, value: Value) -> Value:
    """Aggregate an array to a time series, or a time series to a scalar; missing data is left out."""
    if isinstance(value, float):
        raise MetricMathError(f"{name}() takes time series, not a number")
    if isinstance(value, list):
        return _of_present(name, value) or 0.0
    return [_of_present(name, column) for column in zip(*value.series, strict=True)]


def _of_present(name: str, values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(AGGREGATES[name](present)) if present else None


def _fill(value: Value, number: float) -> Value:
    if isinstance(value, float):
        raise MetricMathError("FILL() takes time series, not a number")
    if isinstance(value, list):
        return [number if one is None else one for one in value]
    return Array([[number if one is None else one for one in series] for series in value.series])
