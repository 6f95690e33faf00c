"""Run the guard of header From, and of Sieve's listener, in the foreground, until SIGTERM."""

import asyncio
import gc
import os
import signal
from pathlib import Path

import uvloop
from django.core.management.base import BaseCommand, CommandError

from guard.database import Database
from guard.local_policy import SOCKET_NAME, LocalPolicy
from guard.milter import run
from guard.pace import Pace
from guard.sign_ins import heard
from guard.verdict import Judge
from mailconfig.parameters import InvalidParameter, Parameters


class Command(BaseCommand):
    help = "Run the milter that judges under which address a signed-in person writes; Postfix asks it before OpenDKIM."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--socket", type=Path, help="the Unix socket (MAILHOST_CONFIG_GUARD_SOCKET)")

    def handle(self, **options):
        try:
            parameters = Parameters.from_settings()
        except InvalidParameter as error:
            raise CommandError(str(error)) from error
        database = Database(parameters)
        judge = Judge(parameters.hostname, database, Pace())
        path = options["socket"] or parameters.guard_socket
        # The panel runs as the same user as the guard.
        local = LocalPolicy({parameters.vmail_uid, os.geteuid()})
        # What is there now stays: to look through it again and again would hold up every session.
        gc.freeze()
        uvloop.run(self._until_stopped(judge, path, local, parameters.sign_in_port))

    async def _until_stopped(self, judge: Judge, path: Path, policy: LocalPolicy, sign_in_port: int) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        # Beside the milter's socket, in the folder that Postfix may enter.
        server = await policy.serve(path.parent / SOCKET_NAME)
        async with heard(sign_in_port):
            await run(judge, path, stopped)
        server.close()
