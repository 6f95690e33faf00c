"""What was found in DNS against what should stand there, in a sentence for the domain's owner."""

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from dns.lookup import Answer
from dns.models import Purpose, Status
from dns.records import ExpectedRecord

SHOWN_LENGTH = 80


@dataclass(frozen=True)
class Verdict:
    """A status of `dns.models.Status`, and the sentence that says what is wrong ("" when nothing is)."""

    status: str
    problem: str = ""


OK = Verdict(Status.OK)


def judge(expected: ExpectedRecord, answer: Answer) -> Verdict:
    """Compare one record with DNS's answer for its name and type."""
    if answer.is_temporary:
        return Verdict(Status.TEMPORARY_FAILURE, f"{answer.detail} The check is repeated.")
    return JUDGES[Purpose(expected.purpose)](expected, answer.values)


def missing(expected: ExpectedRecord) -> Verdict:
    return Verdict(Status.MISSING, f"There is no such {expected.record_type} record at {expected.name} yet.")


def mismatch(problem: str) -> Verdict:
    return Verdict(Status.MISMATCH, problem)


def judge_ownership(expected: ExpectedRecord, values: tuple[str, ...]) -> Verdict:
    if expected.value in values:
        return OK
    if not values:
        return missing(expected)
    if expected.value in {value.strip(' "') for value in values}:
        return mismatch("The value is there with quotes or blanks around it. Enter it without them.")
    return mismatch(f"{expected.name} shows another value: {short(values[0])}. Replace it by the one given here.")


def judge_mx(expected: ExpectedRecord, values: tuple[str, ...]) -> Verdict:
    hosts = dict(reversed(value.split(" ", 1)) for value in values)
    if not hosts:
        return missing(expected)
    if expected.value not in hosts:
        return mismatch(f"Mail for this domain goes to {short(', '.join(sorted(hosts)))}, not to {expected.value}.")
    first = min(int(preference) for preference in hosts.values())
    if int(hosts[expected.value]) > first:
        preferred = sorted(host for host, preference in hosts.items() if int(preference) == first)
        return mismatch(f"Mail goes to {short(', '.join(preferred))} first. Give {expected.value} the lowest number.")
    return OK


def judge_spf(expected: ExpectedRecord, values: tuple[str, ...]) -> Verdict:
    found = [value for value in values if is_version(value, "v=spf1")]
    if not found:
        return missing(expected)
    if len(found) > 1:
        return mismatch("There are several SPF records, and receivers then ignore all of them. Merge them into one.")
    terms = {term.removeprefix("+") for term in found[0].lower().split()}
    lacking = [term for term in expected.value.lower().split() if not term.endswith("all") and term not in terms]
    if lacking:
        return mismatch(f"The SPF record does not allow this server. Add “{' '.join(lacking)}” before its last word.")
    return OK


def judge_dkim(expected: ExpectedRecord, values: tuple[str, ...]) -> Verdict:
    """Compare as keys: order of tags, blanks and strings do not matter (RFC 6376 3.6.1)."""
    if not values:
        return missing(expected)
    if len(values) > 1:
        return mismatch(f"There are several TXT records at {expected.name}. Leave only the key.")
    found, wanted = tags(values[0]), tags(expected.value)
    problem = unfit_for_mail(found) or other_key(found["p"], wanted["p"])
    return mismatch(problem) if problem else OK


def unfit_for_mail(found: dict[str, str]) -> str:
    """Return why no mail of ours could be verified with a key record, or ""."""
    if not found.get("p"):
        return "The record has no key in it, which means that the key is revoked."
    if found.get("v", "DKIM1") != "DKIM1" or found.get("k", "rsa") != "rsa":
        return "The record is not one of an RSA key for DKIM. Copy the value as it stands here."
    if "s" in found and not {"*", "email"} & set(found["s"].split(":")):
        return "The record allows the key for other services, not for mail (tag s)."
    if "h" in found and "sha256" not in found["h"].split(":"):
        return "The record does not allow SHA-256, with which mail is signed (tag h)."
    return ""


def other_key(found: str, wanted: str) -> str:
    found_key = key_bytes(found)
    if found_key is not None and found_key == key_bytes(wanted):
        return ""
    if wanted.startswith(found):
        return "The key is cut off. Enter the whole value; split it only into strings that are joined again."
    return "The record shows another key. Replace it by the value given here."


def judge_dmarc(expected: ExpectedRecord, values: tuple[str, ...]) -> Verdict:
    found = [value for value in values if is_version(value, "v=dmarc1")]
    if not found:
        return missing(expected)
    if len(found) > 1:
        return mismatch("There are several DMARC records, and receivers then ignore all of them. Leave one.")
    if tags(found[0]).get("p", "").lower() not in {"none", "quarantine", "reject"}:
        return mismatch("The DMARC record names no policy: p must be none, quarantine or reject.")
    return OK


JUDGES = {
    Purpose.OWNERSHIP: judge_ownership,
    Purpose.MX: judge_mx,
    Purpose.SPF: judge_spf,
    Purpose.DKIM: judge_dkim,
    Purpose.DMARC: judge_dmarc,
}


def is_version(value: str, version: str) -> bool:
    """Say whether the record is of this kind: the version stands first and alone."""
    return value.lower().replace(";", " ; ").split()[:1] == [version]


def tags(value: str) -> dict[str, str]:
    """Return `name=value` pairs of a tag list with all blanks taken out; the first of a name counts."""
    pairs: dict[str, str] = {}
    for part in value.split(";"):
        name, equals, rest = part.partition("=")
        if equals:
            pairs.setdefault(name.strip().lower(), "".join(rest.split()))
    return pairs


def key_bytes(base64_text: str) -> bytes | None:
    try:
        return b64decode(base64_text, validate=True)
    except (NotBase64, ValueError):
        return None


def short(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
