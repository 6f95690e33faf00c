"""What was found in DNS against what should stand there, in a sentence for the domain's owner."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_noop as _

from dns.answers import Answer, Sight
from dns.models import Purpose, Status
from dns.name import from_text
from dns.reading import before_all, is_address, is_version, key_bytes, short, tags
from dns.records import ExpectedRecord
from dns.reversename import to_address
from mailhost.said import NOTHING, Said

# One string of a TXT record holds no more; some editors cut there without a word.
TXT_STRING = 255
REVERSE = (".in-addr.arpa", ".ip6.arpa")
# Under this name Cloudflare shows a mail host whose address it hides behind its web proxy.
PROXY_MARK = "_dc-mx."
# Weakest first.
DMARC_POLICIES = ("none", "quarantine", "reject")

QUOTED = _("The value is there with quotes or blanks around it. Enter it without them.")
OTHER_VALUE = _("%(name)s shows another value: %(found)s. Replace it by the one given here.")
SEVERAL_SPF = _("There are several SPF records, and receivers then ignore all of them. Merge them into one.")
CUT = _("The key is cut off. Enter the whole value; split it only into strings that are joined again.")
CUT_AT_STRING = _(
    "The key is cut off after %(length)s characters. Enter the whole value; split it only into strings that are "
    "joined again."
)


@dataclass(frozen=True)
class Verdict:
    """A status of `dns.models.Status`, and the sentence that says what is wrong ("" when nothing is)."""

    status: str
    problem: Said = NOTHING


@dataclass(frozen=True)
class Hints:
    """What was found in places where such a record lands by mistake.

    `elsewhere`: names at which the expected value stands; `keys`: the domain's other keys by selector; `texts`: TXT
    records that stand where an alias should.
    """

    elsewhere: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


OK = Verdict(Status.OK)


def judge_sight(expected: ExpectedRecord, sight: Sight, hints: Hints = Hints()) -> Verdict:
    """Compare one record with all that was seen of it. The authoritative servers decide, and they must agree."""
    if not sight.is_authoritative:
        answer = sight.recursive if not sight.recursive.is_temporary else sight.best
        return judge(expected, answer, hints)
    verdicts = {
        server: judge(expected, answer, hints) for server, answer in sight.by_server.items() if not answer.is_temporary
    }
    wrong = {server: verdict for server, verdict in verdicts.items() if verdict.status != Status.OK}
    if not wrong:
        return _right(expected, sight)
    verdict = next(iter(wrong.values()))
    if len(wrong) < len(verdicts):
        return mismatch(
            _("Not all name servers of the domain show it yet: %(servers)s. %(problem)s"),
            servers=short(", ".join(sorted(wrong))),
            problem=verdict.problem,
        )
    return verdict


def _right(expected: ExpectedRecord, sight: Sight) -> Verdict:
    if sight.recursive.is_temporary or judge(expected, sight.recursive).status == Status.OK:
        return OK
    return Verdict(Status.OK, Said(_("It is published. Some resolvers still remember what was there before.")))


def is_shown_by_all(expected: ExpectedRecord, sight: Sight) -> bool:
    """Say whether every authoritative server of the domain answered, and each shows the record."""
    answers = sight.by_server.values()
    return bool(answers) and all(judge(expected, answer).status == Status.OK for answer in answers)


def judge(expected: ExpectedRecord, answer: Answer, hints: Hints = Hints()) -> Verdict:
    """Compare one record with one answer for its name and type."""
    if answer.is_temporary:
        return Verdict(Status.TEMPORARY_FAILURE, repeated(answer.detail))
    if (expected.purpose, expected.record_type) == (Purpose.DKIM, "TXT"):
        return judge_dkim(expected, answer, hints)
    if not answer.values:
        return missing(expected, hints)
    if expected.purpose == Purpose.OWNERSHIP and answer.aliases:
        return mismatch(_("The name is an alias (CNAME). Proof must stand in the domain itself: enter a TXT record."))
    return JUDGES.get((expected.purpose, expected.record_type), judge_value)(expected, answer, hints)


def missing(expected: ExpectedRecord, hints: Hints) -> Verdict:
    if hints.texts:
        text = _("A TXT record stands at %(name)s. Delete it, and enter an alias (CNAME) to %(wanted)s there.")
        return Verdict(Status.MISSING, Said(text, name=expected.name, wanted=expected.value))
    if hints.elsewhere:
        place = hints.elsewhere[0]
        if place.startswith(f"{expected.name}."):
            text = _(
                "The record stands at %(place)s. The domain was appended twice: enter the host as it is shown here, "
                "without the domain."
            )
        else:
            text = _("The record stands at %(place)s. Enter it for %(name)s.")
        return Verdict(Status.MISSING, Said(text, place=short(place), name=expected.name))
    if expected.purpose == Purpose.PTR and expected.name.endswith(REVERSE):
        text = _("%(address)s has no name that leads back: many servers refuse mail from it.")
        return Verdict(Status.MISSING, Said(text, address=address_behind(expected)))
    text = _("There is no such %(type)s record at %(name)s yet.")
    return Verdict(Status.MISSING, Said(text, type=expected.record_type, name=expected.name))


def mismatch(text: str, **values: object) -> Verdict:
    return Verdict(Status.MISMATCH, Said(text, **values))


def repeated(problem: Said) -> Said:
    return Said(_("%(problem)s The check is repeated."), problem=problem)


def judge_value(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    """The plain case: the value stands there, alone or among others."""
    wanted = expected.value if expected.priority is None else f"{expected.priority} {expected.value}"
    found = [value.rstrip(".").lower() for value in answer.values]
    if wanted.lower() in found:
        return OK
    if wanted.lower() in {value.strip(' "') for value in found}:
        return mismatch(QUOTED)
    return mismatch(OTHER_VALUE, name=expected.name, found=short(answer.values[0]))


def judge_alias(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    target = answer.values[0]
    if target.rstrip(".") == expected.value:
        return OK
    return mismatch(
        _("%(name)s leads to %(found)s, not to %(wanted)s."),
        name=expected.name,
        found=short(target),
        wanted=expected.value,
    )


def judge_ownership(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    if expected.value in answer.values:
        return OK
    if expected.value in {value.strip(' "') for value in answer.values}:
        return mismatch(QUOTED)
    return mismatch(OTHER_VALUE, name=expected.name, found=short(answer.values[0]))


def judge_caa(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    """Without a property `issue` every authority may issue (RFC 8659, 4.2)."""
    issuers = [value for value in map(str.lower, answer.values) if value.split(" ")[1:2] == ["issue"]]
    if not issuers or expected.value.lower() in issuers:
        return OK
    text = _("The domain's CAA records let others issue certificates: %(found)s. Add this one beside them.")
    return mismatch(text, found=short(", ".join(issuers)))


def judge_mx(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    hosts = dict(reversed(value.split(" ", 1)) for value in answer.values)
    if expected.value not in hosts:
        return Verdict(Status.MISMATCH, wrong_hosts(expected, sorted(hosts)))
    first = min(int(preference) for preference in hosts.values())
    if int(hosts[expected.value]) > first:
        preferred = sorted(host for host, preference in hosts.items() if int(preference) == first)
        return mismatch(
            _("Mail goes to %(hosts)s first. Give %(wanted)s the lowest number."),
            hosts=short(", ".join(preferred)),
            wanted=expected.value,
        )
    return OK


def wrong_hosts(expected: ExpectedRecord, hosts: list[str]) -> Said:
    wanted = expected.value
    if any(host.startswith(PROXY_MARK) for host in hosts):
        return Said(
            _("The mail host is behind a web proxy, which takes no mail. Switch the proxy off for it (DNS only).")
        )
    if any(is_address(host) for host in hosts):
        return Said(_("An MX record names a host, not an address. Enter %(wanted)s."), wanted=wanted)
    if doubled := [host for host in hosts if host.startswith(f"{wanted}.")]:
        text = _("The domain was appended to the host: %(found)s. Enter %(wanted)s with a dot at its end.")
        return Said(text, found=short(doubled[0]), wanted=wanted)
    if hosts == [expected.name]:
        text = _("The record names the domain itself instead of the mail host. Enter %(wanted)s.")
        return Said(text, wanted=wanted)
    text = _("Mail for this domain goes to %(hosts)s, not to %(wanted)s.")
    return Said(text, hosts=short(", ".join(hosts)), wanted=wanted)


def judge_spf(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    found = [value for value in answer.values if is_version(value, "v=spf1")]
    if not found:
        if any(is_version(value.strip(' "'), "v=spf1") for value in answer.values):
            return mismatch(_("The SPF record begins with a quote or a blank. Enter it without them."))
        return missing(expected, hints)
    if len(found) > 1:
        return mismatch(SEVERAL_SPF)
    terms = {term.removeprefix("+") for term in before_all(found[0].lower())}
    lacking = [term for term in expected.value.lower().split() if not term.endswith("all") and term not in terms]
    if lacking:
        text = _("The SPF record does not allow this server. Add “%(lacking)s” before its last word.")
        return mismatch(text, lacking=" ".join(lacking))
    return OK


def judge_dkim(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    """Compare as keys: order of tags, blanks and strings do not matter (RFC 6376 3.6.1)."""
    if not answer.values:
        return missing(expected, hints)
    if len(answer.values) > 1:
        return mismatch(_("There are several TXT records at %(name)s. Leave only the key."), name=expected.name)
    value = answer.values[0]
    if value.startswith('"') or value.endswith('"'):
        return mismatch(_("The value is there with quotes around it. Enter it without them."))
    found, wanted = tags(value), tags(expected.value)
    problem = unfit_for_mail(found) or other_key(found["p"], wanted["p"], hints.keys, len(value))
    return Verdict(Status.MISMATCH, problem) if problem else OK


def is_alias_of_key(record: ExpectedRecord) -> bool:
    return (record.purpose, record.record_type) == (Purpose.DKIM, "CNAME")


def judge_key_alias(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    target = answer.values[0].rstrip(".")
    # <selector>.<claim>.<zone>
    rest = expected.value.partition(".")[2]
    zone = rest.partition(".")[2]
    if target == expected.value:
        return OK
    if target.startswith(f"{expected.value}."):
        text = _("The domain was appended to the target: %(found)s. Enter %(wanted)s with a dot at its end.")
    elif target.partition(".")[2] == rest:
        text = _("%(name)s leads to another key's place, %(found)s. Each name has a target of its own: %(wanted)s.")
    elif target.endswith(f".{zone}"):
        text = _("%(name)s leads to the keys of another domain, or of an earlier claim: %(found)s. Enter %(wanted)s.")
    else:
        return judge_alias(expected, answer, hints)
    return mismatch(text, name=expected.name, found=short(target), wanted=expected.value)


def end_of(record: ExpectedRecord) -> ExpectedRecord:
    """Return the record that should stand where a signing key's alias leads."""
    return replace(record, record_type="TXT", name=record.value, value=record.behind, behind="")


