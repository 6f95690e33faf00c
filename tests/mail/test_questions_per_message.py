"""How often Postfix asks the database about one inbound message, counted in MariaDB's general log.

Each case is about an address that nobody has used before. Postfix resolves every MAIL FROM too, which no parameter
turns off: a sender whose domain a process has not met costs one question more, and these bars leave it out.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailboxes.denial_operations import deny_address
from mailboxes.operations import delete_mailbox
from tests.mail.client import Post
from tests.mail.conftest import make_customer


@pytest.fixture
def post(private_stack) -> Post:
    """The second stack's mail at rest: new processes that remember nothing, nothing of earlier tests to deliver."""
    private_stack.stop("postfix")
    queue = ["-c", private_stack.info["postfix"]["config_directory"], "-d", "ALL"]
    subprocess.run(["/usr/sbin/postsuper", *queue], check=True, capture_output=True)
    private_stack.start("postfix")
    return Post(private_stack)


@pytest.fixture
def acme(private_stack):
    return make_customer(private_stack, "acme")


@contextmanager
def questions(private_stack) -> Iterator[list[str]]:
    """Collect what Postfix's database user asks meanwhile."""
    user = private_stack.info["mysql"]["users"]["postfix"]["user"]
    asked: list[str] = []
    with private_stack.stack.root_connection() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("TRUNCATE mysql.general_log")
        cursor.execute("SET GLOBAL general_log = ON")
        try:
            yield asked
        finally:
            cursor.execute("SET GLOBAL general_log = OFF")
        cursor.execute(
            "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE %s"
            " AND argument LIKE 'SELECT%%'",
            [f"{user}[%"],
        )
        asked.extend(bytes(row[0]).decode() if isinstance(row[0], bytes) else row[0] for row in cursor.fetchall())


def about_the_recipient(asked: list[str]) -> list[str]:
    return [question for question in asked if "'elsewhere.example'" not in question]


def test_a_mailbox_not_just_used_and_the_same_again(post, acme, private_stack):
    anna = acme.login("anna")

    with questions(private_stack) as first:
        post.arrived(anna, post.deliver(anna[0]))
    with questions(private_stack) as again:
        post.arrived(anna, post.deliver(anna[0]))

    assert len(about_the_recipient(first)) <= 5, first
    assert len(about_the_recipient(again)) <= 2, again


def test_a_mailbox_whose_address_was_anothers_before(post, acme, private_stack):
    delete_mailbox(acme.actor, mailbox=acme.mailbox("anna"))
    anna = acme.login("anna")

    with questions(private_stack) as first:
        post.arrived(anna, post.deliver(anna[0]))
    with questions(private_stack) as again:
        post.arrived(anna, post.deliver(anna[0]))

    assert len(about_the_recipient(first)) <= 5, first
    assert len(about_the_recipient(again)) <= 2, again


def test_a_mailbox_beside_a_catch_all_with_a_deny_list(post, acme, private_stack):
    anna, otto = acme.login("anna"), acme.login("otto")
    acme.alias("*", otto[0])
    deny_address(acme.actor, domain=acme.domain, address="spam")

    with questions(private_stack) as first:
        post.arrived(anna, post.deliver(anna[0]))

    assert len(about_the_recipient(first)) <= 5, first


def test_an_alias(post, acme, private_stack):
    anna = acme.login("anna")
    acme.alias("sales", anna[0])

    with questions(private_stack) as asked:
        post.arrived(anna, post.deliver(acme.address("sales")))

    assert len(about_the_recipient(asked)) <= 6, asked


def test_a_detail_is_one_question_more_and_no_other_address_is_asked_about_it(post, acme, private_stack):
    anna = acme.login("anna")

    with questions(private_stack) as plain:
        post.arrived(anna, post.deliver(anna[0]))
    with questions(private_stack) as detailed:
        post.arrived(anna, post.deliver(acme.address("anna+news")))

    asked_about_details = [sum("plus_addressing" in one for one in asked) for asked in (plain, detailed)]
    assert asked_about_details == [0, 1], detailed


def test_an_unknown_address(post, acme, private_stack):
    with questions(private_stack) as asked:
        assert post.answer_to(acme.address("nobody"))[0] == 550

    assert len(about_the_recipient(asked)) <= 4, asked


def test_a_foreign_domain(post, acme, private_stack):
    with questions(private_stack) as asked:
        assert post.answer_to("someone@foreign.example")[0] == 554

    assert len(about_the_recipient(asked)) <= 1, asked
    assert len(asked) <= 2, asked
