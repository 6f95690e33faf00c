"""What DNS shows is judged once and said in the language of who reads it."""

import pickle

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext_noop as _

from dns.answers import Answer, Outcome, Sight
from dns.models import DnsRecord, Necessity, Purpose
from dns.observation import Finding
from dns.record_operations import settle
from dns.records import ExpectedRecord
from dns.tools import spf_advice
from dns.verdict import judge_sight
from mailhost.said import NOTHING, Said, from_kept

MX = ExpectedRecord(Purpose.MX, "MX", "acme.example", "mail.mailhost.example", Necessity.REQUIRED, 10)
ELSEWHERE = Answer(Outcome.FOUND, ("10 mx.elsewhere.example",))
RIGHT = Answer(Outcome.FOUND, ("10 mail.mailhost.example",))


def settled(sight: Sight, **standing) -> DnsRecord:
    row = DnsRecord(purpose=MX.purpose, record_type=MX.record_type, name=MX.name, value=MX.value, **standing)
    settle(row, Finding(sight, judge_sight(MX, sight)), timezone.now())
    return row


def test_a_verdict_is_kept_in_english_and_shown_in_german():
    row = settled(Sight(ELSEWHERE))

    assert row.problem == "Mail for this domain goes to mx.elsewhere.example, not to mail.mailhost.example."
    with translation.override("de"):
        assert row.problem_here == (
            "Mail für diese Domain geht an mx.elsewhere.example, nicht an mail.mailhost.example."
        )


def test_a_sentence_within_a_sentence_is_translated_too():
    by_server = {"ns1.acme.example": RIGHT, "ns2.acme.example": ELSEWHERE}
    row = settled(Sight(RIGHT, by_server), status="ok")

    with translation.override("de"):
        shown = row.problem_here
    assert shown.startswith("Bei der letzten Prüfung stimmte er nicht")
    assert "ns2.acme.example" in shown
    assert shown.endswith("Mail für diese Domain geht an mx.elsewhere.example, nicht an mail.mailhost.example.")
    assert row.problem.endswith("goes to mx.elsewhere.example, not to mail.mailhost.example.")


def test_what_is_right_leaves_nothing_of_what_was_wrong():
    row = settled(Sight(RIGHT), problem="There is no such record.", problem_said=Said(_("%(a)s."), a="b").kept)

    assert (row.problem, row.problem_said, row.problem_here) == ("", {}, "")


def test_a_row_of_an_older_release_still_says_what_is_wrong():
    assert DnsRecord(problem="The record differs.").problem_here == "The record differs."


@pytest.mark.parametrize("said", [NOTHING, Said(_("%(name)s has no address."), name="100%s"), Said(_("100 % of it."))])
def test_a_kept_sentence_comes_back_as_it_was(said):
    for again in (from_kept(said.kept), pickle.loads(pickle.dumps(said))):  # noqa: S301 - what was just written
        assert (again, again.text, again.values) == (said, said.text, said.values)


def test_the_tools_speak_the_readers_language_of_one_remembered_answer():
    [advice] = spf_advice("v=spf1 +all")

    with translation.override("de"):
        assert advice.translated == "+all lässt jeden im Namen dieser Domain senden."
    assert advice == "+all lets everybody send in this domain's name."
