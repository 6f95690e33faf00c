"""What people see when something is not there, not theirs, or broken."""

from contextlib import suppress

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from mailhost.request_id import carrying
from mailhost.web import errors

pytestmark = pytest.mark.usefixtures("plain_static")


def test_the_page_for_a_broken_server_needs_no_database():
    # No test of this file may touch the database, so whatever asks it fails here.
    with carrying("shop-4711"):
        answer = errors.server_error(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert "<code>shop-4711</code>" in answer.content.decode()


def database_goes_away() -> None:
    raise OperationalError(2002, "Can't connect")


def test_a_database_that_does_not_answer_is_told_without_it():
    with suppress(OperationalError):
        try:
            database_goes_away()
        finally:
            answer = errors.server_error(RequestFactory().get("/"))

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The panel is away for a moment" in answer.content.decode()


def test_a_page_that_is_not_there_says_so_to_nobody_in_particular():
    answer = Client().get("/nowhere/")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_what_a_path_says_is_not_repeated_as_markup():
    answer = Client().get("/<script>alert(1)</script>/")

    assert "<script>alert" not in answer.content.decode()
