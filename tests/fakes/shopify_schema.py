"""Shopify's own Admin schema: what may be asked, by whom, and what it costs."""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
    value_from_ast_untyped,
    visit,
)

FILE = Path(os.environ.get("HUB_TEST_DATA", "/nowhere")) / "shopify"
SCHEMA = FILE / "admin_2026-07.introspection.json.gz"
MOST = 1000  # points of one query
Scopes = frozenset[str]


@dataclass(frozen=True)
class Document:
    """``errors``: what is wrong with it; ``needs``: fields, each with the scopes that open it."""

    node: DocumentNode
    name: str
    errors: tuple[GraphQLError, ...]
    needs: tuple[tuple[str, Scopes], ...]
    protected: frozenset[str]


@cache
def raw() -> dict[str, Any]:
    found = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    return found.get("data", found)


@cache
def schema() -> GraphQLSchema:
    return build_client_schema(raw(), assume_valid=True)


@cache
def _access() -> tuple[dict[str, Scopes], frozenset[tuple[str, str]]]:
    """Scopes by "Type" and "Type.field", and the fields that are protected customer data."""
    scopes: dict[str, Scopes] = {}
    protected = set()
    for kind in raw()["__schema"]["types"]:
        if needed := _scopes(kind.get("requiredAccess")):
            scopes[kind["name"]] = needed
        for field in kind.get("fields") or ():
            if needed := _scopes(field.get("requiredAccess")):
                scopes[f"{kind['name']}.{field['name']}"] = needed
            if field.get("isProtected"):
                protected.add((kind["name"], field["name"]))
    return scopes, frozenset(protected)


def _scopes(text: str | None) -> Scopes:
    return frozenset(re.findall(r"`((?:read|write)_[a-z_]+)`", text or ""))


@cache
def read(text: str) -> Document:
    node = parse(text)
    [operation] = [d for d in node.definitions if isinstance(d, OperationDefinitionNode)]
    seen = _Seen()
    errors = tuple(validate(schema(), node))
    if not errors:
        info = TypeInfo(schema())
        seen.info = info
        visit(node, TypeInfoVisitor(info, seen))
    name = operation.name.value if operation.name else ""
    needs = tuple(dict.fromkeys(seen.needs))
    return Document(node, name, errors, needs, frozenset(seen.protected))


class _Seen(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.info: Any = None
        self.needs: list[tuple[str, Scopes]] = []
        self.protected: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        scopes, protected = _access()
        parent, own = self.info.get_parent_type(), self.info.get_type()
        name = node.name.value
        for key in (f"{parent.name}.{name}", get_named_type(own).name):
            if key in scopes:
                self.needs.append((name, scopes[key]))
        if (parent.name, name) in protected:
            self.protected.add(name)


def cost(document: Document, variables: dict[str, Any]) -> int:
    """Roughly as Shopify counts: an object 1, a list its length times one of it, a mutation 10."""
    fragments = {
        d.name.value: d for d in document.node.definitions if isinstance(d, FragmentDefinitionNode)
    }

    def of(selection: SelectionSetNode | None, kind: Any, many: int = 1) -> int:
        total = 0
        for one in selection.selections if selection else ():
            if not isinstance(one, FieldNode):
                total += of(fragments[one.name.value].selection_set, kind, many)  # type: ignore[union-attr]
                continue
            field = kind.fields.get(one.name.value)
            if field is None:
                continue
            named = get_named_type(field.type)
            if is_leaf_type(named) or one.name.value == "pageInfo":
                continue
            args = {
                a.name.value: value_from_ast_untyped(a.value, variables)
                for a in one.arguments or ()
            }
            if "first" in args:
                total += 2 + of(one.selection_set, named, int(args["first"]))
            elif one.name.value == "nodes":
                total += many * (1 + of(one.selection_set, named))
            else:
                total += 1 + of(one.selection_set, named)
        return total

    [operation] = [d for d in document.node.definitions if isinstance(d, OperationDefinitionNode)]
    if operation.operation.value == "mutation":
        return 10 * len(operation.selection_set.selections)
    return of(operation.selection_set, schema().query_type)


def actual(data: Any) -> int:
    if isinstance(data, dict):
        return 1 + sum(actual(value) for value in data.values())
    return sum(actual(one) for one in data) if isinstance(data, list) else 0
