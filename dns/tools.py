"""Looking at the mail records of any domain, hosted here or not: what stands there, what it means, what is wrong.

Each answer is a plain dictionary: `found`, `problems` in sentences, `ttl` in seconds, and what belongs to its kind.
`outcome` tells a record that is not there from a server that does not answer.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from dns import dmarc, spf
from dns.answers import Answer, Outcome
from dns.dkim import RSA_BITS, key_bits
from dns.lookup import Asker, run_many
from dns.policy_fetch import fetch_policy
from dns.reading import is_address, is_version, tags
from dns.verdict import PROXY_MARK, SEVERAL_SPF, unfit_for_mail
from domains.names import normalise_host, parents
from mailhost.errors import Refused
from mailhost.said import Said

Found = dict[str, Any]
REFUSED_HERE = _(
    "%(zone)s refused to answer this resolver. Most lists do not answer public or very busy resolvers: set "
    "MAILHOST_NAMESERVERS to one of your own, or register it with the list."
)

# What a lookup without an answer is kept for, and the longest that one is kept at all.
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 3600
# DKIM has no directory: without a selector, the customary ones are tried.
USUAL_SELECTORS = ("default", "dkim", "google", "k1", "mail", "s1", "s2", "selector1", "selector2")


def look(kind: str, name: str) -> Found:
    """Look up one kind of record. Raises Refused: unknown_kind, invalid_domain, invalid_address."""
    tool = TOOLS.get(kind)
    if tool is None:
        raise Refused("unknown_kind", "kind", gettext("Choose one of %(names)s.") % {"names": ", ".join(TOOLS)})
    subject = normalise_address(name) if kind in OF_ADDRESSES else normalise_name(name)
    found = run_many([lambda asker: tool(asker, subject)], at_once=1)[0]
    return {"kind": kind, "name": subject, **found}


def look_at_addresses(addresses: Sequence[str], *, at_once: int) -> list[Found]:
    """Look for the names of addresses, `at_once` of them; each costs five seconds at most. Raises Refused."""
    subjects = [normalise_address(address) for address in addresses]
    return run_many([partial(look_at_ptr, address=subject) for subject in subjects], at_once=at_once)


def check(domain: str, ip: str | None = None) -> Found:
    """Look at all that decides about a domain's mail; with `ip`, also whether that server may send for it."""
    name = normalise_name(domain)
    address = normalise_address(ip) if ip else None

    async def all_of_it(asker: Asker) -> Found:
        kinds = ["mx", "spf", "dkim", "dmarc", "mta-sts", "tls-rpt"]
        found = await asyncio.gather(*(TOOLS[kind](asker, name) for kind in kinds))
        whole: Found = {"domain": name, **dict(zip((kind.replace("-", "_") for kind in kinds), found, strict=True))}
        if address:
            evaluation = await spf.Evaluator(asker, ip=address, sender=f"postmaster@{name}").check(name)
            whole["sender"] = {
                "ip": address,
                "spf": evaluation.result.value,
                "mechanism": evaluation.mechanism,
                "problems": [evaluation.problem] if evaluation.problem else [],
                "ptr": await look_at_ptr(asker, address),
                "blocklists": await look_at_blocklists(asker, address),
            }
        return whole

    return run_many([all_of_it], at_once=1)[0]


def normalise_name(text: str) -> str:
    """Return the A-label form of a name that may bear underscores (`s1._domainkey.acme.example`)."""
    labels = text.strip().rstrip(".").split(".")
    if not any(label.startswith("_") for label in labels):
        return normalise_host(text.strip())
    last = max(index for index, label in enumerate(labels) if label.startswith("_"))
    front = labels[: last + 1]
    plain = all(
        label and len(label) <= 63 and label.isascii() and label.replace("-", "").replace("_", "").isalnum()
        for label in front
    )
    name = ".".join([*(label.lower() for label in front), normalise_host(".".join(labels[last + 1 :]))])
    if not plain or len(name) > 253:
        raise Refused("invalid_domain", "name", gettext("This is no name that DNS could hold."))
    return name


def normalise_address(text: str) -> str:
    """Return an IP address in its one form. Raises Refused("invalid_address", …)."""
    try:
        # A zone (RFC 4007) means something only on the machine that wrote it.
        found = ipaddress.ip_address("" if "%" in text else text.strip())
    except ValueError:
        raise Refused("invalid_address", "ip", gettext("Enter an IP address, for example 192.0.2.25.")) from None
    return str(found)


