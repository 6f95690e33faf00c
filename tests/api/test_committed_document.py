"""The OpenAPI document that clients are made from is in the repository, and changes only on purpose."""

from pathlib import Path

from mailhost.management.commands.openapi import text

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_the_one_that_is_served():
    # After a change that is meant: `make openapi`, and read the difference as a client would.
    assert COMMITTED.read_text() == text()
