"""Examples for every body of the OpenAPI document, made by rule from its schemas.

One example stands for each named shape, and one for each code of a problem; endpoints refer to them. An endpoint's
problems name in this way the very codes that it answers with.
"""

import re
from typing import Any

from mailhost.api.errors import MEDIA_TYPE, NOT_FOUND, PROBLEMS
from mailhost.api.example_values import BY_NAME, BY_OWNER, LEFT_OUT, UID

SCHEMAS, EXAMPLES = "#/components/schemas/", "#/components/examples/"
PANEL = "https://panel.example.net"
MOMENT, DAY = "2026-11-20T09:30:00Z", "2026-11-20"
# What a shape is called beside the object that it belongs to.
AROUND_THE_OBJECT = re.compile(r"^(Listed|New|Issued|Wanted|Present)|(?<=.)(Change|State|Shape|Choice)$")
PYTHON = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
ERRORS = {
    "validation_failed": {"pointer": "#/storage_quota", "code": "required", "detail": "This field is required."},
    "invalid_parameter": {"parameter": "page", "code": "unknown_parameter", "detail": "This parameter is unknown."},
}
# Only a POST takes an Idempotency-Key.
OF_POST = {"request_in_flight", "idempotency_key_reused"}


def with_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the examples to the document (SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"])."""
    maker = Examples(result["components"]["schemas"])
    for methods in result["paths"].values():
        for method, operation in methods.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["examples"] = maker.named(content["schema"])
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    codes = codes_of(int(status), method) if kind == MEDIA_TYPE else []
                    content["examples"] = {code: _reference(code) for code in codes} or maker.named(content["schema"])
    problems = {code: {"summary": title, "value": problem(code)} for code, (_, title) in PROBLEMS.items()}
    bodies = {name: {"value": value} for name, value in sorted(maker.made.items())}
    result["components"]["examples"] = {**bodies, **problems}
    return result


def codes_of(status: int, method: str) -> list[str]:
    """Return the codes of problems that this method may answer with under this status."""
    known = [code for code, (of_code, _) in PROBLEMS.items() if of_code == status]
    return [code for code in known if method.lower() == "post" or code not in OF_POST]


def problem(code: str) -> dict[str, Any]:
    """Return a problem as it is answered."""
    status, title = PROBLEMS[code]
    error = ERRORS.get(code)
    return {
        "type": f"{PANEL}/api/docs#{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": error["detail"] if error else NOT_FOUND if code == "not_found" else f"{title}.",
        "request_id": BY_NAME["request_id"],
        **({"errors": [error]} if error else {}),
    }


class Examples:
    """Makes examples from the document's schemas. `made` are those that an endpoint refers to, by shape."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas
        self.made: dict[str, Any] = {}

    def named(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the `examples` of a body."""
        if "$ref" not in schema:
            return {"example": {"value": self.of(schema)}}
        name = _name(schema)
        self.made[name] = self.of(schema)
        return {name: _reference(name)}

    def of(self, schema: dict[str, Any], owner: str = "", field: str = "") -> Any:  # noqa: PLR0911 - a line per rule
        """Return a value that is valid against the schema. Raises LookupError where no rule and no table has one."""
        for value in declared(owner, field):
            if fits(value, schema):
                return value
        match schema:
            case {"$ref": _}:
                return self.of_shape(_name(schema))
            case {"oneOf": [first, *_]} | {"allOf": [first, *_]}:
                return self.of(first, owner, field)
            case {"const": value} | {"examples": [value, *_]} | {"enum": [value, *_]}:
                return value
            case {"pattern": pattern}:
                return f"{pattern[1:].partition('_')[0]}_{UID}"
            case {"format": "date-time"}:
                return MOMENT
            case {"format": "date"}:
                return DAY
            case {"type": "array" | ["array", "null"], "items": items}:
                return [self.of(items, owner, field)]
            case {"type": "boolean"}:
                return True
            case {"type": "object"} if "properties" not in schema:
                return {}
        raise LookupError(f"Say in mailhost/api/example_values.py what {owner}.{field} holds.")

    def of_shape(self, name: str) -> dict[str, Any]:
        """Return an object of a named shape."""
        shape = self.schemas[name]
        out = LEFT_OUT.get(name, {"total"} if name.endswith("List") else set())
        return {
            field: self.of(schema, name, field)
            for field, schema in shape.get("properties", {}).items()
            if field not in out
        }


def declared(owner: str, field: str) -> list[Any]:
    """Return what the tables say of a field, the closest first."""
    tables = (BY_OWNER.get(owner, {}), BY_OWNER.get(AROUND_THE_OBJECT.sub("", owner), {}), BY_NAME)
    return [table[field] for table in tables if field in table]


def fits(value: Any, schema: dict[str, Any]) -> bool:  # noqa: PLR0911 - a line per rule
    """Whether a declared value is one of this field, and not of another one of the same name."""
    if alternatives := schema.get("oneOf") or schema.get("anyOf"):
        return any(fits(value, one) for one in alternatives)
    if "$ref" in schema:
        return isinstance(value, dict)
    if "allOf" in schema:
        return False
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    if value is None:
        return "null" in kinds
    if not any(type(value) is PYTHON.get(kind) for kind in kinds):
        return False
    if isinstance(value, list):
        return all(fits(inner, schema["items"]) for inner in value)
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    return re.search(schema.get("pattern", ""), str(value)) is not None


def _name(schema: dict[str, Any]) -> str:
    return schema["$ref"].removeprefix(SCHEMAS)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"{EXAMPLES}{name}"}
