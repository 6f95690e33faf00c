"""JSON as answers have it: compact UTF-8. For what is sent, for ETags, and for answers that are kept."""

from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

# What orjson would write in its own way, or refuse, is written as DRF does it.
OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
ENCODER = JSONEncoder()


def rendered(value: Any) -> bytes:
    return orjson.dumps(value, default=ENCODER.default, option=OPTIONS)


class Renderer(JSONRenderer):
    """The one way in which endpoints answer."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else rendered(data)
