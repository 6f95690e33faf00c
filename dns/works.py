"""Long work on a domain's records: asking the DNS, and publishing into a zone (longwork.works)."""

from datetime import datetime

from django.utils import timezone

from dns.api.publishing import shown
from dns.api.records import records_shown
from dns.early_answers import EarlyAnswers
from dns.publishing_operations import publish_records
from dns.record_operations import observe_records
from domains.references import domain_of_work
from longwork.works import Run
from mailhost.errors import NotPermitted


def check(run: Run, *, domain_id: int) -> None:
    """Look up what a domain does publish; the result are its records as they were found."""
    if not run.actor.may("records.check"):
        raise NotPermitted("records.check")
    domain = domain_of_work(domain_id)
    now = timezone.now()
    observe_records([domain], now=now, told=EarlyAnswers(domain, now).tell)
    run.result = records_shown(domain)


def publish(run: Run, *, domain_id: int, asked_at: str = "") -> None:
    """Publish a domain's records, unless an undo was asked for after this (`asked_at`, as ISO 8601 has it)."""
    since = datetime.fromisoformat(asked_at) if asked_at else None
    run.result = shown(publish_records(run.actor, domain=domain_of_work(domain_id), asked_at=since))
