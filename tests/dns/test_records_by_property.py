"""Whatever a domain is called and an installation offers: what is generated parses back as it was meant."""

from base64 import b64encode

from dns.rdata import from_text as rdata_of
from dns.zonefile import read_rrsets
from hypothesis import given, settings
from hypothesis import strategies as st

from dns import dmarc
from dns.answers import Answer, Outcome
from dns.bimi import unfit
from dns.changes import plan, text_of
from dns.dkim import public_record
from dns.host_records import OwnHost, host_records
from dns.key_aliases import SELECTORS
from dns.models import DnsRecord, Necessity, Purpose, Status
from dns.mta_sts import Mode, policy_id
from dns.publishing_operations import as_seen, is_right
from dns.reading import tags
from dns.record_operations import columns
from dns.records import TXT_STRING_BYTES, ExpectedRecord, Installation, SigningKey, expected_records, quoted
from dns.verdict import judge
from dns.zone_data import rdata, typed
from dns.zone_file import strings, zone_text
from domains.names import normalise_domain
from mailhost.errors import Refused

FEW = settings(max_examples=25, deadline=None)
UID = "k04x9kb4tn0g2j569e0j"


def a_label(text: str) -> str | None:
    try:
        return normalise_domain(f"{text}.example")
    except Refused:
        return None


plain = st.text("abcxyz019-", min_size=1, max_size=20)
foreign = st.text("äöüßéñçøłżδλж字漢仮", min_size=1, max_size=10)
names = st.one_of(plain, foreign, st.builds("{}.{}".format, foreign, plain)).map(a_label).filter(bool)
addresses = st.builds(
    "{}@{}".format, st.text("abc.+-_", min_size=1, max_size=8).map("r{}".format), plain.map("x{}.example".format)
)
base64_text = st.binary(min_size=3, max_size=500).map(lambda key: b64encode(key).decode())
keys = st.builds(
    SigningKey, st.sampled_from(["mh202611abc", "s1", "mail-2026"]), base64_text, st.just(False)
) | st.builds(SigningKey, st.sampled_from(SELECTORS), base64_text, st.just(True))
installations = st.builds(
    Installation,
    mail_host=st.just("mail.mailhost.example"),
    spf_include=st.sampled_from(["", "_spf.mailhost.example"]),
    setup_host=st.sampled_from(["", "setup.mailhost.example"]),
    mta_sts_mode=st.sampled_from(["", *Mode.values]),
    tls_reports=st.just("") | addresses,
    dmarc_reports=st.just("") | addresses,
    caa_issuer=st.sampled_from(["", "letsencrypt.org", "ca.example; accounturi=https://ca.example/1"]),
    dkim_zone=st.sampled_from(["", "dkim.mailhost.example"]),
)
urls = st.builds(
    "https://{}/{}".format,
    plain.map("x{}.example".format),
    st.text("abcXYZ019-._~%20?=&", max_size=380).filter(lambda path: not unfit(f"https://x.example/{path}")),
).filter(lambda url: not unfit(url))


@st.composite
def generated(draw) -> tuple[str, list[ExpectedRecord]]:
    name = draw(names)
    records = expected_records(
        name,
        challenge=draw(st.text("0123456789abcdef", min_size=40, max_size=40)),
        installation=draw(installations),
        keys=draw(st.lists(keys, max_size=3, unique_by=lambda key: key.selector)),
        mta_sts_mode=draw(st.sampled_from(["", *Mode.values])),
        dmarc_policy=draw(st.sampled_from(dmarc.POLICIES)),
        logo=draw(st.just(("", "")) | st.tuples(urls, st.just("") | urls)),
        uid=UID,
    )
    return name, records


@st.composite
def of_the_host(draw) -> tuple[str, list[ExpectedRecord]]:
    host = OwnHost(
        draw(installations),
        addresses=tuple(map(str, draw(st.lists(st.ip_addresses(), max_size=4, unique=True)))),
        keys=tuple(draw(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=2, unique=True))),
        is_signed=draw(st.booleans()),
    )
    return host.name, host_records(host)


