"""Authentication-Results (RFC 8601): which headers claim to be ours, and what ours say."""

import re

HEADER = b"authentication-results"
# RFC 8601, 2.2: comments and blanks, then the authserv-id as a token (RFC 2045) or a quoted string.
BLANKS = re.compile(rb"[ \t\r\n]+")
TOKEN = re.compile(rb"[^\x00-\x20\x7f\"(),:;<=>?@\[\\\]/]+")
QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def claims_to_be(value: bytes, hostname: str) -> bool:
    """Whether an Authentication-Results value bears this host's name, or one that cannot be told from it for sure."""
    position = _after_comments(value, 0)
    if found := TOKEN.match(value, position):
        named = found[0]
    elif found := QUOTED.match(value, position):
        named = re.sub(rb"\\(.)", rb"\1", found[1], flags=re.DOTALL)
    else:
        return True
    return named.strip().rstrip(b".").lower() == hostname.encode()


def _after_comments(value: bytes, position: int) -> int:
    """Return where the blanks and (nested) comments that begin at `position` end."""
    depth = 0
    while position < len(value):
        sign = value[position : position + 1]
        if sign == b"(":
            depth += 1
        elif depth and sign == b")":
            depth -= 1
        elif depth and sign == b"\\":
            position += 1
        elif not depth and not BLANKS.match(sign):
            break
        position += 1
    return min(position, len(value))


def submission_results(hostname: str) -> bytes:
    """Return our verdict on a submitted message. It does not name the login, which may be a mailbox behind an alias."""
    return f" {hostname}; auth=pass".encode()
