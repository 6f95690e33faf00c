"""How gunicorn serves the panel: `gunicorn --config python:mailhost.serving --workers 4 mailhost.wsgi`.

Threads, because requests wait: for long work (`Prefer: wait`), for customers' name servers. Each thread keeps a
database connection of its own, so MariaDB needs workers × THREADS connections beside those of the daemons.
"""

from gunicorn.glogging import Logger

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


worker_class = "gthread"
threads = THREADS
preload_app = True
control_socket_disable = True
logger_class = DiscreetLogger
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms'
