"""How templates show an address."""

from django import template

from mailboxes.addresses import display_address

register = template.Library()
# "anna@xn--mnchen-3ya.example" → "anna@münchen.example", "@acme.example" → "*@acme.example"
register.filter("readable_address", display_address)
