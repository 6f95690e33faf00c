"""Long work on claims (longwork.works)."""

from domains.api import DomainAnswer
from domains.operations import verify_domain
from domains.references import domain_of_work
from longwork.works import Run


def verify(run: Run, *, domain_id: int) -> None:
    """Look for the proof of ownership, which may take the DNS seconds."""
    run.result = DomainAnswer(verify_domain(run.actor, domain=domain_of_work(domain_id))).data
