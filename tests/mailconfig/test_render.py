"""What the configuration files say, by their text alone: no daemon runs here."""

from dataclasses import replace
from pathlib import Path

import jinja2
import pytest

from mailboxes import lookups
from mailconfig import render as rendering
from mailconfig.parameters import InvalidParameter, Parameters
from mailconfig.render import as_branch, render

SECRETS = {
    "postfix_db_password": "postfix-password-1",
    "dovecot_db_password": "dovecot-password-2",
    "doveadm_key": "doveadm-key-3",
    "redis_url": "redis://:redis-password-4@127.0.0.1:6379/2",
}


@pytest.fixture
def parameters() -> Parameters:
    return Parameters(**SECRETS)


def text_of(parameters: Parameters, name: str) -> str:
    return next(file.text for path, file in render(parameters).items() if path.name == name)


def test_a_template_that_names_an_unknown_field_is_refused(tmp_path, monkeypatch):
    (tmp_path / "postfix").mkdir()
    (tmp_path / "postfix" / "main.cf.j2").write_text("myhostname = {{ p.hostnme }}\n")
    monkeypatch.setattr(rendering, "TEMPLATES", tmp_path)

    with pytest.raises(jinja2.UndefinedError, match="hostnme"):
        render(Parameters())


def test_no_secret_stands_in_a_file_that_everybody_may_read(parameters):
    secrets = ("postfix-password-1", "dovecot-password-2", "doveadm-key-3", "redis-password-4")

    readable = [
        (str(path), secret)
        for path, file in render(parameters).items()
        for secret in secrets
        if secret in file.text and file.mode & 0o007
    ]

    assert readable == []
    written = "".join(file.text for file in render(parameters).values())
    assert all(secret in written for secret in secrets)


def test_each_daemon_sees_only_its_own_secrets(parameters):
    holders = {
        secret: {(file.daemon, file.owner, file.group) for file in render(parameters).values() if secret in file.text}
        for secret in ("postfix-password-1", "dovecot-password-2", "doveadm-key-3", "redis-password-4")
    }

    assert holders == {
        "postfix-password-1": {("postfix", "root", "postfix")},
        # Not by group: Dovecot gives the group dovecot to every process that reads a person's mail.
        "dovecot-password-2": {("dovecot", "dovecot", "root")},
        "doveadm-key-3": {("dovecot", "root", "root")},
        "redis-password-4": {("dovecot", "root", "root")},
    }


def test_every_lookup_is_rendered_in_the_words_of_its_daemon(parameters):
    texts = {path.name: file.text for path, file in render(parameters).items()}
    branches = {"passdb", "app_passdb", "userdb", "delivery"}

    for lookup in lookups.of_daemon("postfix"):
        assert f"query = {lookup.postfix_query()}\n" in texts[f"{lookup.name}.cf"]
    for lookup in lookups.of_daemon("dovecot"):
        query = lookup.dovecot_query("2.3", overdraft_mb=100)
        shown = as_branch(query) if lookup.name in branches else f"{lookup.parameter} = {query}\n"
        assert shown in texts["weighed-sql.conf" if lookup.name == "weighed" else "auth-sql.conf"]
    assert not any(placeholder in text for text in texts.values() for placeholder in ("{address}", "{local}"))


