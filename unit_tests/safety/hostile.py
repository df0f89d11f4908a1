"""Inputs of a hostile client: strings that break parsers, bodies with a service's shapes, archives."""

import io
import stat
import zipfile
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The inputs are the same in every run. `--hypothesis-show-statistics` counts them.
LOOSE = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
EXAMPLES = settings(
    derandomize=True, database=None, deadline=None, max_examples=500, suppress_health_check=LOOSE
)

# fmt: off
WORDS = [
    "", ".", "..", "../x", "../../etc/passwd", "/etc/passwd", "a/../../b", "a\0b", "a\nb", "-x",
    "$(touch x)", "`touch x`", "; touch x", "| touch x", "&& touch x", "'", '"', "\\", "\ud800", "²",
    "main", "x", "1", "0.0", "arn:aws:iam::123456789012:role/r", "arn:", ":", "sha256:" + "0" * 64, "x:1",
    "a" * 300, "null", "%2e%2e", "--upload-pack=x",
    "2020-99-99", "1e999", "NaN", "{}", "[]", "a:\n  - b", "&a [*a]", "{{", "ReDoS" + "/" * 50,
]
# fmt: on
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
scalars = st.one_of(
    texts, st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from([2**63, -1, 0, 10**400])
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
DEPTH = 4


def bodies(shape: Shape, depth: int = DEPTH) -> st.SearchStrategy[Any]:
    """Return mostly well-typed values of a shape, with hostile strings and some wrong types."""
    return st.one_of(*[_typed(shape, depth)] * 9, scalars)


def _typed(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    if isinstance(shape, StructureShape):
        return _structures(shape, depth - 1) if depth > 0 else st.just({})
    if isinstance(shape, ListShape):
        return st.lists(bodies(shape.member, depth - 1), max_size=2) if depth > 0 else st.just([])
    if isinstance(shape, MapShape):
        return (
            st.dictionaries(texts, bodies(shape.value, depth - 1), max_size=2) if depth > 0 else st.just({})
        )
    return _scalars(shape)


def _structures(shape: StructureShape, depth: int) -> st.SearchStrategy[Any]:
    required = {name: _typed(shape.members[name], depth) for name in shape.required_members}
    optional = {name: bodies(member, depth) for name, member in shape.members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _scalars(shape: Shape) -> st.SearchStrategy[Any]:
    if isinstance(shape, StringShape) and shape.enum:
        return st.sampled_from(shape.enum)
    kinds: Mapping[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.one_of(st.integers(0, 70000), st.integers()),
        "long": st.integers(),
        "double": st.floats(),
        "timestamp": st.one_of(st.integers(), st.floats()),
    }
    return kinds.get(shape.type_name, texts)


def archive(*entries: tuple[str, str | bytes], links: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return a zip of files and, after them, of links (name, target)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
        for name, content in entries:
            files.writestr(name, content)
        for name, to in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            files.writestr(info, to)
    return target.getvalue()
