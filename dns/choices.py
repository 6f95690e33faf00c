"""SPF and DMARC records from readable choices, and what they say, in sentences."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop

from dns import dmarc, spf
from domains.names import normalise_host
from mailhost.errors import Refused
from mailhost.said import Said

ENDINGS = {"fail": "-all", "softfail": "~all", "neutral": "?all"}
SAID_OF_OTHERS = {
    "fail": gettext_noop("Mail from anywhere else is not the domain's: receivers may refuse it."),
    "softfail": gettext_noop("Mail from anywhere else is probably not the domain's: receivers grow suspicious."),
    "neutral": gettext_noop("Of mail from anywhere else the domain says nothing."),
}
MOST_ENTRIES = 50
# A longer record needs TCP or several strings; receivers want it to fit 512 bytes (RFC 7208, 3.4).
LONGEST_RECORD = 450
ADDRESS = re.compile(r"[^\s@,;!<>\"]{1,64}@[^\s@,;!<>\"]+")


def make_spf(
    *,
    mx: bool = False,
    a: bool = False,
    ip4: Sequence[str] = (),
    ip6: Sequence[str] = (),
    include: Sequence[str] = (),
    policy: str = "softfail",
) -> dict[str, Any]:
    """Return a record, what it says, and the lookups it asks for by itself. Raises Refused: invalid_network,
    invalid_domain, invalid_policy, too_many, too_long."""
    if policy not in ENDINGS:
        raise Refused("invalid_policy", "policy", gettext("Choose one of %(names)s.") % {"names": ", ".join(ENDINGS)})
    networks4 = [_network(text, ipaddress.IPv4Network, "ip4") for text in _few(ip4, "ip4")]
    networks6 = [_network(text, ipaddress.IPv6Network, "ip6") for text in _few(ip6, "ip6")]
    includes = [normalise_spf_name(text) for text in _few(include, "include")]
    words = [
        "v=spf1",
        *(["mx"] if mx else []),
        *(["a"] if a else []),
        *(f"ip4:{network}" for network in networks4),
        *(f"ip6:{network}" for network in networks6),
        *(f"include:{name}" for name in includes),
        ENDINGS[policy],
    ]
    record = " ".join(words)
    lookups = mx + a + len(includes)
    if lookups > spf.MOST_LOOKUPS:
        raise Refused(
            "too_many",
            "include",
            gettext("This needs %(lookups)s lookups; receivers make %(most_lookups)s.")
            % {"lookups": lookups, "most_lookups": spf.MOST_LOOKUPS},
        )
    if len(record) > LONGEST_RECORD:
        raise Refused(
            "too_long",
            "",
            gettext("The record has %(count)s characters; receivers want %(longest_record)s at most.")
            % {"count": len(record), "longest_record": LONGEST_RECORD},
        )
    meaning = _spf_meaning(policy, mx=mx, a=a, networks=[*networks4, *networks6], includes=includes)
    return {"type": "TXT", "value": record, "meaning": meaning, "lookups": lookups, "most_lookups": spf.MOST_LOOKUPS}


def _spf_meaning(policy: str, *, mx: bool, a: bool, networks: list[str], includes: list[str]) -> list[Said]:
    said = []
    if mx:
        said.append(Said(gettext_noop("The domain's mail hosts (MX) may send for it.")))
    if a:
        said.append(Said(gettext_noop("The servers at the domain's own address may send for it.")))
    if networks:
        said.append(Said(gettext_noop("So may %(networks)s."), networks=", ".join(networks)))
    if includes:
        said.append(Said(gettext_noop("So may whoever may send for %(names)s."), names=", ".join(includes)))
    if not said:
        said.append(Said(gettext_noop("Nobody may send for this domain.")))
    return [*said, Said(SAID_OF_OTHERS[policy])]


def make_dmarc(
    *,
    policy: str,
    subdomain_policy: str | None = None,
    rua: Sequence[str] = (),
    ruf: Sequence[str] = (),
    failure_options: str | None = None,
    testing: bool = False,
) -> dict[str, Any]:
    """Return a record and what it says. Raises Refused: invalid_policy, invalid_address, invalid_failure_options,
    too_many."""
    for field, value in (("policy", policy), ("subdomain_policy", subdomain_policy or policy)):
        if value not in dmarc.POLICIES:
            raise Refused(
                "invalid_policy", field, gettext("Choose one of %(names)s.") % {"names": ", ".join(dmarc.POLICIES)}
            )
    for field, addresses in (("rua", rua), ("ruf", ruf)):
        for address in _few(addresses, field, dmarc.MOST_ADDRESSES):
            _check_address(address, field)
    options = (failure_options or "").split(":") if failure_options else []
    if any(option not in dmarc.FAILURE_OPTIONS for option in options):
        raise Refused(
            "invalid_failure_options",
            "failure_options",
            gettext("Give 0, 1, d or s, or several of them with colons between."),
        )
    record = dmarc.make(
        policy=policy,
        subdomain_policy=subdomain_policy or "",
        rua=rua,
        ruf=ruf,
        failure_options=":".join(options),
        testing=testing,
    )
    return {"type": "TXT", "host": "_dmarc", "value": record, "meaning": dmarc.meaning(record)}


def normalise_spf_name(text: str) -> str:
    """Return the A-label form of a name to include, whose first labels may bear an underscore (`_spf.acme.example`)."""
    name = text.strip().rstrip(".").lower()
    front, _, rest = name.partition(".")
    if front.startswith("_") and front[1:].replace("-", "").replace("_", "").isalnum() and front.isascii():
        return f"{front}.{normalise_spf_name(rest)}"
    return normalise_host(name, field="include")


def _few(given: Sequence[str], field: str, most: int = MOST_ENTRIES) -> Sequence[str]:
    if len(given) > most:
        raise Refused("too_many", field, gettext("Give %(most)s at most.") % {"most": most})
    return given


def _network(text: str, kind: type, field: str) -> str:
    try:
        network = kind(text.strip())
    except ValueError as error:
        if "host bits" in str(error):
            said = gettext("%(text)s is no network of this kind: its address has bits beyond its length.")
        else:
            said = gettext("%(text)s is no address or network of this kind, as in 192.0.2.0/24.")
        raise Refused("invalid_network", field, said % {"text": text[:60]}) from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _check_address(address: str, field: str) -> None:
    if not (ADDRESS.fullmatch(address) and address.isascii() and address.isprintable()):
        raise Refused(
            "invalid_address", field, gettext("%(address)s is no mail address.") % {"address": f"{address[:80]!r}"}
        )
    normalise_host(address.rpartition("@")[2], field=field)
