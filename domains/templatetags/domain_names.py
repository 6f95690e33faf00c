"""How templates show a domain's name."""

from django import template

from domains.names import display_name

register = template.Library()
# "xn--mnchen-3ya.example" → "münchen.example"
register.filter("readable_name", display_name)
