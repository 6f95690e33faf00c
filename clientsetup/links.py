"""Addresses of pages that are handed to people. Made of MAILHOST_URL, never of what a request calls this host."""

from django.conf import settings
from django.urls import reverse


def link_of(token: str) -> str:
    return f"{settings.MAILHOST_URL}{reverse('profile-link-opened', args=[token])}"
