"""Keep this mail host's signer as the database says, in the foreground, until SIGTERM."""

import signal
import threading
import time

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.module_loading import import_string

from dns import operations
from dns.signing import SigningFault

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
THOROUGH_SECONDS = 60
TRY_AGAIN_SECONDS = 5


class Command(BaseCommand):
    help = (
        "Write the DKIM keys and tables of this machine's OpenDKIM whenever they change in the database. For every"
        " mail host beside the one that runs the worker of the signer's queue; the database user"
        " MAILHOST_SIGNER_DB_USER is enough."
    )
    requires_system_checks = []

    def handle(self, **_options):
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        parameters = import_string(operations.PARAMETERS).from_settings()
        thorough_at = time.monotonic()
        while not stopped.is_set():
            thorough = time.monotonic() >= thorough_at
            wait = self._follow(parameters, thorough)
            if thorough:
                thorough_at = time.monotonic() + THOROUGH_SECONDS
            stopped.wait(wait)

    def _follow(self, parameters, thorough: bool) -> float:
        """Do what is to be done now; return after how many seconds to look again."""
        now = timezone.now()
        try:
            if thorough or not operations.is_up_to_date(parameters.hostname):
                operations.follow_database(parameters, thorough=thorough, now=now)
        except operations.Resting as resting:
            return resting.seconds
        except (OSError, SigningFault) as fault:
            operations.note_fault(parameters.hostname, fault, now)
            return TRY_AGAIN_SECONDS
        except DatabaseError as error:
            # The tables that stand sign on; a connection that broke is made anew.
            log.warning("database_away", reason=str(error))
            connection.close()
            return TRY_AGAIN_SECONDS
        return LOOK_SECONDS
