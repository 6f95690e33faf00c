"""ETags (RFC 9110, 8.8.3): a digest of what an answer says of one object, without what changes by itself."""

import hashlib

from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict

from mailhost.api.rendering import rendered

ETAG = "ETag"


def etag_of(response: Response) -> str | None:
    """Return the ETag of an answer that shows one object, None for any other answer.

    What the answer's serializer calls `volatile` (use, last sign-in) is left out: a message that arrives meanwhile
    must not get in the way of a change.
    """
    data = getattr(response, "data", None)
    if response.status_code not in {200, 201} or not isinstance(data, ReturnDict):
        return None
    if "id" not in data and not getattr(data.serializer, "has_etag", False):
        return None
    volatile = getattr(data.serializer, "volatile", frozenset())
    said = {name: value for name, value in data.items() if name not in volatile}
    return f'"{hashlib.sha256(rendered(said)).hexdigest()[:32]}"'


def matches(header: str, present: str | None) -> bool:
    """Whether If-Match or If-None-Match names what is there; "*" means anything. Weak tags match nothing."""
    if header.strip() == "*":
        return present is not None
    return present in {tag.strip() for tag in header.split(",")}
