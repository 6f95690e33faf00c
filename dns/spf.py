"""SPF as RFC 7208 has it: records read, evaluated for a sender, and counted.

Without an address nothing but `all` matches: the count is then the most that a receiver may need. Names that a message
would fill by macros are counted then, and not looked up.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from django.utils.translation import gettext_noop as _

from dns.answers import Answer, Outcome
from dns.lookup import Asker
from dns.reading import is_address
from mailhost.said import NOTHING, Said

# RFC 7208, 4.6.4.
MOST_LOOKUPS = 10
MOST_VOIDS = 2
MOST_MX_HOSTS = 10
MOST_PTR_NAMES = 10
# Macros that a message fills: without one, no such name can be looked up.
OF_MESSAGE = re.compile(r"%\{[slpivhSLPIVH]")
# Records that include each other are cut by the lookups; this is for those that do so through `redirect` alone.
DEEPEST = 12
QUALIFIERS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
MECHANISM = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9_.-]*)(?::(.*?))?(?:/(\d{1,3}))?(?://(\d{1,3}))?", re.DOTALL)
MACRO = re.compile(r"%(?:\{([slodiphcrtvSLODIPHCRTV])(\d*)(r?)([-.+,/_=]*)\}|([%_-])|)")
LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
TAKES_DOMAIN = {"include": True, "exists": True, "a": False, "mx": False, "ptr": False}

NO_MECHANISM = _("“%(term)s” is no mechanism.")
NO_NETWORK = _("“%(term)s” is no address or network.")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Result(StrEnum):
    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result, no secret
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfError(Exception):
    """Evaluation cannot go on. `result` is permerror (the record) or temperror (the DNS)."""

    def __init__(self, result: Result, text: str, **values: object) -> None:
        self.result, self.said = result, Said(text, **values)
        super().__init__(self.said)


@dataclass(frozen=True)
class Term:
    """A mechanism: `~include:example.org` is softfail, include, example.org."""

    qualifier: str
    name: str
    value: str = ""
    prefix4: int = 32
    prefix6: int = 128

    def __str__(self) -> str:
        sign = next(sign for sign, result in QUALIFIERS.items() if result == self.qualifier).replace("+", "")
        lengths = (f"/{self.prefix4}" if self.prefix4 != 32 else "") + (
            f"//{self.prefix6}" if self.prefix6 != 128 else ""
        )
        return f"{sign}{self.name}{':' if self.value else ''}{self.value}{lengths if self.name in 'amx' else ''}"


@dataclass(frozen=True)
class Record:
    terms: tuple[Term, ...]
    redirect: str = ""
    explanation: str = ""


@dataclass
class Evaluation:
    """What came out. `lookups` and `voids` count as RFC 7208, 4.6.4; `includes` names what was walked."""

    result: Result = Result.NONE
    problem: Said = NOTHING
    lookups: int = 0
    voids: int = 0
    record: str = ""
    mechanism: str = ""
    includes: list[str] = field(default_factory=list)


def spf_records(values: Iterable[str]) -> list[str]:
    """Return those TXT values that are SPF records (RFC 7208, 4.5)."""
    return [value for value in values if VERSION.match(value)]


def parse(text: str) -> Record:
    """Return what an SPF record says. Raises SpfError(permerror) with the term that is at fault (RFC 7208, 4.6)."""
    if not VERSION.match(text):
        raise SpfError(Result.PERMERROR, _("It does not begin with v=spf1."))
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for word in text[6:].split(" "):
        if not word:
            continue
        if found := MODIFIER.fullmatch(word):
            name = found[1].lower()
            if name in modifiers and name in {"redirect", "exp"}:
                raise _fault(word, _("“%(term)s” is there twice."))
            check_macros(found[2], word, is_domain=name in {"redirect", "exp"})
            modifiers[name] = found[2]
        else:
            terms.append(parse_term(word))
    return Record(tuple(terms), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def parse_term(word: str) -> Term:
    """Return one mechanism. Raises SpfError(permerror)."""
    found = MECHANISM.fullmatch(word)
    if found is None:
        raise _fault(word, NO_MECHANISM)
    sign, name, value, short, long = found.groups()
    qualifier, name = QUALIFIERS[sign or "+"], name.lower()
    if name in {"ip4", "ip6"}:
        return Term(qualifier, name, _network(word, name, value, short, long))
    if name == "all":
        if (value, short, long) != (None, None, None):
            raise _fault(word, _("“%(term)s” takes nothing after it."))
        return Term(qualifier, name)
    if name not in TAKES_DOMAIN:
        raise _fault(word, NO_MECHANISM)
    if value == "" or (value is None and TAKES_DOMAIN[name]):
        raise _fault(word, _("“%(term)s” lacks its domain."))
    if name not in {"a", "mx"} and (short or long):
        raise _fault(word, _("“%(term)s” takes no network length."))
    if value:
        check_macros(value, word, is_domain=True)
    prefix4, prefix6 = _length(word, short, 32), _length(word, long, 128)
    return Term(qualifier, name, value or "", prefix4, prefix6)


def check_macros(text: str, word: str, *, is_domain: bool) -> None:
    """Raise SpfError unless every % begins a macro, and a domain ends in a label or a macro (RFC 7208, 7.1)."""
    position = 0
    while (position := text.find("%", position)) >= 0:
        found = MACRO.match(text, position)
        if found is None or found[0] == "%" or (found[1] and found[2] and int(found[2]) == 0):
            raise _fault(word, _("“%(term)s” has a percent sign that begins no macro."))
        if is_domain and found[1] and found[1].lower() in "crt":
            raise _fault(word, _("“%(term)s” has a macro that is for explanations only."))
        position = found.end()
    if not all(33 <= ord(sign) <= 126 for sign in text):
        raise _fault(word, _("“%(term)s” has a sign that no SPF record may have."))
    if is_domain and not text.endswith("}"):
        last = text.removesuffix(".").rpartition(".")
        if not last[1] or not LABEL.fullmatch(last[2]) or last[2].isdigit():
            raise _fault(word, _("“%(term)s” does not end in a domain name."))


def _fault(word: str, text: str) -> SpfError:
    return SpfError(Result.PERMERROR, text, term=word[:80])


def _length(word: str, digits: str | None, most: int) -> int:
    if digits is None:
        return most
    if int(digits) > most or (len(digits) > 1 and digits.startswith("0")):
        raise _fault(word, _("“%(term)s” has a network length that does not exist."))
    return int(digits)


def _network(word: str, name: str, value: str | None, short: str | None, long: str | None) -> str:
    kind = ipaddress.IPv4Network if name == "ip4" else ipaddress.IPv6Network
    if value is None or long is not None:
        raise _fault(word, NO_NETWORK)
    length = _length(word, short, 32 if name == "ip4" else 128)
    try:
        return str(kind(f"{value}/{length}", strict=False))
    except ValueError:
        raise _fault(word, NO_NETWORK) from None


class Evaluator:
    """check_host() of RFC 7208, 4 for one message, over an Asker and its budget."""

    def __init__(self, asker: Asker, *, ip: str | None, sender: str, helo: str = "") -> None:
        self.asker = asker
        address = ipaddress.ip_address(ip) if ip else None
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        self.ip: Address | None = mapped or address
        self.local, _, self.sender_domain = sender.rpartition("@")
        self.local = self.local or "postmaster"
        self.helo = helo or self.sender_domain
        self.seen = Evaluation()

    async def check(self, domain: str, record: str = "") -> Evaluation:
        """Evaluate the domain's record, or this one in its place."""
        try:
            self.seen.result = await (self.evaluate(record, domain, 0) if record else self.check_host(domain, 0))
        except SpfError as error:
            self.seen.result, self.seen.problem = error.result, error.said
        return self.seen

    async def check_host(self, domain: str, depth: int) -> Result:
        if not is_name(domain):
            return Result.NONE
        answer = await self.asker.look_up(domain, "TXT")
        if answer.is_temporary:
            text = _("The SPF record of %(domain)s could not be read. %(problem)s")
            raise SpfError(Result.TEMPERROR, text, domain=domain, problem=answer.detail)
        found = spf_records(answer.values)
        if not found:
            return Result.NONE
        if len(found) > 1:
            raise SpfError(Result.PERMERROR, _("%(domain)s has several SPF records."), domain=domain)
        return await self.evaluate(found[0], domain, depth)

    async def evaluate(self, text: str, domain: str, depth: int) -> Result:
        record = parse(text)
        self.seen.record = self.seen.record or text
        for term in record.terms:
            if await self.matches(term, domain, depth):
                self.seen.mechanism = self.seen.mechanism if depth else str(term)
                return Result(term.qualifier)
        if record.redirect and not any(term.name == "all" for term in record.terms):
            return await self.redirected(record.redirect, domain, depth)
        return Result.NEUTRAL

    async def redirected(self, target: str, domain: str, depth: int) -> Result:
        self.count_lookup(f"redirect={target}")
        if self.is_unknown(target):
            return Result.NEUTRAL
        name = await self.expand(target, domain)
        self.seen.includes.append(name)
        if depth >= DEEPEST:
            raise SpfError(Result.PERMERROR, _("%(name)s leads on too deep."), name=name)
        result = await self.check_host(name, depth + 1)
        if result is Result.NONE:
            raise SpfError(Result.PERMERROR, _("%(name)s, to which redirect leads, has no SPF record."), name=name)
        return result

    async def matches(self, term: Term, domain: str, depth: int) -> bool:
        if term.name == "all":
            return True
        if term.name in {"ip4", "ip6"}:
            network = ipaddress.ip_network(term.value)
            return self.ip is not None and self.ip.version == network.version and self.ip in network
        self.count_lookup(str(term))
        return not self.is_unknown(term.value) and await self.matches_name(term, domain, depth)

    async def matches_name(self, term: Term, domain: str, depth: int) -> bool:
        name = await self.expand(term.value, domain) if term.value else domain
        match term.name:
            case "include":
                return await self.matches_include(name, depth)
            case "ptr":
                return await self.matches_ptr(name)
            case "exists":
                return bool(await self.values(name, "A")) and self.ip is not None
            case _:
                return self.is_among(await self.hosts_addresses(term.name, name), term)

    def is_unknown(self, domain_spec: str) -> bool:
        """Whether only a message says which name is meant."""
        return self.ip is None and OF_MESSAGE.search(domain_spec.replace("%%", "")) is not None

    async def hosts_addresses(self, mechanism: str, name: str) -> list[str]:
        """Return the addresses of a name (`a`), or those of its mail hosts (`mx`)."""
        if mechanism == "a":
            return await self.addresses(name)
        hosts = [value.split(" ", 1)[1] for value in await self.values(name, "MX")]
        if len(hosts) > MOST_MX_HOSTS:
            raise SpfError(
                Result.PERMERROR, _("%(name)s has more than %(most)s mail hosts."), name=name, most=MOST_MX_HOSTS
            )
        return [address for host in hosts for address in await self.addresses(host, counts=False)]

    async def matches_include(self, name: str, depth: int) -> bool:
        self.seen.includes.append(name)
        if depth >= DEEPEST:
            raise SpfError(Result.PERMERROR, _("%(name)s is included too deep."), name=name)
        result = await self.check_host(name, depth + 1)
        if result is Result.NONE:
            raise SpfError(Result.PERMERROR, _("%(name)s, which is included, has no SPF record."), name=name)
        return result is Result.PASS

    async def matches_ptr(self, name: str) -> bool:
        names = await self.validated_names(counts=True)
        return any(one == name.lower() or one.endswith(f".{name.lower()}") for one in names)

    async def validated_names(self, *, counts: bool = False) -> list[str]:
        """Return the names that the sender's address has in DNS and that have this address (RFC 7208, 5.5)."""
        if self.ip is None:
            return []
        answer = await self.asker.look_up(self.ip.reverse_pointer, "PTR")
        if counts and not answer.is_temporary:
            self.count_void(answer, self.ip.reverse_pointer)
        names = answer.values[:MOST_PTR_NAMES]
        kind = "A" if self.ip.version == 4 else "AAAA"
        return [name for name in names if str(self.ip) in (await self.asker.look_up(name, kind)).values]

    def is_among(self, addresses: Iterable[str], term: Term) -> bool:
        if self.ip is None:
            return False
        length = term.prefix4 if self.ip.version == 4 else term.prefix6
        return any(self.ip in ipaddress.ip_network(f"{address}/{length}", strict=False) for address in addresses)

    async def addresses(self, name: str, *, counts: bool = True) -> list[str]:
        kind = "AAAA" if self.ip is not None and self.ip.version == 6 else "A"
        if self.ip is None and not await self.values(name, kind, counts=False):
            # Some sender will have an address of the other family: what finds that one is not in vain.
            kind = "AAAA"
        return [value for value in await self.values(name, kind, counts=counts) if is_address(value)]

    async def values(self, name: str, record_type: str, *, counts: bool = True) -> tuple[str, ...]:
        if not is_name(name):
            return ()
        answer = await self.asker.look_up(name, record_type)
        if answer.is_temporary:
            text = _("%(name)s could not be looked up. %(problem)s")
            raise SpfError(Result.TEMPERROR, text, name=name, problem=answer.detail)
        if counts:
            self.count_void(answer, name)
        return answer.values

    def count_lookup(self, what: str) -> None:
        self.seen.lookups += 1
        if self.seen.lookups > MOST_LOOKUPS and self.ip is not None:
            text = _("More than %(most)s lookups are needed, at %(term)s.")
            raise SpfError(Result.PERMERROR, text, most=MOST_LOOKUPS, term=what)
        if self.seen.lookups > 4 * MOST_LOOKUPS:
            text = _("More than %(most)s lookups are needed; counting ended there.")
            raise SpfError(Result.PERMERROR, text, most=4 * MOST_LOOKUPS)

    def count_void(self, answer: Answer, name: str) -> None:
        if answer.outcome is not Outcome.FOUND:
            self.seen.voids += 1
            if self.seen.voids > MOST_VOIDS:
                text = _("More than %(most)s lookups find nothing; the last one is %(name)s.")
                raise SpfError(Result.PERMERROR, text, most=MOST_VOIDS, name=name)

    async def expand(self, text: str, domain: str) -> str:
        """Return a domain-spec with its macros filled in, cut from the left to what DNS can hold (RFC 7208, 7.3)."""
        pieces, position = [], 0
        for found in MACRO.finditer(text):
            pieces.append(text[position : found.start()])
            position = found.end()
            if found[5]:
                pieces.append({"%": "%", "_": " ", "-": "%20"}[found[5]])
            elif found[1]:
                pieces.append(await self.macro(found[1], found[2], found[3], found[4], domain))
        name = "".join([*pieces, text[position:]]).removesuffix(".")
        while len(name) > 253 and "." in name:
            name = name.partition(".")[2]
        return name

    async def macro(self, letter: str, digits: str, reverse: str, delimiters: str, domain: str) -> str:
        value = await self.macro_value(letter.lower(), domain)
        if digits or reverse or delimiters:
            parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
            parts = parts[::-1] if reverse else parts
            value = ".".join(parts[-int(digits) :] if digits else parts)
        return quote(value, safe="-._~") if letter.isupper() else value

    async def macro_value(self, letter: str, domain: str) -> str:
        if letter == "p":
            names = await self.validated_names()
            own = [name for name in names if name.endswith(f".{domain}")]
            return next(iter([*(name for name in names if name == domain), *own, *names]), "unknown")
        # Where only the lookups are counted, any address will do.
        ip = self.ip or ipaddress.ip_address("192.0.2.1")
        return {
            "s": f"{self.local}@{self.sender_domain}",
            "l": self.local,
            "o": self.sender_domain,
            "d": domain,
            "i": str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", "")),
            "v": "in-addr" if ip.version == 4 else "ip6",
            "h": self.helo,
        }[letter]


def is_name(name: str) -> bool:
    """Say whether DNS could hold the name, and it has more than one label (RFC 7208, 4.3)."""
    labels = name.removesuffix(".").split(".")
    return len(labels) > 1 and len(name) <= 253 and all(0 < len(label) <= 63 for label in labels)
