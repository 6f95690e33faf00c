"""Questions to DNS: authoritative servers and the configured resolvers, within one budget of time and size.

An `Asker` serves one run: it remembers what it was told, so that ten records of a domain cost one walk to its zone,
and it stops asking when its time or its fill of records is used up, whatever a hostile zone does.
"""

import asyncio
import contextvars
import ipaddress
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings

from dns.answers import Answer, Outcome, Sight
from dns.asyncquery import udp_with_fallback
from dns.exception import DNSException, Timeout
from dns.flags import AA, AD, RD
from dns.message import Message, make_query
from dns.name import Name, from_text
from dns.public_addresses import is_public
from dns.rcode import NOERROR, NXDOMAIN, REFUSED, SERVFAIL
from dns.rdatatype import RRSIG, SOA
from dns.rdatatype import from_text as type_of
from dns.resolver import Resolver

T = TypeVar("T")

# For everything that one run asks about one domain.
TOTAL_SECONDS = 4.5
SECONDS_PER_TRY = 1.5
TRIES = 2
# What of a zone is looked at: a hostile one names a thousand servers, aliases and values.
MOST_SERVERS = 8
MOST_ALIASES = 8
MOST_QUESTIONS = 400
MOST_BYTES = 1_000_000
# So that the others are not asked once enough was told.
MOST_AT_ONCE = 20
MAX_VALUES = 100
MAX_VALUE_LENGTH = 4096
# RFC 9715, 3: no fragments on the way.
EDNS_PAYLOAD = 1232
DNS_PORT = 53


@dataclass(frozen=True)
class Server:
    """A name server to ask. `name` is what people know it by."""

    name: str
    address: str
    port: int


def resolvers() -> list[Server]:
    """Return MAILHOST_NAMESERVERS, or the machine's own resolvers where none are set."""
    if not settings.MAILHOST_NAMESERVERS:
        return [Server(str(address), str(address), DNS_PORT) for address in Resolver().nameservers]
    return [resolver(text) for text in settings.MAILHOST_NAMESERVERS]


def resolver(text: str) -> Server:
    address, _, port = text.strip().partition("@")
    return Server(address, address, int(port or DNS_PORT))


