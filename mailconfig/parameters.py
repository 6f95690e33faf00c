"""Everything in which one machine's daemon configuration differs from another's."""

import ipaddress
import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

ENVIRONMENT_PREFIX = "MAILHOST_CONFIG_"

# These bytes end a value, start a comment or open a variable in one of the three configuration languages.
UNSAFE = re.compile(r"""[\s"'#$%{}\\<>\x00-\x1f\x7f]""")


class InvalidParameter(ValueError):
    """A field holds what cannot be written into a configuration file; the message names the field."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis listens: a socket path or host and port."""

    socket: str
    host: str
    port: int
    database: int
    password: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """The settings of one mail host; the defaults are those of a production machine on Debian 12.

    Paths are absolute. Raises InvalidParameter for a value that a configuration file cannot hold.
    """

    hostname: str = "mail.mailhost.example"
    """Fully qualified name in the SMTP banner, HELO, Received and Authentication-Results; the certificate's name."""
    listen_address: str = "all"
    """Address of the public listeners; `all` is every address of the machine, IPv4 and IPv6."""
    smtp_port: int = 25
    submission_port: int = 587
    submissions_port: int = 465
    reinject_port: int = 10026
    """On 127.0.0.1 only: Sieve hands its redirects and vacation replies to Postfix here."""
    imap_port: int = 143
    imaps_port: int = 993
    pop3_port: int = 110
    pop3s_port: int = 995
    managesieve_port: int = 4190
    doveadm_port: int = 8081
    """On 127.0.0.1 only: doveadm over HTTP, for kicking sessions and reading quotas."""
    sign_in_port: int = 8082
    """On 127.0.0.1 only: Dovecot tells the guard of sign-ins by SMTP here."""
    doveadm_key: str = ""
    """API key of doveadm over HTTP; without one there is no such listener."""

    database_name: str = "mailhost"
    database_socket: str = "/run/mysqld/mysqld.sock"
    """MariaDB's Unix socket; when empty, database_host and database_port are used."""
    database_host: str = "127.0.0.1"
    database_port: int = 3306
    postfix_db_user: str = "mailhost_postfix"
    postfix_db_password: str = ""
    dovecot_db_user: str = "mailhost_dovecot"
    dovecot_db_password: str = ""
    signer_db_user: str = "mailhost_signer"
    signer_db_password: str = ""
    """Of `manage.py signer-agent` on further mail hosts; without a password there is no such user."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    """`redis://[:password@]host:port/db` or `unix:///path?db=0`; Dovecot notes the last sign-ins there."""

    tls_cert_file: Path = Path("/etc/mailhost/tls/fullchain.pem")
    tls_key_file: Path = Path("/etc/mailhost/tls/privkey.pem")

    postfix_config_dir: Path = Path("/etc/postfix")
    postfix_queue_dir: Path = Path("/var/spool/postfix")
    postfix_data_dir: Path = Path("/var/lib/postfix")
    postfix_log: str = ""
    """Log file, in a folder where the user postfix may write; empty logs to syslog (the journal)."""
    milter_socket: Path = Path("/var/spool/postfix/milter/opendkim.sock")
    """OpenDKIM's Unix socket. Over TCP every signed message would wait 90 ms."""
    guard_socket: Path = Path("/var/spool/postfix/guard/fromguard.sock")
    """Unix socket of the guard of header From, which Postfix asks before OpenDKIM."""
    guard_user: str = "mailhost"
    """The user that runs `manage.py fromguard` and owns the folder of its socket."""
    outbound_transport: str = ""
    """Where all outgoing mail goes, e.g. `smtp:[127.0.0.1]:2626`; empty delivers by DNS."""
    lookup_dns: bool = True
    """Whether Postfix asks DNS; off for a private stack without a resolver on port 53."""
    message_size_limit_mb: int = 25

    dovecot_version: str = "2.3"
    """Which templates in deploy/dovecot/ speak the installed Dovecot's language."""
    dovecot_config_dir: Path = Path("/etc/dovecot")
    dovecot_base_dir: Path = Path("/run/dovecot")
    dovecot_state_dir: Path = Path("/var/lib/dovecot")
    dovecot_log: str = ""
    """Log file; empty logs to syslog (the journal)."""
    auth_penalty: bool = True
    """Whether Dovecot answers an address that keeps failing to sign in more and more slowly; off in tests."""
    mail_root: Path = Path("/var/mail/mailhost")
    """Mailbox folders: <mail_root>/<first two of uid>/<uid>."""
    overdraft_mb: int = 100
    """How far beyond its quota a mailbox may be taken by messages that were accepted while it was not full."""
    vmail_uid: int = 5000
    vmail_gid: int = 5000

    opendkim_config_dir: Path = Path("/etc/opendkim")
    opendkim_pid_file: Path = Path("/run/opendkim/opendkim.pid")
    opendkim_syslog: bool = True
    dkim_dir: Path = Path("/var/lib/mailhost/dkim")
    """keys/, KeyTable and SigningTable, written by the signer's worker; no folder above may be world-writable."""
    signer_rest_seconds: int = 7
    """While keys and domains change all the time, the signer's tables are rewritten once in so many seconds."""
    nameservers: tuple[str, ...] = ()
    """Resolvers that OpenDKIM asks, `ip` or `ip@port`; empty is the machine's own."""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check(field.name, getattr(self, field.name))
        if not self.hostname or self.hostname != self.hostname.lower() or "." not in self.hostname:
            raise InvalidParameter(f"hostname: {self.hostname!r} is not a fully qualified name in lower case")
        if self.listen_address != "all" and not _is_address(self.listen_address):
            raise InvalidParameter(f"listen_address: {self.listen_address!r} is neither an IP address nor `all`")
        if self.message_size_limit_mb < 1:
            raise InvalidParameter("message_size_limit_mb: at least 1")

    @staticmethod
    def _check(name: str, value: object) -> None:
        if isinstance(value, Path) and not value.is_absolute():
            raise InvalidParameter(f"{name}: {value} is not an absolute path")
        texts = value if isinstance(value, tuple) else (str(value),)
        for text in texts:
            # The URL is taken apart, so only its parts reach a file.
            if name != "redis_url" and UNSAFE.search(text):
                raise InvalidParameter(f"{name}: blanks, quotes and any of # $ % {{ }} \\ < > cannot be written")
        if name.endswith("_port") and not (isinstance(value, int) and 0 < value < 65536):
            raise InvalidParameter(f"{name}: {value!r} is not a port, a number from 1 to 65535")

    @classmethod
    def from_settings(cls) -> "Parameters":
        """Return this machine's parameters: Django's settings, then MAILHOST_CONFIG_<FIELD> from the environment."""
        database = settings.DATABASES["default"]
        host = database["HOST"]
        # Django takes a host that begins with a slash for a Unix socket.
        has_socket = host.startswith("/")
        values: dict[str, object] = {
            "hostname": settings.MAILHOST_HOSTNAME,
            "nameservers": tuple(settings.MAILHOST_NAMESERVERS),
            "redis_url": settings.REDIS_URL,
            "database_name": database["NAME"],
            "database_socket": host if has_socket else "",
            "database_host": "127.0.0.1" if has_socket else host,
            "database_port": _read("database_port", int, str(database["PORT"] or 3306)),
        }
        for daemon, account in settings.DAEMON_DATABASE_USERS.items():
            values[f"{daemon}_db_user"] = account["user"]
            values[f"{daemon}_db_password"] = account["password"]
        return cls(**(values | cls.environment_values(os.environ)))  # type: ignore[arg-type]

    @classmethod
    def environment_values(cls, environment: "os._Environ[str] | dict[str, str]") -> dict[str, object]:
        """Return the fields that MAILHOST_CONFIG_<FIELD> names, read as the field's type."""
        values: dict[str, object] = {}
        for field in fields(cls):
            text = environment.get(ENVIRONMENT_PREFIX + field.name.upper())
            if text is not None:
                values[field.name] = _read(field.name, field.type, text)
        return values

    @property
    def redis(self) -> RedisAddress:
        """The parts of redis_url. Raises InvalidParameter for what Dovecot cannot speak."""
        url = urlsplit(self.redis_url)
        if url.scheme not in ("redis", "unix"):
            raise InvalidParameter("redis_url: Dovecot speaks redis:// and unix:// only")
        is_socket = url.scheme == "unix"
        number = parse_qs(url.query).get("db", ["0"])[0] if is_socket else url.path.strip("/") or "0"
        try:
            port, database = url.port or 6379, int(number)
        except ValueError:
            raise InvalidParameter("redis_url: its port and its database are numbers") from None
        address = RedisAddress(
            socket=unquote(url.path) if is_socket else "",
            host="" if is_socket else url.hostname or "127.0.0.1",
            port=0 if is_socket else port,
            database=database,
            password=unquote(url.password or ""),
        )
        # A colon parts the words of Dovecot's dict address.
        if UNSAFE.search(address.password) or ":" in address.password + address.socket:
            raise InvalidParameter("redis_url: its password or path cannot be written into Dovecot's configuration")
        return address

    @property
    def postfix_log_dir(self) -> Path:
        return Path(self.postfix_log).parent

    @property
    def dovecot_config_file(self) -> Path:
        return self.dovecot_config_dir / "dovecot.conf"

    @property
    def opendkim_config_file(self) -> Path:
        return self.opendkim_config_dir / "opendkim.conf"


def _read(name: str, kind: object, text: str) -> object:
    """Return what a text says for a parameter of that type. Raises InvalidParameter."""
    try:
        return READERS[kind](text)
    except InvalidParameter as error:
        raise InvalidParameter(f"{name}: {error}") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _number(text: str) -> int:
    # Not int() alone, which also reads `1_0` and other alphabets' digits.
    if not (text.isascii() and text.isdigit()):
        raise InvalidParameter(f"{text!r} is not a whole number")
    return int(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _truth(text: str) -> bool:
    if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise InvalidParameter(f"{text!r} is neither yes nor no")
    return text.lower() in ("1", "true", "yes", "on")


# Keyed by the annotation of the field.
READERS = {str: str, int: _number, bool: _truth, Path: Path, tuple[str, ...]: _words}
