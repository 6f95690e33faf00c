"""Every file that a private stack reads or hands out: configuration, certificates, the environment, stack.json."""

import json
import shutil
import subprocess
from dataclasses import asdict, fields
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dns.signing_folder import SigningFolder
from mailconfig import files
from mailconfig.parameters import ENVIRONMENT_PREFIX, Parameters
from mailconfig.render import File, Folder, folders, render
from stack.layout import CLONE, REPORTS_ADDRESS, SETUP_HOST, write_private

HOSTNAME = "mail.mailhost.example"
UPDATE_KEY = "mailhost-demo"
# The zone of the operator's into which customers' domains may delegate their signing keys.
DKIM_ZONE, DKIM_UPDATE_KEY = "dkim.mailhost.example", "mailhost-dkim"
DATABASE = "mailhost"
# MariaDB's memory by profile; a test stack holds little.
BUFFER_POOL_MB = {"demo": 256}


def parameters(home: Path, ports: dict[str, int], secrets: dict[str, str]) -> Parameters:
    """Return what the daemons' templates need to make a private copy of a production machine below `home`."""
    queue = home / "postfix/queue"
    return Parameters(
        hostname=HOSTNAME,
        listen_address="127.0.0.1",
        **{
            f"{name}_port": ports[name]
            for name in (
                "smtp",
                "submission",
                "submissions",
                "reinject",
                "imap",
                "imaps",
                "pop3",
                "pop3s",
                "managesieve",
                "doveadm",
                "sign_in",
            )
        },
        doveadm_key=secrets["doveadm"],
        database_name=DATABASE,
        database_socket=str(database_socket(home)),
        postfix_db_password=secrets["postfix"],
        dovecot_db_password=secrets["dovecot"],
        signer_db_password=secrets["signer"],
        redis_url=redis_url(ports, secrets),
        tls_cert_file=home / "tls/cert.pem",
        tls_key_file=home / "tls/key.pem",
        postfix_config_dir=home / "postfix/etc",
        postfix_queue_dir=queue,
        postfix_data_dir=home / "postfix/data",
        postfix_log=str(home / "log/postfix.log"),
        milter_socket=queue / "milter/opendkim.sock",
        guard_socket=queue / "guard/fromguard.sock",
        guard_user="root",
        outbound_transport=f"smtp:[127.0.0.1]:{ports['outside']}",
        lookup_dns=False,
        dovecot_config_dir=home / "dovecot/etc",
        dovecot_base_dir=home / "dovecot/run",
        dovecot_state_dir=home / "dovecot/state",
        dovecot_log=str(home / "log/dovecot.log"),
        mail_root=home / "mail",
        # Everybody comes from 127.0.0.1 here: one who mistypes a password would slow all others down.
        auth_penalty=False,
        opendkim_config_dir=home / "opendkim/etc",
        opendkim_pid_file=home / "opendkim/run/opendkim.pid",
        opendkim_syslog=False,
        dkim_dir=home / "opendkim/dkim",
        # Tests make domains all the time, and wait for each.
        signer_rest_seconds=0,
        nameservers=(f"127.0.0.1@{ports['dns']}",),
    )


def database_socket(home: Path) -> Path:
    return home / "mariadb/run/sql.sock"


def redis_url(ports: dict[str, int], secrets: dict[str, str]) -> str:
    return f"redis://:{secrets['redis']}@127.0.0.1:{ports['redis']}/0"


def make_folders(home: Path, params: Parameters) -> None:
    """Make the folders of every service, each with the owner its daemon wants."""
    plain = {
        "tls": "root",
        "log": "root",
        "mariadb": "mysql",
        "mariadb/run": "mysql",
        "mariadb/tmp": "mysql",
        "redis": "redis",
        "bind": "bind",
        "outside": "postfix",
    }
    files.make_folders({home / name: Folder("stack", owner=owner) for name, owner in plain.items()})
    files.make_folders(folders(params))
    # Postfix refuses to start after a crash when it cannot append to its log as its own user.
    for name, owner in {"log/postfix.log": "postfix", "log/mariadb.log": "mysql"}.items():
        (home / name).touch()
        shutil.chown(home / name, owner, owner)
    SigningFolder.of(params).prepare()


def write_daemon_files(params: Parameters) -> None:
    """Write the configuration of Postfix, Dovecot and OpenDKIM as `manage.py mailconfig` renders it."""
    for path, file in render(params).items():
        files.write(path, file)


