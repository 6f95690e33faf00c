"""What DNS says about a name that somebody is about to add: where its mail goes now, so that nothing is a surprise."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dns.remembered import look
from domains.names import display_name, name_in, normalise_domain
from mailhost.errors import Refused
from mailhost.web.pages import needs


@needs("dns.look_up")
def arrival(request: HttpRequest) -> HttpResponse:
    """A fragment for the page that adds a domain; half-typed names get none."""
    typed = name_in(request.GET.get("name", ""))
    if "." not in typed:
        return HttpResponse("")
    try:
        name = normalise_domain(typed)
        context = {"name": name, "shown": display_name(name), "mx": look(request.actor, "mx", name)}
        context["spf"] = look(request.actor, "spf", name)
    except Refused as refused:
        context = {"trouble": refused.message}
    return render(request, "dns/_arrival.html", context)
