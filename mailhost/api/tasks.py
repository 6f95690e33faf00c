"""Background doors of the API itself."""

from mailhost.api import idempotency


def forget_idempotency_keys() -> None:
    idempotency.forget()