@FEW
@given(generated() | of_the_host())
def test_the_zone_file_is_read_back_as_exactly_these_records(made):
    name, records = made
    text = zone_text(name, [DnsRecord(**columns(record)) for record in records])

    found = {
        (rrset.name.to_text(omit_final_dot=True), data.rdtype.name, data.to_text())
        for rrset in read_rrsets(text, rdclass=None, relativize=False)
        for data in rrset
    }

    assert found == {(record.name, record.record_type, rdata(record)) for record in records}
    assert len(text.splitlines()) == len(records) + 1
    assert text.isascii()


@FEW
@given(generated() | of_the_host())
def test_what_is_generated_is_found_right_when_it_stands_in_dns(made):
    for record in made[1]:
        answer = Answer(Outcome.FOUND, (as_seen(record.record_type, rdata(record)),))

        assert judge(record, answer).status == Status.OK, record


@FEW
@given(generated())
def test_publishing_into_an_empty_zone_leaves_nothing_to_do(made):
    standing = {}
    for change in plan(made[1], standing, {}, is_right):
        place = (change.name, change.record_type)
        standing[place] = tuple(typed(change.record_type, data) for data in change.added)

    again = [change for change in plan(made[1], standing, {}, is_right) if change.does_something]
    lacking = {
        (record.name, record.record_type) for record in made[1] if not standing.get((record.name, record.record_type))
    }

    assert again == []
    # The first CAA record would forbid all other authorities.
    assert {kind for _name, kind in lacking} <= {"CAA"}


@FEW
@given(st.text(max_size=900))
def test_a_text_is_cut_into_strings_of_255_bytes_and_joined_again(text):
    for cut in (quoted(text), strings(text)):
        parsed = rdata_of("IN", "TXT", cut)

        assert b"".join(parsed.strings) == text.encode()
        assert all(len(one) <= TXT_STRING_BYTES for one in parsed.strings)
        assert all(len(one) == TXT_STRING_BYTES for one in parsed.strings[:-1])
        assert cut.isascii()
        assert "\n" not in cut


@FEW
@given(base64_text, st.randoms())
def test_a_key_is_the_same_key_however_its_record_is_cut_and_spaced(key, random):
    record = ExpectedRecord(Purpose.DKIM, "TXT", "s1._domainkey.acme.example", public_record(key), Necessity.REQUIRED)
    blanks = "".join(letter + (" " if letter == ";" and random.random() < 0.5 else "") for letter in record.value)
    value = text_of(quoted(blanks))

    assert tags(value)["p"] == key
    assert judge(record, Answer(Outcome.FOUND, (value,))).status == Status.OK
    other = Answer(Outcome.FOUND, (value.replace("p=", "p=QUFB", 1),))
    assert judge(record, other).status == Status.MISMATCH


@FEW
@given(
    st.fixed_dictionaries(
        {
            "policy": st.sampled_from(dmarc.POLICIES),
            "subdomain_policy": st.sampled_from(["", *dmarc.POLICIES]),
            "rua": st.lists(addresses, max_size=3, unique=True),
            "ruf": st.lists(addresses, max_size=2, unique=True),
            "failure_options": st.sampled_from(["", "0", "1:d", "s"]),
            "testing": st.booleans(),
        }
    )
)
def test_a_dmarc_record_says_what_was_chosen(chosen):
    record = dmarc.make(**chosen)
    found, meant = tags(record), dmarc.read(record)

    assert record.startswith("v=DMARC1; p=")
    assert (found["p"], found.get("sp", found["p"])) == (
        chosen["policy"],
        chosen["subdomain_policy"] or chosen["policy"],
    )
    assert found.get("rua", "") == ",".join(f"mailto:{address}" for address in chosen["rua"])
    assert found.get("ruf", "") == ",".join(f"mailto:{address}" for address in chosen["ruf"])
    assert (found.get("t", "n") == "y", "pct" in found) == (chosen["testing"], False)
    assert (meant.policy, list(meant.problems)) == (chosen["policy"], [])


@FEW
@given(installations, st.sampled_from(Mode.values))
def test_an_mta_sts_id_is_of_32_letters_and_digits_and_belongs_to_one_policy(installation, mode):
    policy = installation.mta_sts_policy(mode)
    others = {policy_id(installation.mta_sts_policy(other)) for other in Mode.values if other != mode}

    assert policy_id(policy).isalnum()
    assert len(policy_id(policy)) == 32
    if policy:
        assert policy_id(policy) not in others
        assert dict(line.split(": ") for line in policy.splitlines())["version"] == "STSv1"