def result(answer: Answer, found: Sequence[str], problems: Sequence[str], **more: Any) -> Found:
    said = [answer.detail] if answer.is_temporary else list(problems)
    ttl = min(max(answer.ttl, SHORTEST_SECONDS), LONGEST_SECONDS)
    return {"outcome": answer.outcome.value, "found": list(found), "problems": said, "ttl": ttl, **more}


async def look_at_mx(asker: Asker, name: str) -> Found:
    answer = await asker.look_up(name, "MX")
    pairs = sorted((int(value.split(" ", 1)[0]), value.split(" ", 1)[1]) for value in answer.values)
    hosts, problems = [], []
    for preference, host in pairs[: spf.MOST_MX_HOSTS]:
        kinds = await asyncio.gather(asker.look_up(host, "A"), asker.look_up(host, "AAAA"))
        addresses = [value for one in kinds for value in one.values if is_address(value)]
        hosts.append({"preference": preference, "host": host, "addresses": addresses})
        if host == ".":
            continue
        if is_address(host):
            problems.append(Said(_("%(host)s is an address; an MX record names a host."), host=host))
        elif host.startswith(PROXY_MARK):
            problems.append(Said(_("%(host)s is behind a web proxy, which takes no mail."), host=host))
        elif any(one.aliases for one in kinds):
            text = _("%(host)s is an alias (CNAME), which an MX record must not name (RFC 2181, 10.3).")
            problems.append(Said(text, host=host))
        elif not addresses and not any(one.is_temporary for one in kinds):
            problems.append(Said(_("%(host)s has no address, so no mail reaches it."), host=host))
    if not pairs and not answer.is_temporary:
        problems.append(Said(_("There is no MX record: mail goes to the name's own address, if it has one.")))
    takes_mail = pairs != [(0, ".")]
    if not takes_mail:
        problems.append(Said(_("The domain says that it takes no mail (null MX, RFC 7505).")))
    return result(answer, answer.values, problems, hosts=hosts, takes_mail=takes_mail and bool(pairs))


async def look_at_spf(asker: Asker, name: str) -> Found:
    answer = await asker.look_up(name, "TXT")
    found = spf.spf_records(answer.values)
    problems, lookups, voids, includes, record = [], 0, 0, [], ""
    if not found and not answer.is_temporary:
        problems.append(Said(_("There is no SPF record.")))
    if len(found) == 1:
        record = found[0]
        counted = await spf.Evaluator(asker, ip=None, sender=f"postmaster@{name}").check(name)
        lookups, voids, includes = counted.lookups, counted.voids, counted.includes
        if counted.problem:
            problems.append(counted.problem)
        if lookups > spf.MOST_LOOKUPS:
            text = _("It needs %(lookups)s lookups and may need %(most)s: receivers take it for broken.")
            problems.append(Said(text, lookups=lookups, most=spf.MOST_LOOKUPS))
        problems += spf_advice(record)
    elif found:
        problems.append(Said(SEVERAL_SPF))
    counts = {"lookups": lookups, "most_lookups": spf.MOST_LOOKUPS, "voids": voids, "includes": includes}
    return result(answer, found, problems, record=record, **counts)


def spf_advice(record: str) -> list[Said]:
    """Return what is allowed and unwise in a record that can be read."""
    try:
        parsed = spf.parse(record)
    except spf.SpfError:
        return []
    said = []
    last = parsed.terms[-1] if parsed.terms else None
    if any(term.name == "ptr" for term in parsed.terms):
        said.append(Said(_("ptr is slow, and receivers are told not to use it (RFC 7208, 5.5).")))
    if last is not None and last.name == "all" and last.qualifier == "pass":
        said.append(Said(_("+all lets everybody send in this domain's name.")))
    if not parsed.redirect and not any(term.name == "all" for term in parsed.terms):
        said.append(Said(_("It says nothing about everybody else: end it with ~all or -all.")))
    return said


async def look_at_dkim(asker: Asker, name: str) -> Found:
    if "._domainkey." in name:
        return await look_at_key(asker, name)
    names = [f"{selector}._domainkey.{name}" for selector in USUAL_SELECTORS]
    keys = await asyncio.gather(*(look_at_key(asker, one) for one in names))
    shown = [key | {"name": one} for one, key in zip(names, keys, strict=True) if key["found"]]
    lacking = Said(_("None of the usual selectors has a key. Name yours: selector._domainkey.domain."))
    problems = [] if shown else [lacking]
    least = min([key["ttl"] for key in shown], default=SHORTEST_SECONDS)
    outcome = Outcome.FOUND if shown else Outcome.NO_SUCH_RECORD
    return result(Answer(outcome, ttl=least), [value for key in shown for value in key["found"]], problems, keys=shown)


