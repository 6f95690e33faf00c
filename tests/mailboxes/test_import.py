"""A table of mailboxes or aliases from the upload to its report."""

import csv
import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from domains.models import Domain
from domains.operations import update_domain
from longwork.models import LongWork
from longwork.tasks import run
from mailboxes.import_operations import forget_imports
from mailboxes.models import Alias, Import, Mailbox
from mailboxes.operations import delete_mailbox
from mailboxes.passwords import verify
from mailhost.scope import every_tenant
from tenants.models import Allowance, Role
from tests.mailboxes.test_mailbox_list_page import browser_of
from tests.world import PASSWORD_HASH, a_mailbox, an_alias, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]

HEADER = "email,display_name,storage_quota_mb,password_hash\n"


@pytest.fixture
def anna(world) -> Client:
    verified_domain(world.as_acme, "acme.example")
    return browser_of(world.acme)


def bring(browser: Client, text: str, kind: str = "mailboxes") -> str:
    """Upload a table; return the address of its preview."""
    file = SimpleUploadedFile("people.csv", text.encode(), "text/csv")
    answer = browser.post("/import/", {"kind": kind, "file": file})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def start(browser: Client, address: str, **more: str):
    return browser.post(f"{address}start/", {"usual_quota_mb": "1 GB"} | more)


def work_to_its_end() -> LongWork:
    """Do what a worker does, step by step."""
    with every_tenant("a worker knows no tenant"):
        work = LongWork.objects.latest("pk")
        while run(work.pk) is not None:
            pass
        work.refresh_from_db()
    return work


def verdicts(page: str) -> dict[str, str]:
    """Return the words of each row's chip in a preview."""
    rows = re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', page, re.DOTALL)
    return {address: re.search(r"</svg>([^<]+)</span>", rest)[1].strip() for address, rest in rows}


def report(browser: Client, address: str) -> list[tuple[str, str, str]]:
    rows = csv.DictReader(browser.get(f"{address}report.csv").getvalue().decode().splitlines())
    return [(row["line"], row["address"], row["outcome"]) for row in rows]


def mailboxes() -> dict[str, tuple[str, int]]:
    with every_tenant("a test looks at its rows"):
        rows = Mailbox.objects.live().order_by("email")
        return {row.email: (row.display_name, row.storage_quota) for row in rows}


def test_every_row_has_its_verdict_before_anything_changes(world, anna):
    a_mailbox(world.as_acme, "ben@acme.example")
    an_alias(world.as_acme, "info@acme.example", "ben@acme.example")

    address = bring(
        anna,
        HEADER
        + f"eva@acme.example,Eva,2 GB,{PASSWORD_HASH}\n"
        + "ben@acme.example,Ben,,\n"
        + "ben@acme.example,Twice,,\n"
        + f"info@acme.example,,,{PASSWORD_HASH}\n"
        + f"x@bolt.example,,,{PASSWORD_HASH}\n"
        + "new@acme.example,No password,,\n"
        + f"big@acme.example,,huge,{PASSWORD_HASH}\n"
        + "bad@acme.example,,,{MD5}abc\n"
        + "not an address,,,\n",
    )
    page = anna.get(address).content.decode()

    assert verdicts(page) == {
        "eva@acme.example": "New",
        "ben@acme.example": "Brought in line",
        "info@acme.example": "Not taken",
        "x@bolt.example": "Not taken",
        "new@acme.example": "Not taken",
        "big@acme.example": "Not taken",
        "bad@acme.example": "Not taken",
        "not an address": "Not taken",
    }
    assert "stands in line 3 already" in page
    assert re.search(r'aria-current="step"[^>]*><span>Preview</span>', page)
    assert mailboxes() == {"ben@acme.example": ("", 100)}
    assert PASSWORD_HASH not in page


