"""Ends open IMAP, POP3 and ManageSieve sessions."""

from collections.abc import Sequence

import structlog

from mailboxes import doveadm

log = structlog.get_logger(__name__)

# So many commands stand in one request.
BATCH = 100


def end_sessions(masks: Sequence[str]) -> None:
    """End the sessions of every user that one of the masks matches ("anna@acme.example", "*@acme.example").

    Raises doveadm.Refusal, or OSError when Dovecot does not answer.
    """
    if not doveadm.is_there():
        log.warning("no_doveadm_key", masks=len(masks))
        return
    for start in range(0, len(masks), BATCH):
        commands = [["kick", {"mask": [mask]}, mask] for mask in masks[start : start + BATCH]]
        for kind, detail, mask in doveadm.ask(commands):
            # Nothing matched: nobody was signed in.
            if kind == "error" and detail.get("exitCode") != doveadm.NOT_FOUND:
                raise doveadm.Refusal(f"doveadm kick {mask}: {detail}")
