"""The switch of the language, for everybody: signed in or not, people and mailbox users."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.models import User
from mailhost.web.language import remember_language
from mailhost.web.pages import go_back


@login_not_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Speak the language named in `language` from now on; one that we do not speak changes nothing."""
    response = go_back(request, "home")
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return response
    # How a page is shown is no act of the account's, so no operation and no record.
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(language=language)
    remember_language(response, language)
    return response
