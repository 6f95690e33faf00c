"""Whether the daemons' own tools take the configuration that would be written."""

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from dns.signing_folder import SigningFolder
from mailconfig import files
from mailconfig.parameters import Parameters
from mailconfig.render import DAEMONS, folders, render

TIMEOUT_SECONDS = 60


def problems(parameters: Parameters, daemons: tuple[str, ...] = DAEMONS) -> dict[str, str]:
    """Return what each daemon's tool says against the new files, by daemon; nothing when all is well.

    The files are checked in a folder of their own, so a mistake never reaches the place the daemons read.
    """
    with tempfile.TemporaryDirectory(prefix="mailconfig-") as scratch:
        elsewhere = _moved(parameters, Path(scratch))
        # The user postfix goes through this folder to its queue.
        Path(scratch).chmod(0o755)
        here = {path: folder for path, folder in folders(elsewhere, daemons).items() if path.is_relative_to(scratch)}
        files.make_folders(here)
        for path, file in render(elsewhere, daemons).items():
            files.write(path, file)
        # The signer's tables follow from the database; only the daemon's own configuration is in question.
        SigningFolder.of(elsewhere).prepare()
        found = {daemon: _missing(elsewhere, daemon) or _complaints(elsewhere, daemon) for daemon in daemons}
    return {daemon: text.replace(scratch, "") for daemon, text in found.items() if text}


def commands(parameters: Parameters, daemon: str) -> list[list[str]]:
    """Return the commands by which this daemon's package checks its configuration."""
    postfix, dovecot = str(parameters.postfix_config_dir), str(parameters.dovecot_config_file)
    return {
        "postfix": [
            ["postconf", "-c", postfix, "-n"],
            ["postconf", "-c", postfix, "-M"],
            ["postfix", "-c", postfix, "check"],
        ],
        "dovecot": [["doveconf", "-n", "-c", dovecot]],
        "opendkim": [["opendkim", "-n", "-x", str(parameters.opendkim_config_file)]],
    }[daemon]


def _moved(parameters: Parameters, scratch: Path) -> Parameters:
    return replace(
        parameters,
        postfix_config_dir=scratch / "postfix",
        # "postfix check" wants a queue, mends it, and complains in the log.
        postfix_queue_dir=scratch / "queue",
        postfix_data_dir=scratch / "data",
        postfix_log=str(scratch / "postfix.log"),
        dovecot_config_dir=scratch / "dovecot",
        opendkim_config_dir=scratch / "opendkim",
        dkim_dir=scratch / "dkim",
    )


def _missing(parameters: Parameters, daemon: str) -> str:
    # Only a starting Dovecot opens them, and then it does not start.
    needed = () if daemon == "opendkim" else (parameters.tls_cert_file, parameters.tls_key_file)
    return "\n".join(f"{daemon}: {path} is missing" for path in needed if not path.exists())


def _complaints(parameters: Parameters, daemon: str) -> str:
    texts = []
    for command in commands(parameters, daemon):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL
        )
        # postconf warns of a misspelt parameter and ends well.
        log = Path(parameters.postfix_log)
        said = done.stderr + (log.read_text() if log.exists() else "")
        if done.returncode or said:
            texts.append(f"{' '.join(command)} (exit {done.returncode})\n{said.strip()}")
        log.unlink(missing_ok=True)
    return "\n".join(texts)
