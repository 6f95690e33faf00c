"""The domains that pages about addresses narrow to and choose from."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from domains.models import Domain
from mailboxes.forms import MOST_CHOICES, ListForm
from mailboxes.listing import mailbox_keys


def chosen_domain(request: HttpRequest) -> Domain | None:
    """Return the domain that a list is narrowed to, or None. What is not in scope does not exist: 404."""
    uid = request.GET.get("domain", "") or request.POST.get("narrowed_to", "")
    if not uid:
        return None
    # The column is ASCII: MariaDB answers an error when it is asked for other characters.
    return get_object_or_404(Domain.objects.live(), uid=uid.encode("ascii", "replace").decode())


def domain_choices() -> QuerySet[Domain]:
    """The proven domains, which addresses may lie in: one more than can be chosen from, so that the form can tell."""
    return Domain.objects.with_own_addresses()[: MOST_CHOICES + 1]


def listed_keys(form: ListForm, domain: Domain | None) -> QuerySet:
    """Return the keys of the mailboxes that a list shows which was asked so."""
    rows = mailbox_keys(of_one_domain=domain is not None)
    return form.narrowed(rows if domain is None else rows.filter(domain=domain))
