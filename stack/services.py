"""The services of a private stack: how each is started, and how one knows that it serves."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import celery
import dns.exception
from celery.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from dns import message, query
from mailconfig.parameters import Parameters
from stack.layout import CLONE
from stack.supervisor import Service

# These serve the others, so they start first and stop last.
SERVERS = ("mariadb", "redis", "bind")
MAIL = ("dovecot", "opendkim", "outside")
PYTHON = ("web", "worker", "beat")
DOOR = "tls"
PROBE_SECONDS = 2


def accepts_port(port: int) -> bool:
    """True when something accepts connections at this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def accepts_socket(path: Path | str) -> bool:
    """True when something accepts connections at this Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def says(port: int, greeting: bytes) -> bool:
    """True when the server at this port begins with `greeting`."""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_SECONDS) as probe:
            return probe.recv(100).startswith(greeting)
    except OSError:
        return False


def answers_dns(port: int) -> bool:
    """True when the name server answers for its own zones with authority."""
    for zone in ("example.", "mailhost.example."):
        try:
            answer = query.udp(message.make_query(zone, "SOA"), "127.0.0.1", 0.2, port)
        except (OSError, dns.exception.DNSException):
            return False
        if not answer.answer:
            return False
    return True


def answers_redis(url: str) -> bool:
    """True when Redis takes the URL's password and answers PING."""
    try:
        with Redis.from_url(url, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS) as client:
            return bool(client.ping())
    except (OSError, RedisError):
        return False


def answers_http(port: int) -> bool:
    """True when the web application answers a request, whatever it says."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def worker_answers(broker_url: str) -> bool:
    """True when a Celery worker answers a ping through the broker."""
    with celery.Celery(broker=broker_url) as app:
        try:
            return bool(app.control.ping(timeout=0.3, limit=1))
        except (OSError, OperationalError, RedisError):
            return False


def system_environment() -> dict[str, str]:
    """Return the environment of a daemon: nothing of the caller's settings may reach a second stack."""
    kept = {name: os.environ[name] for name in ("PATH", "TERM", "TZ") if name in os.environ}
    return {"LANG": "C.UTF-8", "HOME": "/root", **kept}


def python_environment(home: Path) -> dict[str, str]:
    """Return the environment of our own processes: the settings come from the stack's file only."""
    return {
        **system_environment(),
        "MAILHOST_ENV_FILE": str(home / "mailhost.env"),
        "DJANGO_SETTINGS_MODULE": "mailhost.settings",
        "PYTHONUNBUFFERED": "1",
        # Nothing outside answers here; what is asked over TLS bears a certificate of the stack's own authority.
        "SSL_CERT_FILE": str(home / "tls/ca.pem"),
        # Several stacks may run from one clone; compiled files of a clone that root owns are welcome all the same.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def unconfined(command: list[str]) -> list[str]:
    """Return the command so that Debian's AppArmor profile for it, which knows the system's own folders only,
    does not apply."""
    profiles = Path("/sys/kernel/security/apparmor/profiles")
    if profiles.exists() and f"{Path(command[0]).name} (enforce)" in profiles.read_text():
        return ["aa-exec", "-p", "unconfined", "--", *command]
    return command


def reload_postfix(params: Parameters) -> None:
    """Make Postfix forget that the database was away: 3.7 would wait a minute before it tries again."""
    subprocess.run(
        ["postfix", "-c", params.postfix_config_dir, "reload"],
        check=False,
        capture_output=True,
        env=system_environment(),
    )


def services(home: Path, params: Parameters, ports: dict[str, int], is_up: Callable[[str], bool]) -> list[Service]:
    """Return every service in the order of the start. `is_up` tells whether another one runs."""
    log = home / "log"
    service = partial(Service, env=system_environment(), cwd=home)
    python = partial(Service, env=python_environment(home), cwd=CLONE, start_seconds=120)
    celery_command = [sys.executable, "-m", "celery", "-A", "mailhost.celery"]
    beat_pid = home / "beat.pid"

    def mariadb_returned() -> None:
        if is_up("postfix"):
            reload_postfix(params)

    return [
        service(
            "mariadb",
            ["/usr/sbin/mariadbd", f"--defaults-file={home}/mariadb/my.cnf"],
            lambda: accepts_socket(params.database_socket),
            log / "mariadb.log",
            stop_seconds=30,
            returned=mariadb_returned,
        ),
        service(
            "redis",
            ["/usr/bin/redis-server", f"{home}/redis/redis.conf"],
            lambda: answers_redis(params.redis_url),
            log / "redis.log",
            user="redis",
        ),
        service(
            "bind",
            unconfined(["/usr/sbin/named", "-4", "-g", "-n", "1", "-u", "bind", "-c", f"{home}/bind/named.conf"]),
            lambda: answers_dns(ports["dns"]),
            log / "bind.log",
        ),
        service(
            "dovecot",
            ["/usr/sbin/dovecot", "-F", "-c", str(params.dovecot_config_file)],
            lambda: says(ports["imap"], b"* OK"),
            log / "dovecot.out",
        ),
        service(
            "opendkim",
            ["/usr/sbin/opendkim", "-f", "-x", str(params.opendkim_config_file)],
            lambda: accepts_socket(params.milter_socket),
            log / "opendkim.log",
        ),
        python(
            "guard",
            [sys.executable, "manage.py", "fromguard"],
            lambda: accepts_socket(params.guard_socket),
            log / "guard.log",
        ),
        # `postfix start-fg` would leave a shell in between, and stopping the shell does not stop the mail.
        service(
            "postfix",
            ["/usr/lib/postfix/sbin/master", "-c", str(params.postfix_config_dir), "-s"],
            lambda: says(ports["smtp"], b"220 "),
            log / "postfix.out",
        ),
        # The outside world: takes every message that leaves and keeps each in a file of its own.
        service(
            "outside",
            [
                "/usr/sbin/smtp-sink",
                "-u",
                "postfix",
                "-d",
                f"{home}/outside/%H%M%S.",
                f"127.0.0.1:{ports['outside']}",
                "100",
            ],
            lambda: accepts_port(ports["outside"]),
            log / "outside.log",
        ),
        python(
            "web",
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--config",
                "python:mailhost.serving",
                "--bind",
                f"127.0.0.1:{ports['web']}",
                "--workers",
                "2",
                "mailhost.wsgi",
            ],
            lambda: answers_http(ports["web"]),
            log / "web.log",
        ),
        service(
            DOOR,
            [sys.executable, "-m", "stack.tls_door", str(ports["https"]), str(ports["web"]), f"{home}/tls"],
            lambda: accepts_port(ports["https"]),
            log / "tls.log",
            cwd=CLONE,
        ),
        python(
            "worker",
            [
                *celery_command,
                "worker",
                "--queues",
                "default,signer,webhooks",
                "--concurrency",
                "2",
                "--without-gossip",
                "--without-mingle",
            ],
            lambda: worker_answers(params.redis_url),
            log / "worker.log",
        ),
        python(
            "beat",
            [*celery_command, "beat", "--pidfile", str(beat_pid), "--schedule", f"{home}/beat-schedule"],
            beat_pid.exists,
            log / "beat.log",
        ),
    ]
