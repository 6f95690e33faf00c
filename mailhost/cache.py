"""What the cache holds in Redis: JSON and nothing else."""

import json
from typing import Any


class JsonSerializer:
    """Django's own one unpickles, so whoever could write to Redis could run code in the panel."""

    def dumps(self, value: Any) -> str:
        # A number is text of digits in JSON as in Redis, which counts with it.
        return json.dumps(value, separators=(",", ":"))

    def loads(self, data: bytes) -> Any:
        return json.loads(data)
