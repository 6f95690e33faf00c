"""What the OpenAPI document says of the headers of answers, each described once."""

from collections.abc import Iterator
from typing import Any

from mailhost.api.changes import CHANGING, DRY_RUN_HEADER
from mailhost.api.etags import ETAG
from mailhost.api.idempotency import REPLAYED
from mailhost.api.serializers import Answer
from mailhost.request_id import HEADER as REQUEST_ID

SCHEMAS, HEADERS = "#/components/schemas/", "#/components/headers/"
LOCATION, LINK, RETRY_AFTER, CHALLENGE = "Location", "Link", "Retry-After", "WWW-Authenticate"
RATE, RATE_POLICY = "RateLimit", "RateLimit-Policy"
MEANINGS = {
    REQUEST_ID: "The request's id: as it was sent, or a new one.",
    RATE: "What is left of each policy (`r`), and in how many seconds it begins anew (`t`).",
    RATE_POLICY: "How much may be asked in a minute, by the key and by its tenant (`q`, `w`).",
    RETRY_AFTER: "After how many seconds to ask again.",
    ETAG: "The object as it is now, for `If-Match`.",
    LOCATION: "Where the new object stands, if it has an address of its own.",
    LINK: 'The next page (`rel="next"`), if there is one.',
    REPLAYED: "`true`: what was answered to the same `Idempotency-Key` before. Nothing was done again.",
    DRY_RUN_HEADER: "`true`: nothing was changed.",
    CHALLENGE: "How to show who asks: with a key, as a bearer.",
}
# Of problems only what is for them: the rest is as in every answer, and the id stands in their body.
OF_PROBLEMS = {401: {CHALLENGE}, 409: {RETRY_AFTER}, 429: {RETRY_AFTER, RATE, RATE_POLICY}, 503: {RETRY_AFTER}}


def with_headers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the headers to the document (SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"])."""
    schemas, tagged = result["components"]["schemas"], _tagged()
    for methods in result["paths"].values():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                shapes = [schemas.get(name, {}) | {"name": name} for name in _shapes(answer)]
                names = _names(method.upper(), int(status), shapes, tagged)
                if names:
                    answer["headers"] = {name: {"$ref": f"{HEADERS}{name}"} for name in MEANINGS if name in names}
    result["components"]["headers"] = {
        name: {"description": meaning, "required": name == REQUEST_ID, "schema": {"type": "string"}}
        for name, meaning in MEANINGS.items()
    }
    return result


def _names(method: str, status: int, shapes: list[dict[str, Any]], tagged: set[str]) -> set[str]:
    if status >= 300:
        return OF_PROBLEMS.get(status, set())
    names = {REQUEST_ID, RATE, RATE_POLICY}
    if status in {201, 202}:
        names.add(LOCATION)
    if method in CHANGING:
        names.add(DRY_RUN_HEADER)
    if method == "POST":
        names.add(REPLAYED)
    for shape in shapes:
        fields = shape.get("properties", {})
        if "next_cursor" in fields:
            names.add(LINK)
        elif status != 202 and ("id" in fields or shape["name"] in tagged):
            names.add(ETAG)
    return names


def _shapes(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the shapes that an answer may have."""
    for content in answer.get("content", {}).values():
        if "$ref" in content["schema"]:
            yield content["schema"]["$ref"].removeprefix(SCHEMAS)


def _tagged(of: type[Answer] = Answer) -> set[str]:
    """Return the shapes of objects that have an ETag without an id."""
    found = {one.__name__.removesuffix("Answer") for one in of.__subclasses__() if one.has_etag}
    return found.union(*(_tagged(one) for one in of.__subclasses__()))