def judge_behind(record: ExpectedRecord, sight: Sight) -> Verdict:
    """Judge the key at the end of an alias that is right."""
    verdict = judge_sight(end_of(record), sight)
    if verdict.status in {Status.OK, Status.TEMPORARY_FAILURE}:
        return verdict
    return mismatch(
        _(
            "The alias is right. The key at its end is not there yet: this installation publishes it, so there is "
            "nothing to do for you."
        )
    )


def unfit_for_mail(found: dict[str, str]) -> Said:
    """Return why no mail of ours could be verified with a key record, or ""."""
    if not found.get("p"):
        return Said(_("The record has no key in it, which means that the key is revoked."))
    if found.get("v", "DKIM1") != "DKIM1" or found.get("k", "rsa") != "rsa":
        return Said(_("The record is not one of an RSA key for DKIM. Copy the value as it stands here."))
    if "s" in found and not {"*", "email"} & set(found["s"].split(":")):
        return Said(_("The record allows the key for other services, not for mail (tag s)."))
    if "h" in found and "sha256" not in found["h"].split(":"):
        return Said(_("The record does not allow SHA-256, with which mail is signed (tag h)."))
    return NOTHING


def other_key(found: str, wanted: str, others: Mapping[str, str], length: int) -> Said:
    found_key = key_bytes(found)
    if found_key is not None and found_key == key_bytes(wanted):
        return NOTHING
    if wanted.startswith(found):
        return Said(CUT_AT_STRING, length=TXT_STRING) if length == TXT_STRING else Said(CUT)
    for selector, public_key in others.items():
        if found_key is not None and found_key == key_bytes(public_key):
            text = _("This is the key of the selector %(selector)s. Enter the value given here.")
            return Said(text, selector=selector)
    return Said(_("The record shows another key. Replace it by the value given here."))


