"""The running guard, asked as Postfix asks it."""

import os
import threading
import time
from struct import Struct

import pytest

from guard.senders import FRESH_SECONDS
from tests.guard.conftest import HOSTNAME
from tests.guard.mta import Connection, Verdict

ANNA = "anna@acme.example"
OTHERS = [(b"To", b"carla@elsewhere.example"), (b"Subject", b"Hello")]
AWAY = "451 4.3.0 The sender's address cannot be checked just now; try again later"


def written(sender: str | bytes, *more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return [(b"From", sender if isinstance(sender, bytes) else sender.encode()), *OTHERS, *more]


@pytest.mark.parametrize(
    "sender",
    [
        "anna@acme.example",
        "Anna <ANNA@Acme.Example>",
        "Sales <sales@acme.example>",
        "anna+news@acme.example",
        "anna@acme-shop.example",
        "Anna <anna@bücher.example>",
        "anna@XN--BCHER-KVA.example",
        "o'hara@acme.example",
        "team@acme.example",
    ],
)
def test_own_address_passes_with_our_verdict(connection: Connection, sender: str):
    verdict = connection.message(written(sender), login=ANNA)

    assert verdict.letter == b"c"
    inserted = b"\0\0\0\0Authentication-Results\0 " + HOSTNAME.encode() + b"; auth=pass\0"
    assert verdict.changes == [(b"i", inserted)]


@pytest.mark.parametrize(
    "sender",
    [
        "ceo@bolt.example",
        "otto@acme.example",
        "nobody@acme.example",
        "gone@acme.example",
        "sales+anna@bolt.example",
        "anna@acme.example.bolt.example",
        "x' OR '1'='1@acme.example",
        "x'='x@acme.example",
        "%@acme.example",
        "_nna@acme.example",
    ],
)
def test_foreign_address_is_refused_in_words(connection: Connection, sender: str):
    verdict = connection.message(written(sender), login=ANNA)

    assert verdict.letter == b"y"
    assert verdict.text.startswith("550 5.7.1 ")
    assert verdict.changes == []


def test_refusal_names_the_login_and_the_address(connection: Connection):
    verdict = connection.message(written("The Boss <ceo@bolt.example>"), login=ANNA)

    assert verdict.text == (
        "550 5.7.1 You are signed in as anna@acme.example, which may not send as ceo@bolt.example."
        " Choose an address of your own, or ask for an alias."
    )


@pytest.mark.parametrize("header", [b"Sender", b"Resent-From", b"Resent-Sender", b"sENDER"])
def test_other_originators_must_be_the_logins_too(connection: Connection, header: bytes):
    foreign = connection.message(written(ANNA, (header, b"ceo@bolt.example")), login=ANNA)
    own = connection.message(written(ANNA, (header, b"Sales <sales@acme.example>")), login=ANNA)

    assert foreign.text.startswith("550 5.7.1 You are signed in as anna@acme.example, which may not send as ceo@bolt")
    assert own.is_pass


def test_login_is_compared_without_case(connection: Connection):
    assert connection.message(written(ANNA), login="Anna@ACME.example").is_pass


def test_sign_in_without_a_name_is_refused(connection: Connection):
    macros = {b"{auth_type}": b"PLAIN"}

    verdict = connection.raw_message(written(ANNA), macros=macros, sender=b"<anna@acme.example>", body=b"")

    assert verdict.text == "550 5.7.1 The server does not know who is signed in."


def test_a_login_does_not_outlive_its_message(connection: Connection):
    connection.message(written(ANNA), login=ANNA)

    inbound = connection.message(written("ceo@bolt.example"))

    assert (inbound.letter, inbound.changes) == (b"c", [])


def test_headers_of_an_aborted_message_are_forgotten(connection: Connection):
    connection._send(b"D", b"M{auth_type}\0PLAIN\0{auth_authen}\0anna@acme.example\0")
    connection._send(b"M", b"<anna@acme.example>\0")
    connection._send(b"L", b"From\0 ceo@bolt.example\0")
    connection.abort()

    assert connection.message(written(ANNA), login=ANNA).is_pass


def test_mail_from_outside_passes_whatever_its_from_says(connection: Connection):
    for headers in (written("ceo@bolt.example"), written(b"\xff, <"), OTHERS, [(b"From", b"x")] * 2):
        verdict = connection.message(headers)

        assert (verdict.letter, verdict.changes) == (b"c", [])


@pytest.mark.parametrize("login", [None, ANNA])
def test_forged_verdicts_of_ours_are_taken_out(connection: Connection, login: str | None):
    results = b"Authentication-Results"
    forged = [
        (results, b"mx.elsewhere.example; dkim=pass"),
        (results, b"mail.mailhost.example; dkim=pass"),
        (b"Subject", b"Hello"),
        (b"authentication-RESULTS", b"(x) MAIL.Mailhost.example 1; auth=pass"),
        (results, b"mail.mailhost.example.elsewhere.example; dkim=pass"),
        (results, b'"mail.mailhost.example"; spf=pass'),
    ]

    verdict = connection.message([(b"From", b"anna@acme.example"), *forged], login=login)

    removed = [content for letter, content in verdict.changes if letter == b"m"]
    # The last first, so that each place still means what was counted.
    assert removed == [bytes([0, 0, 0, place]) + results + b"\0\0" for place in (5, 3, 2)]
    assert verdict.is_pass


def test_a_flood_of_forged_verdicts_is_refused(connection: Connection):
    forged = [(b"Authentication-Results", b"mail.mailhost.example; dkim=pass")] * 500

    verdict = connection.message([*OTHERS, *forged])

    assert verdict.text.startswith("550 5.7.1 The message has too many")


def submitted_by(login: str) -> dict[bytes, bytes]:
    return {b"{auth_type}": b"PLAIN", b"{auth_authen}": login.encode()}


def test_messages_whose_texts_come_at_one_time_are_judged_each_by_its_own_sender(guard):
    people = [(Connection(guard.socket), login) for login in (ANNA, "otto@acme.example", "ceo@bolt.example")] * 2
    waiting = [(Connection(guard.socket), login) for _, login in people]
    for connection, login in waiting:
        connection.envelope(macros=submitted_by(login), sender=f"<{login}>".encode())
        connection.sent()
        # Another message between its envelope and its text.
        assert people[0][0].message(written(ANNA), login=ANNA).is_pass

    own = [connection.text(written(login)).is_pass for connection, login in waiting[3:]]
    foreign = [connection.text(written("team@bolt.example")).is_pass for connection, _ in waiting[:3]]

    assert (own, foreign) == ([True] * 3, [False] * 3)


def test_a_right_withdrawn_while_a_text_is_slow_in_coming_has_ended(guard, database, connection):
    connection.envelope(macros=submitted_by(ANNA), sender=b"<anna@acme.example>")
    connection.sent()
    root = database.root()
    root.query("UPDATE mailhost.mail_aliases SET may_send_as = 0 WHERE alias_email = 'anna@acme.example'")
    try:
        time.sleep(FRESH_SECONDS)
        verdict = connection.text(written(ANNA))
    finally:
        root.query("UPDATE mailhost.mail_aliases SET may_send_as = 1 WHERE alias_email = 'anna@acme.example'")
        root.close()

    assert verdict.text.startswith("550 5.7.1 You are signed in as anna@acme.example, which may not send as anna@acme")


def test_a_database_that_goes_away_while_a_text_comes_means_later(guard, database, connection):
    connection.message(written(ANNA), login=ANNA)
    connection.envelope(macros=submitted_by(ANNA), sender=b"<anna@acme.example>")
    connection.sent()
    database.stop()

    own = connection.text(written(ANNA))

    # Who was asked about before the database went away may have been answered in time.
    assert (own.letter, own.text) in {(b"c", ""), (b"y", AWAY)}
    assert connection.message(written("ceo@bolt.example"), login=ANNA).text == AWAY


def test_database_away_means_later_and_recovers_by_itself(guard, database):
    connection = Connection(guard.socket)
    assert connection.message(written(ANNA), login=ANNA).is_pass
    database.stop()

    own, foreign = (connection.message(written(sender), login=ANNA) for sender in (ANNA, "ceo@bolt.example"))
    inbound = connection.message(written("someone@elsewhere.example"))
    unreadable = connection.message(written("a, b"), login=ANNA)

    assert (own.letter, own.text, foreign.text) == (b"y", AWAY, AWAY)
    assert inbound.is_pass
    assert unreadable.text.startswith("550 ")
    database.start()
    assert connection.message(written(ANNA), login=ANNA).is_pass
    assert connection.message(written("ceo@bolt.example"), login=ANNA).text.startswith("550 ")


def test_database_that_hangs_means_later_and_holds_up_nobody_else(guard, database):
    # A guard that has just started asks without a thread, which would hold up all sessions.
    guard.stop()
    guard.start()
    connection, outside = Connection(guard.socket), Connection(guard.socket)
    connection.message(written(ANNA), login=ANNA)
    database.freeze()
    try:
        verdicts: list[Verdict] = []
        started = time.monotonic()
        asking = threading.Thread(target=lambda: verdicts.append(connection.message(written(ANNA), login=ANNA)))
        asking.start()
        time.sleep(0.1)
        assert outside.message(written("someone@elsewhere.example")).is_pass
        held_up = time.monotonic() - started
        asking.join()
        waited = time.monotonic() - started
    finally:
        database.thaw()

    assert [verdict.text for verdict in verdicts] == [AWAY]
    assert held_up < 4
    assert waited < 20
    assert connection.message(written(ANNA), login=ANNA).is_pass


def test_database_user_without_the_right_to_read_means_later(guard, database):
    root = database.root()
    root.query("REVOKE SELECT (may_send_as) ON mailhost.mail_aliases FROM mailhost_postfix@localhost")
    try:
        verdict = Connection(guard.socket).message(written(ANNA), login=ANNA)
    finally:
        root.query("GRANT SELECT (may_send_as) ON mailhost.mail_aliases TO mailhost_postfix@localhost")
        root.close()

    assert verdict.text == AWAY


@pytest.mark.parametrize(
    "bytes_sent",
    [
        Struct("!L").pack(0xFFFFFFFF) + b"L",
        Struct("!L").pack(0),
        Struct("!L").pack(1) + b"\xff",
        Struct("!L").pack(6) + b"LFrom\0",
        Struct("!L").pack(1) + b"B",
        Struct("!L").pack(13) + b"LFrom\0a\0b\0c\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_broken_talk_ends_the_session_and_nothing_else(guard, bytes_sent: bytes):
    broken, other = Connection(guard.socket), Connection(guard.socket)

    broken.socket.sendall(bytes_sent)

    assert broken.stream.read() == b""
    assert other.message(written(ANNA), login=ANNA).is_pass


def test_two_hundred_sessions_at_once_are_served_in_constant_memory(guard):
    def wave(count: int) -> list[bool]:
        connections = [Connection(guard.socket) for _ in range(count)]
        answers: list[bool] = []

        def talk(place: int, connection: Connection) -> None:
            sender = ANNA if place % 2 else "ceo@bolt.example"
            big = [(b"Received", b"x" * 50_000)] * 3
            for _ in range(3):
                answers.append(connection.message(written(sender, *big), login=ANNA).is_pass == bool(place % 2))

        threads = [threading.Thread(target=talk, args=pair) for pair in enumerate(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()
        return answers

    first = wave(200)
    after_first = guard.resident_kb()
    for _ in range(2):
        wave(200)

    assert first == [True] * 600
    assert guard.resident_kb() < after_first * 1.05 + 2048


def test_stops_when_asked_and_takes_its_socket_along(guard):
    connection = Connection(guard.socket)

    assert guard.stop() == 0
    assert not guard.socket.exists()
    assert connection.stream.read() == b""


def test_socket_is_for_its_group_only(guard):
    assert os.stat(guard.socket).st_mode & 0o777 == 0o660
