"""Every address and method, found by itself, called by everybody: it opens to whom `table.py` says and to nobody else.

What is not one's own does not exist: the answer about it is, to the letter, that about what never was.
"""

import re

import pytest

from tests.routes import callers, discovery
from tests.routes.callers import CALLERS, NOBODY, SIBLING, STRANGER, SUSPENDED, UNSCOPED, Row
from tests.routes.cast import UNKNOWN_UID, Cast, Statements, undone
from tests.routes.table import NOWHERE, TABLE

pytestmark = pytest.mark.django_db

LET_IN = {200, 201, 202, 204, 302, 303, 409, 422}
FOREIGN = (STRANGER, SIBLING)
# Of an answer, what differs between any two requests.
CHANGING_WORDS = re.compile(
    r'"request_id": ?"[^"]*"|Request <code>[^<]*|name="csrfmiddlewaretoken" value="[^"]*"|csrf-token="[^"]*"'
)
CHANGING_HEADERS = {"X-Request-Id", "RateLimit", "Content-Length", "Date", "Expires"}


@pytest.fixture
def cast(db, plain_static) -> Cast:
    return Cast()


def test_every_endpoint_and_method_stands_in_the_table_and_in_the_document():
    found = discovery.endpoint_methods()

    assert found == {(row.method, row.route) for row in TABLE if row.route.startswith("api/v1/") and not is_public(row)}
    assert found == discovery.described_methods()


def test_every_page_stands_in_the_table():
    known = {row.route for row in TABLE}
    endpoints = {route for _, route in discovery.endpoint_methods()}

    assert discovery.pages() == known - endpoints | {NOWHERE}


def test_no_row_stands_in_the_table_twice_or_opens_to_who_is_not_known():
    assert len({(row.method, row.route) for row in TABLE}) == len(TABLE)
    assert [row for row in TABLE if not row.opens_to <= set(CALLERS)] == []


@pytest.mark.parametrize("who", CALLERS)
def test_it_opens_to_whom_the_table_says_and_to_nobody_else(cast, subtests, who):
    if who == SUSPENDED:
        cast.suspend_acme()

    for row in TABLE:
        if who == UNSCOPED and (not row.is_api or is_public(row)):
            continue
        with subtests.test(str(row)), undone(), Statements() as statements:
            answer = cast.call(who, row)

            if who in row.opens_to:
                assert answer.status_code in LET_IN, content(answer)
                assert is_public(row) or not leads_to_sign_in(answer)
            else:
                assert_refused(answer, who, row)
                assert statements.changes == []


def assert_refused(answer, who: str, row: Row) -> None:
    """Hold a refusal to its form: who is not signed in hears that, who may not hears that or that nothing is there."""
    if who == SUSPENDED and row.is_api:
        # Who has shown a key hears why it opens nothing.
        assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended"), answer.content
    elif who in {NOBODY, SUSPENDED}:
        assert answer.status_code == 401 if row.is_api else leads_to_sign_in(answer), answer.content
    elif who in {callers.READER, callers.BILLING} and not row.is_own:
        assert answer.status_code == 403, answer.content
    else:
        # Whoever may do such a thing nowhere hears 403 before anything is looked for.
        assert answer.status_code in ({403, 404} if row.about else {403}), answer.content


@pytest.mark.parametrize("who", FOREIGN)
def test_a_strangers_thing_is_as_absent_as_one_that_never_was(cast, subtests, who):
    for row in TABLE:
        if row.about:
            with subtests.test(str(row)), undone():
                with Statements() as asked_of_foreign:
                    foreign = cast.call(who, row)
                with Statements() as asked_of_unknown:
                    unknown = cast.call(who, row, unknown=True)

                assert foreign.status_code == unknown.status_code
                assert words(foreign, cast, row) == words(unknown, cast, row)
                assert headers(foreign) == headers(unknown)
                # As many statements, so that the time taken tells nothing either.
                assert len(asked_of_foreign) == len(asked_of_unknown)
                assert asked_of_foreign.changes == []


@pytest.mark.parametrize("who", FOREIGN)
def test_a_body_that_points_at_a_strangers_thing_is_answered_like_one_that_points_nowhere(cast, subtests, who):
    for row in TABLE:
        for member, name in row.refers.items():
            with subtests.test(f"{row} {member}"), undone(), Statements() as statements:
                foreign, unknown = (
                    cast.call(who, row, body={**row.body, member: cast.reference(name, row.is_api, is_unknown)})
                    for is_unknown in (False, True)
                )

                assert foreign.status_code == unknown.status_code == (422 if who in row.opens_to else 403)
                assert words(foreign, cast, row) == words(unknown, cast, row)
                assert statements.changes == []


@pytest.mark.parametrize("who", FOREIGN)
def test_nothing_of_acmes_stands_in_what_others_see(cast, subtests, who):
    for row in TABLE:
        if row.method == "GET" and who in row.opens_to and not is_public(row):
            with subtests.test(str(row)):
                shown = content(cast.call(who, row)).decode()

                assert "acme" not in shown.lower()
                assert [name for name, thing in cast.things.items() if thing.uid in shown] == []


@pytest.mark.parametrize("who", [NOBODY, STRANGER, callers.OWNER])
def test_head_is_answered_like_get_and_without_a_body(cast, subtests, who):
    for row in TABLE:
        if row.method == "GET":
            with subtests.test(str(row)):
                answer = cast.call(who, row, method="HEAD")

                assert (answer.status_code, content(answer)) == (cast.call(who, row).status_code, b"")


def test_methods_without_a_row_are_refused_or_change_nothing(cast, subtests):
    methods = {(row.method, row.route) for row in TABLE}

    for row in {row.route: row for row in TABLE}.values():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            if (method, row.route) not in methods:
                with subtests.test(f"{method} {row.route}"), undone(), Statements() as statements:
                    answer = cast.call(callers.OWNER, row, method=method)

                    if row.is_api or method == "GET":
                        assert answer.status_code == 405, answer.content
                    assert statements.changes == []


def is_public(row: Row) -> bool:
    return NOBODY in row.opens_to


def leads_to_sign_in(answer) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/")


def content(answer) -> bytes:
    return answer.streamed if answer.streaming else answer.content


def words(answer, cast: Cast, row: Row) -> str:
    """Return an answer's body without what differs between any two requests, and without the ids that were asked."""
    text = CHANGING_WORDS.sub("", content(answer).decode())
    for thing in cast.things.values():
        text = text.replace(thing.uid, UNKNOWN_UID)
    return text


def headers(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGING_HEADERS}
