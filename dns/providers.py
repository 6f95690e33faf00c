"""The providers of DNS whose zones are published into. One more is a module like these two, and a line here."""

from dns.cloudflare import CLOUDFLARE
from dns.digitalocean import DIGITALOCEAN

PROVIDERS = {provider.name: provider for provider in (CLOUDFLARE, DIGITALOCEAN)}
