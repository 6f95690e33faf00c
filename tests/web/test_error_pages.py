"""What people see when something is not there, not theirs, or broken."""

import pytest
from django.test import Client, RequestFactory
from structlog.contextvars import bound_contextvars, clear_contextvars

from mailhost.web import errors


@pytest.fixture(autouse=True)
def static(plain_static):
    yield
    clear_contextvars()


def test_the_page_for_a_broken_server_needs_no_database():
    # No test of this file may touch the database, so whatever asks it fails here.
    with bound_contextvars(request_id="4711"):
        answer = errors.server_error(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert "<code>4711</code>" in answer.content.decode()


def test_an_error_before_any_id_was_given_gets_one():
    text = errors.server_error(RequestFactory().get("/")).content.decode()

    assert len(text.split("Request <code>")[1].split("</code>")[0]) == 36


def test_a_page_that_is_not_there_says_so_to_nobody_in_particular():
    answer = Client().get("/nowhere/")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_what_a_path_says_is_not_repeated_as_markup():
    answer = Client().get("/<script>alert(1)</script>/")

    assert "<script>alert" not in answer.content.decode()
