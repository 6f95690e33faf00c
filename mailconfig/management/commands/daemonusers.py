"""Create the database users of Postfix, Dovecot and further signers, with the rights that their questions need."""

import MySQLdb
from django.db import connection

from mailconfig import grants
from mailconfig.parameters import InvalidParameter, Parameters
from mailhost.errors import Refused
from mailhost.management.noun import Answering, Said


class Command(Answering):
    help = (
        "Create the database users of Postfix and Dovecot and give them SELECT on the columns that mailboxes/lookups.py"
        " names, and no more; and, where MAILHOST_SIGNER_DB_PASSWORD is set, the one of signers on further mail hosts."
        " Run it after each migration; it changes nothing when all is as it should be."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--admin-socket", help="sign in as MariaDB's root over this socket (needs root)")
        parser.add_argument("--admin-user", default="root", help="the user for --admin-socket (root)")
        parser.add_argument(
            "--client-host",
            action="append",
            help="a host that the daemons connect from, in MariaDB's words; may be given again (localhost, 127.0.0.1)",
        )

    def handle(self, **options):
        self.answer(lambda: self._grant(options), options["json"])

    def _grant(self, options) -> Said:
        try:
            parameters = Parameters.from_settings()
        except InvalidParameter as error:
            raise Refused("invalid_parameter", "", str(error)) from error
        accounts = {
            "postfix": (parameters.postfix_db_user, parameters.postfix_db_password),
            "dovecot": (parameters.dovecot_db_user, parameters.dovecot_db_password),
            grants.SIGNER: (parameters.signer_db_user, parameters.signer_db_password),
        }
        if not parameters.signer_db_password:
            del accounts[grants.SIGNER]
        hosts = tuple(options["client_host"] or grants.HOSTS)
        link = self._link(options)
        for daemon, (user, password) in accounts.items():
            if not password:
                raise Refused("no_password", "", f"MAILHOST_{daemon.upper()}_DB_PASSWORD is not set.")
            try:
                grants.grant(link, parameters.database_name, daemon, user=user, password=password, hosts=hosts)
            except MySQLdb.Error as error:
                raise Refused("database", "", f"{daemon}: {error.args[1]} ({error.args[0]})") from error
        data = [{"daemon": daemon, "user": user, "hosts": list(hosts)} for daemon, (user, _) in accounts.items()]
        return Said(data, "\n".join(f"{one['daemon']}: {one['user']} at {', '.join(hosts)}" for one in data))

    def _link(self, options):
        if not options["admin_socket"]:
            connection.ensure_connection()
            return connection.connection
        try:
            return MySQLdb.connect(unix_socket=options["admin_socket"], user=options["admin_user"])
        except MySQLdb.Error as error:
            raise Refused("database", "", f"{options['admin_socket']}: {error.args[1]}") from error
