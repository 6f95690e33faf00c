"""How gunicorn serves the panel: `gunicorn --config python:mailhost.serving --workers 4 mailhost.wsgi`.

Threads, because requests wait: for long work (`Prefer: wait`), for customers' name servers. Each thread keeps a
database connection of its own, so MariaDB needs workers × THREADS connections beside those of the daemons.
"""

import json
import socket

from gunicorn import util
from gunicorn.glogging import Logger

from mailhost.request_id import carrying, new_request_id
from mailhost.request_log import WithoutTokens, without_tokens
from mailhost.waiting import THREADS


class DiscreetLogger(Logger):
    """Writes no query and no referring page, and of a path no token: who reads a log must not get in by it."""

    def setup(self, cfg) -> None:
        super().setup(cfg)
        self.error_log.addFilter(WithoutTokens())

    def atoms(self, resp, req, environ, request_time):
        atoms = super().atoms(resp, req, environ, request_time)
        # As it was sent: decoded, it could hold the end of a line.
        path = without_tokens(environ["RAW_URI"].partition("?")[0])
        version = environ["SERVER_PROTOCOL"]
        return {**atoms, "r": f"{environ['REQUEST_METHOD']} {path} {version}", "U": path, "q": "", "f": "-"}


def write_problem(connection: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer what is no HTTP, or was given up, in the shape of the API's errors: whose path it was is not known yet."""
    # Not before: gunicorn reads this file before Django's settings are there.
    from mailhost.api.errors import INTERNAL_ERROR, MEDIA_TYPE, body  # noqa: PLC0415

    with carrying(new_request_id()):
        if status < 500:
            members = body("malformed_request", message or reason)
        else:
            members = body("internal_error", INTERNAL_ERROR)
    text = json.dumps(members).encode()
    head = (
        f"HTTP/1.1 {members['status']} {members['title']}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"X-Request-Id: {members['request_id']}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    util.write_nonblock(connection, head.encode() + text)


# gunicorn has no setting for it, and calls this by its name: it would answer a page of HTML.
util.write_error = write_problem

worker_class = "gthread"
threads = THREADS
preload_app = True
control_socket_disable = True
logger_class = DiscreetLogger
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms'