def test_new_ones_are_made_and_those_that_are_there_are_brought_in_line(world, anna):
    a_mailbox(world.as_acme, "ben@acme.example")
    text = HEADER + f"eva@acme.example,Eva,2 GB,{PASSWORD_HASH}\nben@acme.example,Ben,,\nuta@acme.example,,,\n"
    address = bring(anna, text.replace("uta@acme.example,,,", f"uta@acme.example,,,{PASSWORD_HASH}"))

    assert start(anna, address)["Location"] == address
    assert "0 of 3 rows" in anna.get(address).content.decode()
    work = work_to_its_end()

    assert (work.state, work.result) == ("succeeded", {"created": 2, "changed": 1})
    assert mailboxes() == {
        "ben@acme.example": ("Ben", 100),
        "eva@acme.example": ("Eva", 2048),
        "uta@acme.example": ("", 1024),
    }
    with every_tenant("a test looks at its rows"):
        assert verify("correct horse battery staple", Mailbox.objects.get(email="eva@acme.example").password_hash)
    assert report(anna, address) == [
        ("2", "eva@acme.example", "taken"),
        ("3", "ben@acme.example", "taken"),
        ("4", "uta@acme.example", "taken"),
    ]


def test_a_row_without_a_size_gets_the_usual_one_of_its_domain(world, anna):
    with every_tenant("a test looks"):
        acme = Domain.objects.get(domain_name="acme.example")
    update_domain(world.as_acme, domain=acme, default_quota_mb=300)

    start(anna, bring(anna, f"email,password_hash\nuta@acme.example,{PASSWORD_HASH}\n"))
    work_to_its_end()

    assert mailboxes() == {"uta@acme.example": ("", 300)}


def test_bringing_it_again_changes_nothing(anna):
    text = HEADER + f"eva@acme.example,Eva,2 GB,{PASSWORD_HASH}\n"
    start(anna, bring(anna, text))
    work_to_its_end()

    address = bring(anna, text)
    start(anna, address)
    work = work_to_its_end()

    assert work.result == {"unchanged": 1}


def test_a_typed_password_is_hashed_and_stands_nowhere(anna):
    secret = "Sieben-Berge-9-Zwerge"
    address = bring(anna, f"email,password\neva@acme.example,{secret}\n")
    assert secret not in anna.get(address).content.decode()

    start(anna, address)
    work = work_to_its_end()

    with every_tenant("a test looks at its rows"):
        kept, eva = Import.objects.get(), Mailbox.objects.get(email="eva@acme.example")
    assert verify(secret, eva.password_hash)
    assert (kept.sealed_rows, work.sealed_arguments) == ("", "")
    everything = json.dumps([kept.lines, kept.refused, work.result, work.errors, work.position])
    assert secret not in everything + anna.get(address).content.decode()


def test_rows_beyond_the_limit_are_refused_and_told(world, anna):
    with every_tenant("a test sets a limit"):
        Allowance.objects.filter(pk=world.acme.pk).update(mailboxes=1)
    address = bring(anna, HEADER + "".join(f"{name}@acme.example,,,{PASSWORD_HASH}\n" for name in ("eva", "uta")))

    start(anna, address)
    work_to_its_end()

    page = anna.get(address).content.decode()
    assert list(mailboxes()) == ["eva@acme.example"]
    assert report(anna, address)[1] == ("3", "uta@acme.example", "refused")
    assert "Acme may have 1 mailboxes" in page
    assert "Done, some refused" in page


def test_aliases_lead_on_as_well_and_nowhere_twice(world, anna):
    for name in ("ben", "eva"):
        a_mailbox(world.as_acme, f"{name}@acme.example")
    an_alias(world.as_acme, "sales@acme.example", "ben@acme.example")
    text = "sales@acme.example: ben@acme.example, eva@acme.example\n*@acme.example -> ben@acme.example\n"

    address = bring(anna, text, "aliases")
    assert verdicts(anna.get(address).content.decode()) == {
        "sales@acme.example": "Brought in line",
        "*@acme.example": "New",
    }
    anna.post(f"{address}start/")
    assert work_to_its_end().result == {"created": 1, "changed": 1}

    address = bring(anna, text, "aliases")
    anna.post(f"{address}start/")
    assert work_to_its_end().result == {"unchanged": 2}
    with every_tenant("a test looks at its rows"):
        rows = Alias.objects.written().order_by("alias_email", "destination_email")
        assert list(rows.values_list("alias_email", "destination_email")) == [
            ("@acme.example", "ben@acme.example"),
            ("sales@acme.example", "ben@acme.example"),
            ("sales@acme.example", "eva@acme.example"),
        ]


