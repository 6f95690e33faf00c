"""JSON as answers have it: compact UTF-8. For what is sent, for ETags, and for answers that are kept."""

from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

# Times are RFC 3339 in UTC, as they are stored. What orjson would refuse, or a dataclass, is written as DRF does it.
OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATACLASS
ENCODER = JSONEncoder()


def rendered(value: Any) -> bytes:
    return orjson.dumps(value, default=ENCODER.default, option=OPTIONS)


def as_json(value: Any) -> Any:
    """Return what somebody reads who is sent this: times are texts in it. For answers that are kept."""
    return orjson.loads(rendered(value))


class Renderer(JSONRenderer):
    """The one way in which endpoints answer."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else rendered(data)
