"""Looks at the daemons and servers from where the panel runs. Each probe returns a Finding or raises OSError or what
its client raises; none speaks to the database, and `health.parts` bounds all of them in time."""

import json
import selectors
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import Redis

from dns.answers import DETAILS
from dns.lookup import look_up
from health.findings import OK, PROBLEM, WAITING, Finding
from mailconfig.parameters import Parameters
from mailhost import heartbeat
from mailhost.background import DEFAULT_QUEUE, QUEUES
from mailhost.celery import app

SECONDS = 1.5
WORKERS_ANSWER_SECONDS = 0.8
# Beat announces waiting jobs every 10 seconds, and a worker notes it.
BEAT_IS_LATE_SECONDS = 60
QUEUE_WAITS_SECONDS, QUEUE_STANDS_SECONDS = 4 * 3600, 24 * 3600
CERTIFICATE_WARNS_DAYS, CERTIFICATE_ALARMS_DAYS = 21, 7
POSTQUEUE = "/usr/sbin/postqueue"
EVERY_ADDRESS = "all"


def redis(_parameters: Parameters) -> Finding:
    with Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
        started = time.monotonic()
        client.ping()
        took = round((time.monotonic() - started) * 1000)
    return Finding(OK, _("It answered in %(took)s ms.") % {"took": took})


def workers(_parameters: Parameters) -> Finding:
    """Ask the workers which queues they serve; each queue needs one."""
    answers = app.control.inspect(timeout=WORKERS_ANSWER_SECONDS).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    if missing := sorted({DEFAULT_QUEUE, *QUEUES.values()} - served):
        return Finding(PROBLEM, _("Nobody serves the queue %(queues)s.") % {"queues": ", ".join(missing)})
    text = ngettext("%(count)s worker answered.", "%(count)s workers answered.", len(answers))
    return Finding(OK, text % {"count": len(answers)})


def beat(_parameters: Parameters) -> Finding:
    age = heartbeat.seconds_since()
    if age is None:
        return Finding(PROBLEM, _("Nothing that runs by the clock was seen yet."))
    state = OK if age < BEAT_IS_LATE_SECONDS else PROBLEM
    return Finding(state, _("What runs by the clock was seen %(age)s s ago.") % {"age": round(age)})


def postfix(parameters: Parameters) -> Finding:
    return greets(parameters, parameters.smtp_port, b"220")


def dovecot(parameters: Parameters) -> Finding:
    return greets(parameters, parameters.imap_port, b"* OK")


def greets(parameters: Parameters, port: int, greeting: bytes) -> Finding:
    with socket.create_connection((address_of(parameters), port), SECONDS) as connection:
        said = connection.recv(200)
    if not said.startswith(greeting):
        shown = said.decode("ascii", "replace").strip()[:100]
        return Finding(PROBLEM, _("Port %(port)s says: %(said)s") % {"port": port, "said": shown})
    return Finding(OK, _("Port %(port)s greets.") % {"port": port})


def opendkim(parameters: Parameters) -> Finding:
    return listens(parameters.milter_socket)


def guard(parameters: Parameters) -> Finding:
    return listens(parameters.guard_socket)


def listens(path: Path) -> Finding:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        try:
            connection.connect(str(path))
        except PermissionError:
            return Finding(WAITING, _("The panel's user may not connect to its socket, so nothing is known of it."))
    return Finding(OK, _("Its socket takes connections."))


def queue(parameters: Parameters) -> Finding:
    """Count what waits in Postfix, as far as its list can be read in time."""
    counted: Counter[str] = Counter()
    oldest = now = time.time()
    is_whole = True
    for line in queue_lines(parameters.postfix_config_dir):
        if line is None:
            is_whole = False
            break
        message = json.loads(line)
        counted[message["queue_name"]] += 1
        oldest = min(oldest, message["arrival_time"])
    number = sum(counted.values())
    if not number:
        return Finding(OK, _("No message waits."))
    text = ngettext("%(count)s message waits", "%(count)s messages wait", number) % {"count": number}
    if not is_whole:
        text = _("More than %(count)s messages wait") % {"count": number}
    age = now - oldest
    state = PROBLEM if age > QUEUE_STANDS_SECONDS else WAITING if age > QUEUE_WAITS_SECONDS else OK
    since = datetime.fromtimestamp(oldest, UTC)
    told = {"waits": text, "deferred": counted["deferred"], "age": timesince(since, datetime.fromtimestamp(now, UTC))}
    return Finding(state, _("%(waits)s, %(deferred)s of them for a later try; the oldest for %(age)s.") % told)


def queue_lines(config_dir: Path) -> Iterator[bytes | None]:
    """Yield Postfix's list of its queue, a message a line, and None where the time is over before its end.

    Raises OSError when it cannot be asked.
    """
    ends = time.monotonic() + SECONDS
    command = [POSTQUEUE, "-c", str(config_dir), "-j"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        try:
            yield from lines_until(asked, ends)
            if asked.wait(max(0.1, ends - time.monotonic())):
                raise OSError(asked.stderr.read(300).decode("ascii", "replace").strip())
        except subprocess.TimeoutExpired:
            yield None
        finally:
            asked.kill()


def lines_until(asked: subprocess.Popen, ends: float) -> Iterator[bytes | None]:
    with selectors.DefaultSelector() as selector:
        selector.register(asked.stdout, selectors.EVENT_READ)
        rest = b""
        while selector.select(max(0, ends - time.monotonic())):
            chunk = asked.stdout.read1(1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        yield None


def certificates(parameters: Parameters) -> Finding:
    """Look at the certificates that mail programs are shown, not at files: what is served is what counts."""
    found = [
        served(address_of(parameters), port, parameters.hostname)
        for port in (parameters.imaps_port, parameters.submissions_port)
    ]
    ends = min(certificate.not_valid_after_utc for certificate in found)
    days = (ends - datetime.now(UTC)).days
    state = PROBLEM if days < CERTIFICATE_ALARMS_DAYS else WAITING if days < CERTIFICATE_WARNS_DAYS else OK
    told = {"until": date_format(ends, "j F Y"), "days": days}
    if days < 0:
        return Finding(state, _("A certificate ended on %(until)s.") % told)
    return Finding(state, _("Good until %(until)s, %(days)s days from now.") % told)


def served(address: str, port: int, hostname: str) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Whoever is shown an expired one wants to know its date.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, port), SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=hostname) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True))


def resolver(parameters: Parameters) -> Finding:
    started = time.monotonic()
    answer = look_up(parameters.hostname, "A")
    took = round((time.monotonic() - started) * 1000)
    if answer.is_temporary:
        return Finding(PROBLEM, DETAILS[answer.outcome])
    return Finding(OK, _("It answered in %(took)s ms.") % {"took": took})


def address_of(parameters: Parameters) -> str:
    return "127.0.0.1" if parameters.listen_address == EVERY_ADDRESS else parameters.listen_address