class Asker:
    """Asks within `seconds` from its first question on. One event loop, one run."""

    def __init__(self, seconds: float = TOTAL_SECONDS) -> None:
        self.seconds = seconds
        self.ends: float | None = None
        self.questions = 0
        self.bytes = 0
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self.known: dict[tuple, asyncio.Task] = {}

    async def look_up(self, name: str, record_type: str) -> Answer:
        """Ask the resolvers for the records of a name, following CNAMEs. Raises nothing."""
        return await self._once(("recursive", name, record_type), lambda: self._followed(name, record_type))

    async def sight(self, name: str, record_type: str) -> Sight:
        """Ask every authoritative server of the name's zone, and the resolvers."""
        recursive = asyncio.ensure_future(self.look_up(name, record_type))
        servers = await self.servers_of(name)
        answers = await asyncio.gather(*(self._from_server(server, name, record_type) for server in servers))
        return Sight(await recursive, {server.name: answer for server, answer in zip(servers, answers, strict=True)})

    async def servers_of(self, name: str) -> list[Server]:
        """Return the authoritative servers of the zone that holds the name; none where they cannot be found."""
        zone = await self.zone_of(name)
        return await self._once(("servers", zone), lambda: self._servers(zone)) if zone else []

    async def zone_of(self, name: str) -> str:
        """Return the zone that holds a name, "" where it cannot be found."""
        return await self._once(("zone", name), lambda: self._zone(name))

    async def is_signed(self, name: str) -> bool | None:
        """Say whether DNSSEC vouches for the zone that holds the name; None where DNS does not tell.

        Either a resolver has verified it, or the zone shows a signature and the zone above it a digest of its key.
        """
        zone = await self.zone_of(name)
        if not zone:
            return None
        response = await self._recursive_response(from_text(f"{zone}."), "SOA", wants_signatures=True)
        if isinstance(response, Outcome):
            return None
        if response.flags & AD:
            return True
        if not any(rrset.rdtype == RRSIG for rrset in response.answer):
            return False
        above = await self.look_up(zone, "DS")
        return None if above.is_temporary else bool(above.values)

    async def _once(self, key: tuple, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if key not in self.known:
            self.known[key] = asyncio.ensure_future(ask())
        return await asyncio.shield(self.known[key])

    async def _zone(self, name: str) -> str:
        # The SOA that comes with the answer, whether the name exists or not, bears the zone's name.
        asked = from_text(f"{name}.")
        while len(asked) > 1:
            response = await self._recursive_response(asked, "SOA")
            if isinstance(response, Outcome):
                return ""
            for section in (response.answer, response.authority):
                for rrset in section:
                    if rrset.rdtype == SOA and asked.is_subdomain(rrset.name):
                        return rrset.name.to_text(omit_final_dot=True).lower()
            asked = asked.parent()
        return ""

    async def _servers(self, zone: str) -> list[Server]:
        hosts = (await self.look_up(zone, "NS")).values[:MOST_SERVERS]
        found = await asyncio.gather(*(self._address_of(host) for host in hosts))
        port = settings.MAILHOST_AUTHORITATIVE_PORT
        return [Server(host, address, port) for host, address in zip(hosts, found, strict=True) if address]

    async def _address_of(self, host: str) -> str:
        """Return an address of a name server that we may ask: a zone's owner could name machines of our own network."""
        for record_type in ("A", "AAAA"):
            for address in (await self.look_up(host, record_type)).values:
                if may_be_asked(address):
                    return address
        return ""

    async def _from_server(self, server: Server, name: str, record_type: str) -> Answer:
        """Ask one authoritative server; an alias that leads out of its zone is followed by the resolvers."""
        response = await self._ask(server, from_text(f"{name}."), record_type, wants_recursion=False)
        if isinstance(response, Outcome):
            return Answer(response)
        if not response.flags & AA:
            return Answer(Outcome.LAME)
        return await self._completed(read(response, record_type), record_type)

    async def _followed(self, name: str, record_type: str) -> Answer:
        try:
            asked = from_text(f"{name}.")
        except DNSException:
            return Answer(Outcome.NO_SUCH_NAME)
        response = await self._recursive_response(asked, record_type)
        if isinstance(response, Outcome):
            return Answer(response)
        return await self._completed(read(response, record_type), record_type)

    async def _completed(self, answer: Answer, record_type: str) -> Answer:
        """Follow an alias whose end the server did not know, a few steps."""
        if not answer.aliases or answer.outcome is not Outcome.NO_SUCH_RECORD:
            return answer
        end = answer.aliases[-1]
        if len(answer.aliases) >= MOST_ALIASES or end in answer.aliases[:-1]:
            return Answer(Outcome.UNREADABLE, aliases=answer.aliases)
        response = await self._recursive_response(from_text(f"{end}."), record_type)
        if isinstance(response, Outcome):
            return Answer(response, aliases=answer.aliases)
        further = read(response, record_type)
        joined = Answer(
            further.outcome, further.values, min(answer.ttl, further.ttl), (*answer.aliases, *further.aliases)
        )
        return await self._completed(joined, record_type) if further.aliases else joined

    async def _recursive_response(
        self, name: Name, record_type: str, *, wants_signatures: bool = False
    ) -> Message | Outcome:
        outcome = Outcome.TIMEOUT
        for server in resolvers():
            response = await self._ask(
                server, name, record_type, wants_recursion=True, wants_signatures=wants_signatures
            )
            if not isinstance(response, Outcome):
                return response
            outcome = response
        return outcome

    async def _ask(
        self, server: Server, name: Name, record_type: str, *, wants_recursion: bool, wants_signatures: bool = False
    ) -> Message | Outcome:
        """Return the response of one server, or why there is none. Silence is asked again: a packet may be lost."""
        for _ in range(TRIES):
            async with self._room:
                response = await self._ask_once(server, name, record_type, wants_recursion, wants_signatures)
            if response is not Outcome.TIMEOUT:
                return response
        return Outcome.TIMEOUT

    async def _ask_once(
        self, server: Server, name: Name, record_type: str, wants_recursion: bool, wants_signatures: bool
    ) -> Message | Outcome:
        now = asyncio.get_running_loop().time()
        self.ends = self.ends or now + self.seconds
        self.questions += 1
        seconds = min(SECONDS_PER_TRY, self.ends - now)
        if seconds <= 0 or self.questions > MOST_QUESTIONS or self.bytes > MOST_BYTES:
            return Outcome.TIMEOUT
        query = make_query(name, type_of(record_type), use_edns=0, payload=EDNS_PAYLOAD, want_dnssec=wants_signatures)
        query.flags = query.flags | RD if wants_recursion else query.flags & ~RD
        try:
            async with asyncio.timeout(seconds):
                response, _ = await udp_with_fallback(
                    query, server.address, port=server.port, ignore_unexpected=True, ignore_errors=True
                )
        except (TimeoutError, Timeout):
            return Outcome.TIMEOUT
        except (DNSException, OSError, EOFError, ValueError):
            return Outcome.UNREADABLE
        self.bytes += len(response.wire or b"")
        if response.rcode() in (NOERROR, NXDOMAIN):
            return response
        if response.rcode() == SERVFAIL:
            return Outcome.SERVER_FAILURE
        # A resolver chooses whom it answers; an authoritative server that refuses does not serve the zone.
        return Outcome.REFUSED if response.rcode() == REFUSED and wants_recursion else Outcome.LAME


def read(response: Message, record_type: str) -> Answer:
    """Return what a response says about its own question."""
    try:
        chain = response.resolve_chaining()
    except DNSException:
        return Answer(Outcome.UNREADABLE)
    aliases = tuple(
        printable(alias[0].target.to_text(omit_final_dot=True).lower()) for alias in chain.cnames[:MOST_ALIASES]
    )
    if chain.answer is None:
        outcome = Outcome.NO_SUCH_NAME if response.rcode() == NXDOMAIN else Outcome.NO_SUCH_RECORD
        return Answer(outcome, (), chain.minimum_ttl, aliases)
    values = sorted(shown(record, record_type)[:MAX_VALUE_LENGTH] for record in list(chain.answer)[:MAX_VALUES])
    return Answer(Outcome.FOUND, tuple(values), chain.minimum_ttl, aliases)


def shown(record, record_type: str) -> str:
    """Return one record as text. TXT strings are joined without a blank between (RFC 7208 3.3)."""
    if record_type == "TXT":
        return printable(b"".join(record.strings).decode("utf-8", "backslashreplace"))
    if record_type == "MX":
        return f"{record.preference} {host(record.exchange)}"
    if record_type in {"NS", "CNAME", "PTR"}:
        return host(record.target)
    return printable(record.to_text())


def host(name: Name) -> str:
    return printable(name.to_text(omit_final_dot=True).lower())


def printable(text: str) -> str:
    """Return the text with control characters made visible: a zone's owner may have put anything there."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def may_be_asked(address: str) -> bool:
    """Say whether a server that a stranger's zone names may be asked: a public address, or one the operator allows."""
    return is_public(ipaddress.ip_address(address), allowed=settings.MAILHOST_DNS_NETWORKS)


def look_up(name: str, record_type: str) -> Answer:
    """Ask the resolvers for the records of a name, following CNAMEs. Answers within five seconds, raises nothing."""
    return look_up_all([(name, record_type)])[name, record_type]


def look_up_all(questions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    """Ask the resolvers many (name, type) at once; five seconds in all."""
    unique = list(dict.fromkeys(questions))

    async def ask() -> list[Answer]:
        asker = Asker()
        return await asyncio.gather(*(asker.look_up(*question) for question in unique))

    return dict(zip(unique, run(ask()), strict=True))


def run_many(works: Sequence[Callable[[Asker], Awaitable[T]]], *, at_once: int) -> list[T]:
    """Run the questions of many domains, `at_once` of them in flight, each with an Asker of its own."""

    async def one(work: Callable[[Asker], Awaitable[T]], gate: asyncio.Semaphore) -> T:
        async with gate:
            return await work(Asker())

    async def all_of_them() -> list[T]:
        gate = asyncio.Semaphore(at_once)
        return await asyncio.gather(*(one(work, gate) for work in works))

    return run(all_of_them())


def run(questions: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread of its own: the caller's may have an event loop that runs already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, asyncio.run, questions).result()