def write_server_files(
    home: Path, ports: dict[str, int], secrets: dict[str, str], zones: tuple[str, ...], profile: str
) -> None:
    """Write the configuration of MariaDB, Redis and BIND. A zone that exists keeps what updates made of it."""
    templates = Environment(
        loader=FileSystemLoader(CLONE / "deploy/demo"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - configuration, no HTML
    )
    context = {
        "home": home,
        "ports": ports,
        "zones": zones,
        "update_key": UPDATE_KEY,
        "update_secret": secrets["dns_update"],
        "dkim_zone": DKIM_ZONE,
        "dkim_update_key": DKIM_UPDATE_KEY,
        "dkim_update_secret": secrets["dkim_update"],
        "redis_password": secrets["redis"],
        "buffer_pool_mb": BUFFER_POOL_MB.get(profile, 128),
    }
    wanted = {
        "mariadb/my.cnf": ("my.cnf", "root", 0o644),
        "redis/redis.conf": ("redis.conf", "redis", 0o600),
        "bind/named.conf": ("named.conf", "bind", 0o600),
    }
    for target, (template, owner, mode) in wanted.items():
        text = templates.get_template(f"{template}.j2").render(context)
        files.write(home / target, File(text, "stack", owner=owner, mode=mode))
    for zone in zones:
        path = home / "bind" / f"{zone}.zone"
        if not path.exists():
            children = [name.removesuffix(f".{zone}") for name in zones if name.endswith(f".{zone}")]
            text = templates.get_template("zone.j2").render(zone=zone, children=children)
            files.write(path, File(text, "stack", owner="bind", group="bind"))


def make_certificates(folder: Path) -> None:
    """Make a certificate authority and a server certificate of a year; kept while a month of it is left."""
    certificate = folder / "cert.pem"
    if certificate.exists() and _openssl("x509", "-in", certificate, "-checkend", str(30 * 86400), check=False) == 0:
        return
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    key_kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-sha256", "-days", "365")
    _openssl(
        "req",
        "-x509",
        *key_kind,
        "-keyout",
        ca_key,
        "-out",
        ca,
        "-subj",
        "/CN=Mailhost private stack",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    _openssl(
        "req",
        "-x509",
        *key_kind,
        "-CA",
        ca,
        "-CAkey",
        ca_key,
        "-keyout",
        folder / "key.pem",
        "-out",
        certificate,
        "-subj",
        f"/CN={HOSTNAME}",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "keyUsage=critical,digitalSignature",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-addext",
        f"subjectAltName=DNS:{HOSTNAME},DNS:localhost,IP:127.0.0.1",
    )
    for key in (ca_key, folder / "key.pem"):
        key.chmod(0o600)


def _openssl(*arguments: str | Path, check: bool = True) -> int:
    return subprocess.run(["openssl", *arguments], check=check, capture_output=True).returncode


def write_environment(
    home: Path, params: Parameters, ports: dict[str, int], secrets: dict[str, str], static_root: Path
) -> None:
    """Write the settings of the Python processes to mailhost.env, which MAILHOST_ENV_FILE names."""
    values = {
        "MAILHOST_SECRET_KEY": secrets["django"],
        "MAILHOST_DEBUG": "false",
        "MAILHOST_ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "MAILHOST_URL": f"http://127.0.0.1:{ports['web']}",
        "MAILHOST_HOSTNAME": HOSTNAME,
        "MAILHOST_DATABASE_SOCKET": params.database_socket,
        "MAILHOST_DATABASE_NAME": DATABASE,
        "MAILHOST_DATABASE_USER": "mailhost",
        "MAILHOST_DATABASE_PASSWORD": secrets["panel"],
        "MAILHOST_POSTFIX_DB_USER": params.postfix_db_user,
        "MAILHOST_POSTFIX_DB_PASSWORD": secrets["postfix"],
        "MAILHOST_DOVECOT_DB_USER": params.dovecot_db_user,
        "MAILHOST_DOVECOT_DB_PASSWORD": secrets["dovecot"],
        "MAILHOST_SIGNER_DB_USER": params.signer_db_user,
        "MAILHOST_SIGNER_DB_PASSWORD": secrets["signer"],
        "MAILHOST_REDIS_URL": params.redis_url,
        "MAILHOST_DKIM_KEYS": secrets["dkim_keys"],
        "MAILHOST_VAULT_KEYS": secrets["vault_keys"],
        "MAILHOST_NAMESERVERS": ",".join(params.nameservers),
        "MAILHOST_AUTHORITATIVE_PORT": ports["dns"],
        "MAILHOST_DNS_NETWORKS": "127.0.0.0/8",
        "MAILHOST_SPF_INCLUDE": f"_spf.{HOSTNAME.partition('.')[2]}",
        "MAILHOST_DKIM_ZONE": DKIM_ZONE,
        "MAILHOST_DKIM_ZONE_SERVER": f"127.0.0.1@{ports['dns']}",
        "MAILHOST_DKIM_ZONE_KEY_NAME": DKIM_UPDATE_KEY,
        "MAILHOST_DKIM_ZONE_KEY_SECRET": secrets["dkim_update"],
        # Tests look at both ways, and choose the aliases where they want them.
        "MAILHOST_DKIM_NEW_DOMAINS": "cname" if home.name == "demo" else "txt",
        "MAILHOST_SETUP_HOST": SETUP_HOST,
        "MAILHOST_POLICY_PORT": ports["https"],
        # Policy hosts and programs that take webhooks are on this machine.
        "MAILHOST_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "MAILHOST_DMARC_REPORTS": REPORTS_ADDRESS,
        "MAILHOST_TLS_REPORTS": REPORTS_ADDRESS,
        "MAILHOST_REPORTS_LOGIN": REPORTS_ADDRESS,
        "MAILHOST_REPORTS_PASSWORD": secrets["reports"],
        "MAILHOST_REPORTS_IMAP_HOST": "localhost",
        "MAILHOST_REPORTS_IMAP_PORT": ports["imaps"],
        "MAILHOST_REPORTS_CA_FILE": str(home / "tls/ca.pem"),
        "MAILHOST_SMTP_PORT": ports["reinject"],
        "MAILHOST_STATIC_ROOT": str(static_root),
    }
    defaults = asdict(Parameters())
    for name in (field.name for field in fields(Parameters)):
        value = getattr(params, name)
        if value != defaults[name]:
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            values[ENVIRONMENT_PREFIX + name.upper()] = text
    write_private(home / "mailhost.env", "".join(f"{name}={value}\n" for name, value in values.items()))


def describe(
    home: Path, params: Parameters, ports: dict[str, int], secrets: dict[str, str], zones: tuple[str, ...]
) -> dict:
    """Return what stack.json says of a running stack, without the sign-ins (docs/stack.md)."""

    def at(name: str) -> dict:
        return {"host": "127.0.0.1", "port": ports[name]}

    web = f"http://127.0.0.1:{ports['web']}"
    users = {
        "panel": {"user": "mailhost", "password": secrets["panel"]},
        "postfix": {"user": params.postfix_db_user, "password": secrets["postfix"]},
        "dovecot": {"user": params.dovecot_db_user, "password": secrets["dovecot"]},
        "signer": {"user": params.signer_db_user, "password": secrets["signer"]},
    }
    update_key = {"name": UPDATE_KEY, "algorithm": "hmac-sha256", "secret": secrets["dns_update"]}
    mail = ("https", "smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "managesieve", "reinject")
    return {
        "version": 1,
        "web": {"url": web},
        "api": {"url": f"{web}/api/v1"},
        "setup_host": SETUP_HOST,
        "reports": {"email": REPORTS_ADDRESS, "password": secrets["reports"]},
        **{name: at(name) for name in mail},
        "dns": {**at("dns"), "update_key": update_key, "zones": list(zones)},
        "mysql": {"socket": params.database_socket, **at("mysql"), "database": DATABASE, "users": users},
        "redis": {"url": params.redis_url},
        "tls": {"ca_file": str(home / "tls/ca.pem"), "hostname": HOSTNAME},
        "postfix": {"config_directory": str(params.postfix_config_dir), "log": params.postfix_log},
        "dovecot": {"config_file": str(params.dovecot_config_file), "log": params.dovecot_log},
        "opendkim": {
            "config_file": str(params.opendkim_config_file),
            "key_table": str(params.dkim_dir / "KeyTable"),
            "signing_table": str(params.dkim_dir / "SigningTable"),
        },
        "outside": {**at("outside"), "folder": str(home / "outside")},
        "home": str(home),
        "logs": str(home / "log"),
        "environment_file": str(home / "mailhost.env"),
        "demo": {},
    }


def write_state(path: Path, info: dict) -> None:
    """Write stack.json. It holds passwords, so only root reads it."""
    write_private(path, json.dumps(info, indent=1) + "\n")
