"""The only speaker to doveadm over HTTP: ends open IMAP, POP3 and ManageSieve sessions."""

import base64
import json
import os
import urllib.request
from collections.abc import Sequence

import structlog

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10
# doveadm(1): nothing matched, so nobody was signed in.
NOBODY = 68
# So many commands stand in one request.
BATCH = 100


class NotEnded(RuntimeError):
    """Dovecot did not end the sessions; the job is tried again."""


def end_sessions(masks: Sequence[str]) -> None:
    """End the sessions of every user that one of the masks matches ("anna@acme.example", "*@acme.example").

    The port and key are those that Dovecot's configuration is made with; without a key there is no doveadm to ask.
    Raises NotEnded, or OSError when Dovecot does not answer.
    """
    key = os.environ.get("MAILHOST_CONFIG_DOVEADM_KEY", "")
    if not key:
        log.warning("no_doveadm_key", masks=len(masks))
        return
    for start in range(0, len(masks), BATCH):
        commands = [["kick", {"mask": [mask]}, mask] for mask in masks[start : start + BATCH]]
        for kind, detail, mask in _answers(commands, key):
            if kind == "error" and detail.get("exitCode") != NOBODY:
                raise NotEnded(f"doveadm kick {mask}: {detail}")


def _answers(commands: list[list], key: str) -> list[list]:
    port = int(os.environ.get("MAILHOST_CONFIG_DOVEADM_PORT", "8081"))
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/doveadm/v1",
        data=json.dumps(commands).encode(),
        headers={
            "Authorization": "X-Dovecot-API " + base64.b64encode(key.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - always http to loopback
        return json.loads(answer.read())
