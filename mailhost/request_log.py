"""Two lines in the log for each request, without what makes an address a secret: links that open something once."""

import logging
import re

from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

# Random enough to be guarded, and longer than every opaque id and every name of a thing.
TOKEN = re.compile(r"(?<=/)(?![a-z]{3}_[0-9a-z]{20}(/|$))[A-Za-z0-9_:%-]{24,}(?=[/?#\s'\"]|$)")


def without_tokens(text: str) -> str:
    """Return a path, or a sentence with one in it, without its tokens."""
    return TOKEN.sub("…", text)


class WithoutTokens(logging.Filter):
    """Takes tokens out of what libraries log: Django names the path of what was refused, gunicorn of what failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_tokens(one) if isinstance(one, str) else one for one in record.args)
        if isinstance(record.msg, str):
            record.msg = without_tokens(record.msg)
        return True


class RequestLogMiddleware(RequestMiddleware):
    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {without_tokens(request.path)}"