def test_an_alias_that_would_go_in_circles_is_told(world, anna):
    an_alias(world.as_acme, "a@acme.example", "b@acme.example")
    address = bring(anna, "b@acme.example: a@acme.example", "aliases")

    anna.post(f"{address}start/")
    work_to_its_end()

    assert report(anna, address) == [("1", "b@acme.example", "refused")]


def test_it_begins_once_however_often_the_button_is_pressed(anna):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")
    start(anna, address)

    answer = anna.post(f"{address}start/", {"usual_quota_mb": "1 GB"}, follow=True)

    assert "No row of it can be imported." in answer.content.decode()
    with every_tenant("a test counts"):
        assert LongWork.objects.count() == 1


def test_a_notice_tells_the_end_wherever_one_is_by_then(anna):
    start(anna, bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n"))
    assert "has ended" not in anna.get("/domains/").content.decode()

    work_to_its_end()

    told = anna.get("/domains/").content.decode()
    assert "The import of people.csv has ended." in told
    assert "See what has come of it</a>" in told
    assert "has ended" not in anna.get("/domains/").content.decode()


def test_who_has_read_what_came_of_it_is_told_nothing(anna):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")
    start(anna, address)
    work_to_its_end()

    anna.get(address, headers={"HX-Request": "true"})

    assert "has ended" not in anna.get("/domains/").content.decode()


def test_a_page_that_is_open_asks_until_the_end_and_shows_a_toast(anna):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")
    assert "/import/ended/" not in anna.get("/domains/").content.decode()
    start(anna, address)
    assert "/import/ended/" in anna.get("/domains/").content.decode()
    htmx = {"HX-Request": "true"}
    assert anna.get("/import/ended/", headers=htmx).status_code == 204

    work_to_its_end()

    answer = anna.get("/import/ended/", headers=htmx)
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert (answer.status_code, toast["text"], toast["link"]) == (200, "The import of people.csv has ended.", address)
    assert "HX-Trigger" not in anna.get("/import/ended/", headers=htmx)


def test_stopping_leaves_what_was_done(anna):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")
    start(anna, address)

    answer = anna.post(f"{address}discard/", follow=True)

    assert "The import was stopped." in answer.content.decode()
    assert work_to_its_end().state == "canceled"
    assert mailboxes() == {}
    assert report(anna, address) == [("2", "eva@acme.example", "not reached")]


def test_what_nobody_imports_is_forgotten(anna):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")

    with every_tenant("the clock runs for all"):
        assert forget_imports(timezone.now()) == 0
        assert forget_imports(timezone.now() + timedelta(days=2)) == 1
    assert anna.get(address).status_code == 404


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.SUPPORT])
def test_who_may_not_create_may_not_import(world, anna, role):
    address = bring(anna, HEADER + f"eva@acme.example,,,{PASSWORD_HASH}\n")
    rex = browser_of(world.acme, role)

    assert [rex.get("/import/").status_code, rex.get(address).status_code] == [403, 403]
    assert rex.post(f"{address}start/").status_code == 403


def test_nothing_brought_is_refused_under_the_field(anna):
    answer = anna.post("/import/", {"kind": "mailboxes", "pasted": "  "})

    assert answer.status_code == 422
    assert "Choose a file, or paste rows below." in answer.content.decode()


def test_a_preview_of_many_rows_asks_as_little_as_one_of_few(world, anna):
    deleted = a_mailbox(world.as_acme, "person-1@acme.example")
    delete_mailbox(world.as_acme, mailbox=deleted)
    counts = []
    for number in (3, 60):
        rows = "".join(f"person-{one}@acme.example,,,{PASSWORD_HASH}\n" for one in range(number))
        address = bring(anna, HEADER + rows)
        with CaptureQueriesContext(connection) as asked:
            anna.get(address)
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 10