def test_proxymap_may_read_every_table_that_postfix_is_told_to_ask(parameters):
    main = text_of(parameters, "main.cf")
    readable = main.split("proxy_read_maps =")[1].split("\nvirtual_transport")[0]

    # A proxied table that this list misses is fatal for the process that asks it.
    for name in ("details.cf", "recipients.cf", "sources.cf", "alive.cf"):
        assert name in readable
    for name in ("virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "smtpd_sender_login_maps"):
        assert f"${name}" in readable


def test_trivial_rewrite_asks_the_same_question_about_domains_without_proxymap(parameters):
    main, master = text_of(parameters, "main.cf"), text_of(parameters, "master.cf")

    assert "trivial-rewrite\n  -o virtual_mailbox_domains=$rewrite_mailbox_domains\n" in master
    assert "\nrewrite_mailbox_domains = ${direct}domains.cf\n" in main
    assert "\ndirect = mysql:$config_directory/lookups/\n" in main


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_submission_demands_tls_a_login_and_a_sender_of_its_own(parameters, service):
    block = text_of(parameters, "master.cf").split(f"syslog_name=postfix/{service}\n")[1].split("\n127.0.0.1")[0]

    assert "-o smtpd_tls_security_level=encrypt" in block
    assert "-o smtpd_sasl_auth_enable=yes" in block
    assert "-o smtpd_delay_reject=no" in block
    assert "-o smtpd_sender_restrictions=$mua_sender_restrictions" in block
    assert "-o cleanup_service_name=submission-cleanup" in block


def test_loopback_is_trusted_by_the_reinjection_listener_alone(parameters):
    main, master = text_of(parameters, "main.cf"), text_of(parameters, "master.cf")

    assert "\nmynetworks =\n" in main
    assert "\nmydestination =\n" in main
    assert master.count("mynetworks=") == 1
    assert "\n127.0.0.1:10026 inet" in master


def test_nothing_is_chrooted(parameters):
    services = [
        line.split() for line in text_of(parameters, "master.cf").splitlines() if line[:1] not in ("#", " ", "")
    ]

    assert {service[4] for service in services} == {"n"}


def test_public_listeners_take_the_address_they_are_given(parameters):
    everywhere = text_of(parameters, "master.cf")
    one = text_of(replace(parameters, listen_address="192.0.2.7", smtp_port=2525), "master.cf")

    assert "\n25 inet " in everywhere
    assert "\n192.0.2.7:2525 inet " in one
    assert "\n587 inet " not in one


def test_a_database_reached_by_tcp_is_named_by_host_and_port(parameters):
    remote = replace(parameters, database_socket="", database_host="192.0.2.9", database_port=3307)

    # Twice: the second is asked when the first finds its connection dead.
    assert "hosts = inet:192.0.2.9:3307 inet:192.0.2.9:3307\n" in text_of(remote, "domains.cf")
    assert "connect = host=192.0.2.9 port=3307 dbname=mailhost" in text_of(remote, "auth-sql.conf")


def test_redis_on_a_socket_is_named_by_its_path(parameters):
    private = text_of(replace(parameters, redis_url="unix:///run/redis/redis.sock?db=3"), "private.conf")

    assert "last-login = redis:path=/run/redis/redis.sock:db=3:prefix=dovecot/" in private


def test_without_a_key_there_is_no_doveadm_over_http(parameters):
    without = replace(parameters, doveadm_key="")

    assert "service doveadm" not in text_of(without, "dovecot.conf")
    assert "doveadm_api_key" not in text_of(without, "private.conf")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("postfix_db_password", "with blank"),
        ("postfix_db_password", "two\nlines"),
        ("dovecot_db_password", "per%cent"),
        ("doveadm_key", "dollar$var"),
        ("hostname", "mail.example #"),
        ("hostname", "localhost"),
        ("mail_root", Path("relative/path")),
        ("smtp_port", 0),
        ("smtp_port", "25"),
        ("imaps_port", 65536),
        ("listen_address", "mail.example.org"),
        ("listen_address", "192.0.2.256"),
        ("message_size_limit_mb", 0),
    ],
)
def test_a_value_that_a_configuration_file_cannot_hold_is_refused(field, value):
    with pytest.raises(InvalidParameter, match=field):
        Parameters(**{field: value})


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        ("smtp_port", "smtp", "'smtp' is not a whole number"),
        ("message_size_limit_mb", "2.5", "'2.5' is not a whole number"),
        ("lookup_dns", "perhaps", "'perhaps' is neither yes nor no"),
    ],
)
def test_what_is_no_value_of_its_parameter_is_refused_by_name_and_rule(field, text, rule):
    with pytest.raises(InvalidParameter, match=f"^{field}: {rule}"):
        Parameters.environment_values({f"MAILHOST_CONFIG_{field.upper()}": text})


def test_a_database_port_of_the_settings_is_refused_by_its_name(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "PORT", "mysql")

    with pytest.raises(InvalidParameter, match="database_port: 'mysql' is not a whole number"):
        Parameters.from_settings()


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:port/0", "redis://127.0.0.1:6379/first", "unix:///run/redis.sock?db=first"]
)
def test_a_redis_url_whose_port_or_database_is_no_number_is_refused(parameters, url):
    with pytest.raises(InvalidParameter, match="redis_url: its port and its database"):
        _ = replace(parameters, redis_url=url).redis


def test_parameters_are_read_from_the_environment_as_their_types():
    values = Parameters.environment_values(
        {
            "MAILHOST_CONFIG_SMTP_PORT": "2525",
            "MAILHOST_CONFIG_LOOKUP_DNS": "no",
            "MAILHOST_CONFIG_NAMESERVERS": "192.0.2.53@5353, 192.0.2.54",
            "MAILHOST_CONFIG_MAIL_ROOT": "/srv/mail",
            "MAILHOST_CONFIG_UNKNOWN": "x",
        }
    )

    assert values == {
        "smtp_port": 2525,
        "lookup_dns": False,
        "nameservers": ("192.0.2.53@5353", "192.0.2.54"),
        "mail_root": Path("/srv/mail"),
    }


def test_a_daemon_may_read_the_columns_its_questions_name_and_no_others():
    postfix = lookups.readable_columns("postfix")

    # The last one is the guard's, which asks as the same user.
    assert set(postfix) == {"mail_domains", "mail_mailboxes", "mail_aliases", "mail_routes", "tenants_allowance"}
    assert not any("password_hash" in columns for columns in postfix.values())
    assert lookups.readable_columns("dovecot")["mail_quota_usage"] == ("bytes", "messages", "username")


def test_the_documented_queries_are_those_that_are_asked():
    document = (rendering.TEMPLATES.parent / "docs" / "mail-contract.md").read_text()

    assert [lookup.name for lookup in lookups.LOOKUPS if f"`{lookup.sql}` |" not in document] == []


def test_every_rendered_file_is_explained_beside_the_templates(parameters):
    document = (rendering.TEMPLATES / "README.md").read_text()
    names = {str(path) for path in render(parameters) if path.parent.name != "lookups"}

    assert [name for name in sorted(names) if f"`{name}`" not in document] == []
