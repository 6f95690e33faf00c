"""The only speaker to doveadm over HTTP."""

import base64
import json
import os
import urllib.request

TIMEOUT_SECONDS = 10
# doveadm(1): what was asked for is not there.
NOT_FOUND = 68


class Refusal(RuntimeError):
    """Dovecot did not do what it was asked; the job is tried again."""


def is_there() -> bool:
    """Whether this machine has a doveadm to ask: without a key it does not listen."""
    return bool(_key())


def ask(commands: list[list], *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[list]:
    """Carry out [name, parameters, tag] each and return the answers: [kind, detail, tag].

    The port and key are those that Dovecot's configuration is made with. Raises OSError when Dovecot does not answer.
    """
    port = int(os.environ.get("MAILHOST_CONFIG_DOVEADM_PORT", "8081"))
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/doveadm/v1",
        data=json.dumps(commands).encode(),
        headers={
            "Authorization": "X-Dovecot-API " + base64.b64encode(_key().encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:  # noqa: S310 - always http to loopback
        return json.loads(answer.read())


def _key() -> str:
    return os.environ.get("MAILHOST_CONFIG_DOVEADM_KEY", "")
