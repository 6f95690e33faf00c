"""Publishing and its undo by several at once: one act changes a zone at a time, and an undo is the last word."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from dns import tasks
from dns.changes import Change
from dns.models import Publication
from dns.nsupdate import NameServer
from dns.publishing_operations import preview, publish_by_itself, publish_records, settle_publication, undo_publication
from dns.zone_access_operations import zone_of
from mailhost.background import Again
from mailhost.errors import Refused
from mailhost.scope import every_tenant, tenant_scope
from tests.together import at_once


@pytest.fixture
def meanwhile(monkeypatch) -> Callable:
    """Has acts done by others at the moment when a zone is asked next: `meanwhile("read", act, …)` returns a list that
    then holds how they went."""

    def arrange(method: str, *acts: Callable[[], object]) -> list[str]:
        found: list[str] = []
        waiting = list(acts)
        original = getattr(NameServer, method)

        def interrupted(server, *arguments):
            these, waiting[:] = waiting[:], []
            for act in these:
                found.extend(at_once(act))
            return original(server, *arguments)

        monkeypatch.setattr(NameServer, method, interrupted)
        return found

    return arrange


def planned(actor, domain) -> list:
    with tenant_scope(actor.tenant_path):
        return [change for change in preview(actor, domain) if change.does_something]


def take_out(actor, domain, name: str) -> None:
    """Somebody takes a record of the domain out of the zone."""
    with every_tenant("a test looks"):
        [publication] = Publication.objects.filter(domain=domain)
    change = next(one for one in publication.changes if one["name"].startswith(name))
    with tenant_scope(actor.tenant_path):
        writer = zone_of(domain)
    writer.apply([Change.from_dict(change).undone])


def test_what_a_publication_has_begun_to_look_at_nobody_else_changes(connected_live, meanwhile):
    actor, domain = connected_live
    publish_records(actor, domain=domain)
    take_out(actor, domain, "_dmarc.")
    found = meanwhile(
        "read",
        lambda: undo_publication(actor, domain=domain),
        lambda: publish_records(actor, domain=domain),
        lambda: settle_publication(actor, domain=domain),
    )

    publication = publish_records(actor, domain=domain)

    assert found == ["under_way"] * 3
    assert [change["name"] for change in publication.changes] == [f"_dmarc.{domain.domain_name}"]
    undone = [undo_publication(actor, domain=domain).pk for _ in range(2)]
    assert undone[0] == publication.pk
    assert len(planned(actor, domain)) > 5


def test_nothing_is_published_while_an_undo_is_under_way(connected_live, meanwhile):
    actor, domain = connected_live
    publish_records(actor, domain=domain)
    take_out(actor, domain, "_dmarc.")
    found = meanwhile("apply", lambda: publish_records(actor, domain=domain))

    undo_publication(actor, domain=domain)

    assert found == ["under_way"]
    with every_tenant("a test looks"):
        assert Publication.objects.filter(domain=domain).count() == 1


def test_what_is_published_by_itself_comes_back_when_another_act_is_through(connected_live, meanwhile):
    actor, domain = connected_live
    answers = []
    meanwhile("apply", lambda: answers.append(tasks.publish_records(domain.pk)))

    publish_records(actor, domain=domain)

    assert answers == [Again(tasks.COME_BACK_SECONDS)]


def test_after_an_undo_nothing_that_was_asked_for_before_is_published(connected_live):
    actor, domain = connected_live
    asked_at = timezone.now()
    publish_records(actor, domain=domain)
    undo_publication(actor, domain=domain)
    wanted = planned(actor, domain)

    with pytest.raises(Refused) as by_itself:
        publish_by_itself(actor, domain=domain)
    with pytest.raises(Refused) as late:
        publish_records(actor, domain=domain, asked_at=asked_at)

    assert (by_itself.value.code, late.value.code) == ("nothing_to_publish", "undone")
    assert planned(actor, domain) == wanted
    assert publish_records(actor, domain=domain).changes
