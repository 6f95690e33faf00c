"""From parameters to the text of every daemon configuration file: pure, no file is written here."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mailboxes import app_passwords, lookups
from mailboxes.addresses import SUCCESSOR
from mailconfig.parameters import Parameters

TEMPLATES = Path(__file__).resolve().parent.parent / "deploy"
DAEMONS = ("postfix", "dovecot", "opendkim")


@dataclass(frozen=True, slots=True)
class File:
    """One configuration file: its text, who owns it, and who may read it."""

    text: str
    daemon: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder that a daemon needs before it starts."""

    daemon: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755


def render(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS) -> dict[Path, File]:
    """Return every configuration file of these daemons by its path. Raises when a template names an unknown field."""
    files: dict[Path, File] = {}
    if "postfix" in daemons:
        files |= _postfix_files(parameters)
    if "dovecot" in daemons:
        files |= _dovecot_files(parameters)
    if "opendkim" in daemons:
        files |= _opendkim_files(parameters)
    return files


def folders(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS) -> dict[Path, Folder]:
    """Return the folders that must exist before the daemons start, parents first.

    Postfix makes its queue itself (`postfix check`), Dovecot its base folder.
    """
    p = parameters
    vmail = {"owner": str(p.vmail_uid), "group": str(p.vmail_gid)}
    wanted = {
        p.postfix_config_dir: Folder("postfix"),
        p.postfix_config_dir / "lookups": Folder("postfix", group="postfix", mode=0o750),
        p.postfix_queue_dir: Folder("postfix"),
        p.postfix_data_dir: Folder("postfix", owner="postfix", mode=0o700),
        # The guard listens here; the set-group-id bit lets Postfix in, as for OpenDKIM below.
        p.guard_socket.parent: Folder("postfix", owner=p.guard_user, group="postfix", mode=0o2750),
        p.dovecot_config_dir: Folder("dovecot"),
        p.dovecot_state_dir: Folder("dovecot"),
        p.mail_root: Folder("dovecot", **vmail, mode=0o700),
        p.opendkim_config_dir: Folder("opendkim"),
        p.opendkim_pid_file.parent: Folder("opendkim", owner="opendkim", group="opendkim", mode=0o750),
        # The set-group-id bit gives the socket the group postfix, which the user opendkim is no member of.
        p.milter_socket.parent: Folder("opendkim", owner="opendkim", group="postfix", mode=0o2750),
        p.dkim_dir: Folder("opendkim", owner="opendkim", group="opendkim", mode=0o750),
        p.dkim_dir / "keys": Folder("opendkim", owner="opendkim", group="opendkim", mode=0o700),
    }
    return {path: folder for path, folder in wanted.items() if folder.daemon in daemons}


def as_branch(query: str) -> str:
    """Return a query as it stands inside Dovecot's %{if;…}, where ; and : part what is written."""
    return re.sub(r"([\\;:])", r"\\\1", query)


def _template(name: str, **context: object) -> str:
    return _environment(TEMPLATES).get_template(name).render(**context)


@cache
def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - these are no web pages
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["as_branch"] = as_branch
    return environment


def _postfix_files(p: Parameters) -> dict[Path, File]:
    folder = p.postfix_config_dir
    files = {
        folder / name: File(_template(f"postfix/{name}.j2", p=p, mark=SUCCESSOR), "postfix")
        for name in ("main.cf", "master.cf", "submission_header_checks", "queued_as", "queued_as_access")
    }
    for lookup in lookups.of_daemon("postfix"):
        text = _template("postfix/lookup.cf.j2", p=p, lookup=lookup, query=lookup.postfix_query())
        files[folder / "lookups" / f"{lookup.name}.cf"] = File(text, "postfix", group="postfix", mode=0o640)
    session = File(_template("postfix/session.cnf.j2", p=p), "postfix", group="postfix", mode=0o640)
    files[folder / "lookups/session.cnf"] = session
    return files


def _dovecot_files(p: Parameters) -> dict[Path, File]:
    queries = {
        lookup.name: lookup.dovecot_query(p.dovecot_version, overdraft_mb=p.overdraft_mb)
        for lookup in lookups.of_daemon("dovecot")
    }
    source = f"dovecot/{p.dovecot_version}"
    signing_in = {"queries": queries, "app_password_form": app_passwords.FORM}
    # auth-worker and dict read theirs as the user dovecot. Not by the group: Dovecot gives that to every mail process.
    # private.conf is read by the config process, which is root.
    shared = {"daemon": "dovecot", "owner": "dovecot", "mode": 0o400}
    return {
        p.dovecot_config_file: File(_template(f"{source}/dovecot.conf.j2", p=p), "dovecot"),
        p.dovecot_config_dir / "private.conf": File(_template(f"{source}/private.conf.j2", p=p), "dovecot", mode=0o600),
        p.dovecot_config_dir / "auth-sql.conf": File(
            _template(f"{source}/auth-sql.conf.j2", p=p, **signing_in),
            **shared,
        ),
        p.dovecot_config_dir / "weighed-sql.conf": File(
            _template(f"{source}/weighed-sql.conf.j2", p=p, queries=queries), **shared
        ),
        p.dovecot_config_dir / "dict-sql.conf": File(_template(f"{source}/dict-sql.conf.j2", p=p), **shared),
    }


def _opendkim_files(p: Parameters) -> dict[Path, File]:
    folder = p.opendkim_config_dir
    return {
        folder / name: File(_template(f"opendkim/{name}.j2", p=p), "opendkim")
        for name in ("opendkim.conf", "InternalHosts")
    }
