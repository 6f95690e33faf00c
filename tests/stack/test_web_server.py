"""The web server as it is started: requests that wait leave it answering, and its log opens nothing."""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import transaction

from accounts import invitations
from accounts.invitation_operations import invite_member
from accounts.models import Invitation, User
from accounts.resets import reset_link
from clientsetup.links import link_of
from clientsetup.operations import create_profile_link
from dns.models import ZoneAccess
from longwork.models import LongWork, State
from longwork.works import begin
from mailboxes.invitations import link
from mailhost.models import Job
from mailhost.scope import every_tenant
from mailhost.vault import seal
from mailhost.waiting import THREADS
from tests.apiside import make_key
from tests.world import a_mailbox, make_world, verified_domain

PATIENCE_SECONDS = 30


class Site:
    """The stack's panel, asked by a customer with a domain of its own."""

    def __init__(self, side) -> None:
        self.url, self.log = side.info["web"]["url"], side.home / "log" / "web.log"
        self.actor = make_world().as_acme
        self.domain = verified_domain(self.actor, f"web-{secrets.token_hex(4)}.example")
        with every_tenant("the tests' cast"):
            self.headers = {"Authorization": f"Bearer {make_key(self.domain.tenant)}"}

    def ask(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers | headers, timeout=PATIENCE_SECONDS)

    def lines_with(self, text: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if text in line]

    def answers(self) -> list[int]:
        """Ask pages and the API, from somebody who has just come."""
        return [self.ask(path).status_code for path in ("/sign-in/", "/api/v1/me", "/mailbox/sign-in/", "/healthz") * 3]


@pytest.fixture
def site(private_stack) -> Site:
    # Who fills all the room there is for waiting must not share it with other tests that wait.
    return Site(private_stack)


@contextmanager
def asked_at_once(site: Site, path: str, count: int, **headers: str) -> Iterator[list[Future]]:
    """Ask for a path so often at one time that each is being answered when this comes back."""
    before = len(site.lines_with(f'GET {path}", "'))
    with ThreadPoolExecutor(count) as clients:
        asked = [clients.submit(site.ask, path, **headers) for _ in range(count)]
        until = time.monotonic() + PATIENCE_SECONDS
        while len(site.lines_with(f'GET {path}", "')) - before < count and time.monotonic() < until:
            time.sleep(0.02)
        yield asked


def work_that_nobody_does(site: Site) -> LongWork:
    with transaction.atomic(), every_tenant("a test begins long work"):
        work = begin(site.actor, "tests.nothing", kind="tests")
        Job.objects.filter(task="longwork.tasks.run", arguments={"work_id": work.pk}).update(queue="nobody")
    return work


def end(work: LongWork) -> None:
    with every_tenant("a test ends long work"):
        Job.objects.filter(queue="nobody", arguments={"work_id": work.pk}).delete()
        LongWork.objects.filter(pk=work.pk).update(state=State.CANCELED)


def test_eight_requests_that_wait_leave_the_panel_answering(site):
    work = work_that_nobody_does(site)
    try:
        with asked_at_once(site, f"/api/v1/operations/op_{work.uid}", 8, Prefer="wait=10") as asked:
            told = site.answers()
            still_waiting = [one for one in asked if not one.done()]
            end(work)

        assert set(told) == {200}
        # Each process lets half of its threads wait; who came after them was answered at once.
        assert 4 <= len(still_waiting) <= 8
        assert {one.result().json()["state"] for one in still_waiting} == {"canceled"}
    finally:
        end(work)


def test_more_than_there_are_threads_do_not_stop_it_either(site):
    work = work_that_nobody_does(site)
    try:
        with asked_at_once(site, f"/api/v1/operations/op_{work.uid}", 5 * THREADS, Prefer="wait=10") as asked:
            told = site.answers()
            assert any(not one.done() for one in asked)
            end(work)

        assert set(told) == {200}
        assert {one.result().status_code for one in asked} == {200}
    finally:
        end(work)


class SilentNameServer:
    """Takes every question and says nothing, until it hangs up on everybody."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.taken: list[socket.socket] = []
        self.is_over = False
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def _take(self) -> None:
        while True:
            self.taken.append(self.listener.accept()[0])
            if self.is_over:
                self.taken.pop().close()

    def hang_up(self) -> None:
        self.is_over = True
        for one in list(self.taken):
            one.close()


def test_a_name_server_that_says_nothing_stops_nobody_else(site):
    server = SilentNameServer()
    with every_tenant("the tests' cast"):
        ZoneAccess.objects.create(
            domain=site.domain,
            server="127.0.0.1",
            port=server.port,
            zone=site.domain.domain_name,
            key_name="k",
            algorithm="hmac-sha256",
            sealed_secret=seal("c2VjcmV0"),
        )
    with asked_at_once(site, f"/api/v1/domains/{site.domain.domain_name}/publish", 3 * THREADS) as asked:
        told = site.answers()
        assert any(not one.done() for one in asked)
        server.hang_up()

    assert set(told) == {200}
    found = [one.result() for one in asked]
    busy = [one for one in found if one.status_code == 503]
    assert {one.status_code for one in found} == {422, 503}
    assert {(one.json()["code"], one.headers["Retry-After"]) for one in busy} == {("unavailable", "5")}


def secret_links(site: Site) -> dict[str, str]:
    """Return each kind of link that opens something, with the words that its log line has instead."""
    mailbox = a_mailbox(site.actor, f"anna@{site.domain}")
    with every_tenant("the tests' cast"):
        invitation = invite_member(site.actor, email="new@acme.example", role="support")
        invitation = Invitation.objects.select_related("tenant__brand").get(pk=invitation.pk)
        _, token = create_profile_link(site.actor, mailbox=mailbox, now=datetime.now(UTC))
        return {
            invitations.link(invitation): f"/invitations/{invitation.uid}/…/",
            reset_link(a_person(), site.url): "/password/new/…/",
            link(mailbox): "/mailboxes/invitation/…/",
            link_of(token): "/device/…/",
        }


def a_person() -> User:
    user = User(email=f"{secrets.token_hex(6)}@acme.example")
    user.set_password(secrets.token_hex(8))
    user.save()
    return user


def test_links_that_open_something_are_in_no_log(site, private_stack):
    links = secret_links(site)
    for address in links:
        path = urlsplit(address).path
        assert site.ask(path).status_code == 302
        # What is refused is logged by Django itself.
        assert httpx.post(site.url + path, headers={"Referer": address}).status_code == 403
        assert httpx.get(f"{site.url}{path}further/?from={path}").status_code == 404

    written = "".join(file.read_text(errors="replace") for file in (private_stack.home / "log").glob("*.log"))
    for address, said in links.items():
        secret = max(urlsplit(address).path.split("/"), key=len)
        assert secret not in written
        assert site.lines_with(f'"GET {said} HTTP/1.1" 302')