def judge_dmarc(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    found = [value for value in answer.values if is_version(value, "v=dmarc1")]
    if not found:
        return missing(expected, hints)
    if len(found) > 1:
        return mismatch(_("There are several DMARC records, and receivers then ignore all of them. Leave one."))
    policy = tags(found[0])
    # RFC 9989, 4.7: without p, a record that names somebody for reports counts as p=none.
    shown = policy.get("p", "none" if policy.get("rua") else "").lower()
    if shown not in DMARC_POLICIES:
        return mismatch(_("The DMARC record names no policy: p must be none, quarantine or reject."))
    wanted = tags(expected.value).get("p", "none")
    if DMARC_POLICIES.index(shown) < DMARC_POLICIES.index(wanted):
        text = _("The DMARC record asks for p=%(shown)s, and the domain has chosen p=%(wanted)s.")
        return mismatch(text, shown=shown, wanted=wanted)
    return OK


def judge_version(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    """A record of a kind that stands once, whose version comes first: MTA-STS, TLS reporting, PACC."""
    version = expected.value.split(";")[0]
    found = [value for value in answer.values if is_version(value, version.lower())]
    if not found:
        return missing(expected, hints)
    if len(found) > 1:
        return mismatch(_("There are several records that begin with %(version)s. Leave one."), version=version)
    wanted, shown = tags(expected.value), tags(found[0])
    if any(shown.get(name) != value for name, value in wanted.items() if name != "v"):
        text = _("The record differs: %(found)s. Replace it by the value given here.")
        return mismatch(text, found=short(found[0]))
    return OK


def judge_ptr(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    if expected.value in answer.values:
        return OK
    text = _("%(address)s is named %(names)s, not %(wanted)s.")
    names = short(", ".join(answer.values))
    return mismatch(text, address=address_behind(expected), names=names, wanted=expected.value)


def address_behind(record: ExpectedRecord) -> str:
    """Return the address that a PTR record names."""
    return to_address(from_text(f"{record.name}."))


def judge_address(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    # As addresses: IPv6 has several ways to write one.
    if ipaddress.ip_address(expected.value) in {ipaddress.ip_address(one) for one in answer.values if is_address(one)}:
        return OK
    text = _("%(name)s leads to %(found)s, not to %(wanted)s.")
    found = short(", ".join(answer.values))
    return mismatch(text, name=expected.name, found=found, wanted=expected.value)


def judge_one_spf(expected: ExpectedRecord, answer: Answer, hints: Hints) -> Verdict:
    """Of the installation's own: one record. Whether it lets the host send is evaluated (`dns.host`)."""
    found = [value for value in answer.values if is_version(value, "v=spf1")]
    if len(found) > 1:
        return mismatch(SEVERAL_SPF)
    return OK if found else missing(expected, hints)


def judge_tlsa(expected: ExpectedRecord, answer: Answer, _hints: Hints) -> Verdict:
    if expected.value in answer.values:
        return OK
    text = _("%(name)s shows another key: %(found)s. Enter this one beside it, before the certificate's key changes.")
    return mismatch(text, name=expected.name, found=short(", ".join(answer.values)))


JUDGES = {
    (Purpose.OWNERSHIP, "TXT"): judge_ownership,
    (Purpose.MX, "MX"): judge_mx,
    (Purpose.DKIM, "CNAME"): judge_key_alias,
    (Purpose.CAA, "CAA"): judge_caa,
    (Purpose.SPF, "TXT"): judge_spf,
    (Purpose.DMARC, "TXT"): judge_dmarc,
    (Purpose.MTA_STS, "TXT"): judge_version,
    (Purpose.TLS_RPT, "TXT"): judge_version,
    (Purpose.MTA_STS, "CNAME"): judge_alias,
    (Purpose.AUTOCONFIG, "CNAME"): judge_alias,
    (Purpose.AUTODISCOVER, "CNAME"): judge_alias,
    (Purpose.PACC, "CNAME"): judge_alias,
    (Purpose.PACC, "TXT"): judge_version,
    (Purpose.BIMI, "TXT"): judge_version,
    (Purpose.ADDRESS, "A"): judge_address,
    (Purpose.ADDRESS, "AAAA"): judge_address,
    (Purpose.SETUP_HOST, "A"): judge_address,
    (Purpose.SETUP_HOST, "AAAA"): judge_address,
    (Purpose.PTR, "PTR"): judge_ptr,
    (Purpose.GREETING, "TXT"): judge_one_spf,
    (Purpose.SPF_INCLUDE, "TXT"): judge_one_spf,
    (Purpose.REPORTS_TAKEN, "TXT"): judge_version,
    (Purpose.TLSA, "TLSA"): judge_tlsa,
}
