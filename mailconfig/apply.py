"""Bringing new configuration to running daemons: check, write, reload, and back again when one of them fails."""

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dns.signing_folder import SigningFolder
from mailconfig import check, files
from mailconfig.parameters import Parameters
from mailconfig.render import DAEMONS, File, folders, render
from mailhost.pid_files import process_of

TIMEOUT_SECONDS = 60


class ConfigurationRefused(Exception):
    """A daemon's tool refused the new files, or the daemon did not reload; the files are as they were before."""


FAILURES = (ConfigurationRefused, OSError, subprocess.SubprocessError)


@dataclass(slots=True)
class Applied:
    """What an apply did: the files it wrote, the daemons that read them, and those that do not run."""

    written: list[Path] = field(default_factory=list)
    reloaded: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)


def prepare(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS) -> None:
    """Make what the daemons need before their first start: folders, Postfix's log, the signer's first tables."""
    files.make_folders(folders(parameters, daemons))
    log = Path(parameters.postfix_log) if parameters.postfix_log else None
    if "postfix" in daemons and log and not log.exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        # Made by root on the first start, it would keep Postfix from starting after a crash.
        files.write(log, File("", "postfix", owner="postfix", mode=0o640))
    if "opendkim" in daemons:
        SigningFolder.of(parameters).prepare()


def changes(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS) -> dict[Path, File]:
    """Return the files that differ from what stands on this machine."""
    return {path: file for path, file in render(parameters, daemons).items() if files.differs(path, file)}


def apply(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS, timeout: float = TIMEOUT_SECONDS) -> Applied:
    """Write what changed and reload the daemons that read it; a tool that takes longer than `timeout` s has failed.

    Raises ConfigurationRefused. Whatever is raised, the files are as they were before.
    """
    complaints = check.problems(parameters, daemons)
    if complaints:
        raise ConfigurationRefused("\n".join(complaints.values()))
    prepare(parameters, daemons)
    changed = changes(parameters, daemons)
    done = Applied()
    try:
        for path, file in changed.items():
            files.write(path, file)
            done.written.append(path)
        for daemon in dict.fromkeys(file.daemon for file in changed.values()):
            running = is_running(parameters, daemon, timeout)
            if running:
                reload(parameters, daemon, timeout)
            (done.reloaded if running else done.stopped).append(daemon)
    except FAILURES as error:
        _roll_back(parameters, daemons, done, timeout)
        raise ConfigurationRefused(f"{error}\nThe files are as they were before.") from error
    except BaseException:
        # A mistake in the code, or somebody who pressed Ctrl-C in the middle.
        _roll_back(parameters, daemons, done, timeout)
        raise
    return done


def _roll_back(parameters: Parameters, daemons: tuple[str, ...], done: Applied, timeout: float) -> None:
    for path in reversed(done.written):
        files.restore(path)
    for daemon in daemons:
        # The error that led here is the one to report.
        with suppress(*FAILURES):
            if is_running(parameters, daemon, timeout):
                reload(parameters, daemon, timeout)


def is_running(parameters: Parameters, daemon: str, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Return whether the daemon of this configuration runs."""
    if daemon == "postfix":
        return _run(["postfix", "-c", str(parameters.postfix_config_dir), "status"], timeout).returncode == 0
    return _process(parameters, daemon) is not None


def reload(parameters: Parameters, daemon: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Have the daemon read its files again. Raises ConfigurationRefused with what it said, and TimeoutExpired."""
    if daemon == "opendkim":
        # It reads them when the next connection comes, and keeps what it has when it cannot.
        process = _process(parameters, daemon)
        if process is None:
            raise ConfigurationRefused("opendkim does not run")
        os.kill(process, signal.SIGUSR1)
        return
    command = {
        "postfix": ["postfix", "-c", str(parameters.postfix_config_dir), "reload"],
        "dovecot": ["doveadm", "-c", str(parameters.dovecot_config_file), "reload"],
    }[daemon]
    done = _run(command, timeout)
    if done.returncode or not is_running(parameters, daemon, timeout):
        raise ConfigurationRefused(f"{' '.join(command)} (exit {done.returncode})\n{done.stderr.strip()}")


def _process(parameters: Parameters, daemon: str) -> int | None:
    files_of = {"opendkim": parameters.opendkim_pid_file, "dovecot": parameters.dovecot_base_dir / "master.pid"}
    # Both are programs of their daemon's name.
    return process_of(files_of[daemon], daemon)


def _run(command: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL
    )