async def look_at_key(asker: Asker, name: str) -> Found:
    answer = await asker.look_up(name, "TXT")
    problems, algorithm, bits = [], "", None
    if not answer.values and not answer.is_temporary:
        problems.append(Said(_("There is no key at %(name)s."), name=name))
    elif len(answer.values) > 1:
        text = _("There are several TXT records at %(name)s, and verifiers may take any of them.")
        problems.append(Said(text, name=name))
    elif answer.values:
        found = tags(answer.values[0])
        algorithm = found.get("k", "rsa")
        bits = key_bits(found.get("p", "")) if algorithm == "rsa" else None
        if algorithm == "rsa":
            problems += filter(None, [unfit_for_mail(found)])
            if found.get("p") and bits is None:
                problems.append(Said(_("The key cannot be read: it may be cut off.")))
        if bits is not None and bits < RSA_BITS:
            problems.append(
                Said(_("The key has %(bits)s bits; use %(least)s or more (RFC 8301)."), bits=bits, least=RSA_BITS)
            )
        if "y" in found.get("t", "").split(":"):
            problems.append(Said(_("The key is marked as a test (t=y): verifiers treat the mail as unsigned.")))
    return result(answer, answer.values, problems, algorithm=algorithm, bits=bits)


async def look_at_dmarc(asker: Asker, name: str) -> Found:
    """Look at the name, and above it where it has no record of its own (the tree walk of RFC 9989, 4.10)."""
    answer, at = Answer(Outcome.NO_SUCH_NAME), ""
    for at in [name, *parents(name)[-4:]]:
        answer = await asker.look_up(f"_dmarc.{at}", "TXT")
        if dmarc.dmarc_records(answer.values) or answer.is_temporary:
            break
    found = dmarc.dmarc_records(answer.values)
    if len(found) != 1:
        several = _("There are several DMARC records, and receivers then ignore all of them.")
        problem = Said(several if found else _("There is no DMARC record."))
        return result(answer, found, [problem], policy="", record="")
    seen = dmarc.read(found[0])
    more = {"record": found[0], "at": at, "policy": seen.policy if at == name else seen.subdomain_policy}
    return result(answer, found, seen.problems, **more, meaning=dmarc.meaning(found[0]))


async def look_at_text(asker: Asker, at: str, version: str, what: str) -> Found:
    answer = await asker.look_up(at, "TXT")
    found = [value for value in answer.values if is_version(value, version.lower())]
    problems = []
    if not found:
        problems.append(Said(_("There is no %(what)s record."), what=what))
    elif len(found) > 1:
        text = _("There are several %(what)s records, and senders then ignore all of them.")
        problems.append(Said(text, what=what))
    return result(answer, found, problems, record=found[0] if len(found) == 1 else "")


async def look_at_mta_sts(asker: Asker, name: str) -> Found:
    """Look at the record and, where there is one, at the policy that it announces."""
    found = await look_at_text(asker, f"_mta-sts.{name}", "v=STSv1", "MTA-STS")
    if not found["record"]:
        return found | {"policy": ""}
    fetched = await asyncio.to_thread(fetch_policy, name)
    problems = [*found["problems"], *([fetched.problem] if fetched.problem else [])]
    read = {"mode": fetched.mode, "mx": list(fetched.mx), "max_age": fetched.max_age}
    return found | {"policy": fetched.text, "problems": problems, **read}


async def look_at_tls_rpt(asker: Asker, name: str) -> Found:
    return await look_at_text(asker, f"_smtp._tls.{name}", "v=TLSRPTv1", "TLS reporting")


async def look_at_ptr(asker: Asker, address: str) -> Found:
    """Look for the names of an address, and whether each leads back to it (forward-confirmed)."""
    ip = ipaddress.ip_address(address)
    answer = await asker.look_up(ip.reverse_pointer, "PTR")
    names = answer.values[: spf.MOST_PTR_NAMES]
    back = await asyncio.gather(*(asker.look_up(name, "A" if ip.version == 4 else "AAAA") for name in names))
    confirmed = [name for name, one in zip(names, back, strict=True) if address in one.values]
    problems = []
    if not names:
        problems.append(Said(_("%(address)s has no name: many servers refuse mail from it."), address=address))
    elif not confirmed:
        text = _("%(names)s does not lead back to %(address)s: many servers refuse mail from it.")
        problems.append(Said(text, names=", ".join(names), address=address))
    return result(answer, answer.values, problems, confirmed=confirmed)


