"""What holds for every page alike, row by row of the table: forms, tokens, the number of statements."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from accounts.operations import create_api_key
from mailboxes.models import Mailbox
from mailboxes.operations import create_mailbox
from mailhost.scope import every_tenant
from tenants.models import Kind
from tenants.operations import create_tenant
from tests.routes import callers
from tests.routes.cast import Cast, Statements, undone
from tests.routes.table import TABLE
from tests.world import PASSWORD_HASH, an_alias, verified_domain

pytestmark = pytest.mark.django_db

PAGES = [row for row in TABLE if not row.is_api and callers.NOBODY not in row.opens_to]
READ = [row for row in PAGES if row.method == "GET"]
# What a form may do whoever sends it.
FREE = ('role="search"', 'action="/sign-out/"', 'action="/language/"', 'method="dialog"')
# Of one page, the session, the person and the membership included.
MOST_STATEMENTS = 10


@pytest.fixture
def cast(db, plain_static) -> Cast:
    return Cast()


def test_nobody_is_sent_to_the_sign_in_and_back(cast, subtests):
    for row in PAGES:
        with subtests.test(str(row)):
            answer = cast.call(callers.NOBODY, row)

            asked = cast.address(row) + (f"?{row.query}" if row.query and row.method == "GET" else "")
            assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={quote(asked)}")


def test_who_may_only_read_is_offered_no_change(cast, subtests):
    for row in READ:
        if callers.READER in row.opens_to and not row.is_own:
            with subtests.test(str(row)):
                answer = cast.call(callers.READER, row)
                page = answer.getvalue().decode()

                # Signing out, searching, the language and closing a dialog are all that is left.
                forms = [part.split(">")[0] for part in page.split("<form ")[1:]]
                assert [one for one in forms if not any(free in one for free in FREE)] == []


def test_a_form_without_its_token_is_refused(cast, subtests):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = cast.client(callers.OWNER, is_api=False).cookies
    cast.clients[callers.OWNER, False] = strict

    for row in PAGES:
        if row.method == "POST":
            with subtests.test(str(row)), undone(), Statements() as statements:
                answer = cast.call(callers.OWNER, row)

                assert answer.status_code == 403
                assert "open for too long" in answer.content.decode()
                assert statements.changes == []


def test_pages_ask_the_same_few_statements_however_full_they_are(cast):
    few = {str(row): statements(cast, row) for row in READ}
    fill(cast, 30)
    many = {str(row): statements(cast, row) for row in READ}

    assert many == few
    assert {row: count for row, count in few.items() if count > MOST_STATEMENTS} == {}


def statements(cast: Cast, row: callers.Row) -> int:
    with Statements() as asked:
        cast.call(callers.PARENT, row)
    return len(asked)


def fill(cast: Cast, count: int) -> None:
    """Give Bolt a lot of everything, below Rita, who looks at it."""
    actor, rita = cast.world.as_bolt, cast.world.rita
    for number in range(count):
        verified_domain(actor, f"bolt-{number}.example")
        create_tenant(cast.world.as_rita, parent=rita, kind=Kind.CUSTOMER, name=f"Customer {number}")
    for number in range(count):
        address = f"person-{number}@bolt-0.example"
        create_mailbox(actor, address=address, password_hash=PASSWORD_HASH, storage_quota_mb=10)
        an_alias(actor, f"team-{number}@bolt-0.example", address)
        create_api_key(actor, name=f"Key {number}", scopes=["domains:read"])
    with every_tenant("the tests' cast"):
        Mailbox.objects.filter(email__startswith="person-2").update(deleted_at=timezone.now())