async def look_at_blocklists(asker: Asker, address: str) -> Found:
    """Ask the block lists of MAILHOST_BLOCKLISTS about an address (RFC 5782)."""
    ip = ipaddress.ip_address(address)
    reverse = ip.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    zones = settings.MAILHOST_BLOCKLISTS
    answers = await asyncio.gather(*(asker.look_up(f"{reverse}.{zone}", "A") for zone in zones))
    told = [any(v.startswith("127.0.") for v in one.values) for one in answers]
    silent = [zone for zone, one in zip(zones, answers, strict=True) if one.is_temporary or _is_refused(one)]
    refusing = [zone for zone, one in zip(zones, answers, strict=True) if _is_refused(one)]
    listed = [zone for zone, is_listed in zip(zones, told, strict=True) if is_listed]
    problems = [Said(_("%(address)s is on %(zone)s."), address=address, zone=zone) for zone in listed]
    problems += [Said(REFUSED_HERE, zone=zone) for zone in refusing]
    problems += [Said(_("%(zone)s gave no answer."), zone=zone) for zone in silent if zone not in refusing]
    ttl = min([one.ttl for one in answers if one.ttl], default=SHORTEST_SECONDS)
    outcome = Outcome.FOUND if listed else Outcome.NO_SUCH_NAME
    return result(Answer(outcome, ttl=ttl), listed, problems, asked=list(zones), silent=silent)


def _is_refused(answer: Answer) -> bool:
    """Say whether a block list does not talk to this resolver, which says nothing about the address: it refuses, or
    answers 127.255.255.x."""
    return answer.outcome is Outcome.REFUSED or any(value.startswith("127.255.") for value in answer.values)


async def look_at_host(asker: Asker, name: str) -> Found:
    """Look at what a mail host needs of its own: addresses, names that lead back, SPF for its HELO, and block lists."""
    kinds = await asyncio.gather(asker.look_up(name, "A"), asker.look_up(name, "AAAA"))
    addresses = [value for answer in kinds for value in answer.values if is_address(value)][: spf.MOST_MX_HOSTS]
    answer = next((one for one in kinds if one.values), kinds[0])
    names, lists, text = await asyncio.gather(
        asyncio.gather(*(look_at_ptr(asker, address) for address in addresses)),
        asyncio.gather(*(look_at_blocklists(asker, address) for address in addresses)),
        asker.look_up(name, "TXT"),
    )
    records = spf.spf_records(text.values)
    problems = [problem for found in (*names, *lists) for problem in found["problems"]]
    problems += [
        Said(
            _("%(address)s is named %(names)s, not %(wanted)s."),
            address=address,
            names=", ".join(found["found"]),
            wanted=name,
        )
        for address, found in unnamed(names, addresses, name)
    ]
    if not addresses and not answer.is_temporary:
        problems.append(Said(_("%(name)s has no address."), name=name))
    if len(records) != 1 and not text.is_temporary:
        said = _("%(name)s should have one SPF record for its greeting, for example v=spf1 a -all.")
        problems.append(Said(said, name=name))
    seen = [
        {
            "address": address,
            "names": list(named["found"]),
            "confirmed": named["confirmed"],
            "listed_on": listed["found"],
        }
        for address, named, listed in zip(addresses, names, lists, strict=True)
    ]
    return result(answer, addresses, problems, addresses=seen, spf=records[0] if len(records) == 1 else "")


def unnamed(names: Sequence[Found], addresses: Sequence[str], name: str) -> list[tuple[str, Found]]:
    """Return the addresses whose names lead back and are others than the host's: its greeting will not match them."""
    pairs = zip(addresses, names, strict=True)
    return [(address, found) for address, found in pairs if found["confirmed"] and name not in found["confirmed"]]


TOOLS: dict[str, Callable[[Asker, str], Awaitable[Found]]] = {
    "mx": look_at_mx,
    "spf": look_at_spf,
    "dkim": look_at_dkim,
    "dmarc": look_at_dmarc,
    "mta-sts": look_at_mta_sts,
    "tls-rpt": look_at_tls_rpt,
    "ptr": look_at_ptr,
    "blocklists": look_at_blocklists,
    "host": look_at_host,
}
OF_ADDRESSES = frozenset({"ptr", "blocklists"})
