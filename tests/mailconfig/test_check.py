"""The daemons' own tools judge the rendered files, in a folder of the test's own."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailconfig import apply, check, files
from mailconfig.parameters import Parameters
from mailconfig.render import DAEMONS, File, render

RECEIVED = (
    "Received: from laptop.home (pool-7.isp.example [198.51.100.7])\n"
    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
    "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n"
    "\t(No client certificate requested)\n"
    "\tby {host} (Postfix) with ESMTPSA id 4F5B817223E\n"
    "\tfor <ben@bolt.example>; Fri, 20 Nov 2026 16:08:45 +0000 (UTC)"
)


@pytest.fixture
def parameters(tmp_path) -> Parameters:
    """A production machine's parameters, but every file lies below the test's folder."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path in (certificate, key):
        path.write_text("for the check only its presence counts\n")
    return Parameters(
        postfix_db_password="p",
        dovecot_db_password="d",
        doveadm_key="k",
        tls_cert_file=certificate,
        tls_key_file=key,
        postfix_config_dir=tmp_path / "postfix",
        postfix_queue_dir=tmp_path / "queue",
        postfix_data_dir=tmp_path / "data",
        milter_socket=tmp_path / "queue" / "milter" / "opendkim.sock",
        guard_socket=tmp_path / "queue" / "guard" / "guard.sock",
        guard_user="root",
        dovecot_config_dir=tmp_path / "dovecot",
        dovecot_base_dir=tmp_path / "run",
        dovecot_state_dir=tmp_path / "state",
        mail_root=tmp_path / "mail",
        opendkim_config_dir=tmp_path / "opendkim",
        opendkim_pid_file=tmp_path / "dkim-run" / "opendkim.pid",
        dkim_dir=tmp_path / "dkim",
    )


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_daemon_takes_what_is_rendered_for_a_production_machine(parameters, daemon):
    assert check.problems(parameters, (daemon,)) == {}


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_daemon_takes_what_is_rendered_for_a_private_stack(parameters, daemon):
    private = replace(
        parameters,
        listen_address="127.0.0.1",
        lookup_dns=False,
        outbound_transport="smtp:[127.0.0.1]:2626",
        database_socket="",
        nameservers=("127.0.0.1@2053",),
        opendkim_syslog=False,
        auth_penalty=False,
    )

    assert check.problems(private, (daemon,)) == {}


def broken(name: str, text: str):
    """Return a render() that adds a line to one file."""

    def render_with_a_mistake(parameters, daemons=DAEMONS):
        return {
            path: replace(file, text=file.text + text) if path.name == name else file
            for path, file in render(parameters, daemons).items()
        }

    return render_with_a_mistake


@pytest.mark.parametrize(
    ("daemon", "mistake", "complaint"),
    [
        ("postfix", ("main.cf", "smtpd_helo_requird = yes\n"), "smtpd_helo_requird"),
        ("postfix", ("master.cf", "25 inet n - n\n"), "bad field count"),
        ("dovecot", ("dovecot.conf", "sll = yes\n"), "sll"),
        ("opendkim", ("opendkim.conf", "KeyTabel file:/x\n"), "unrecognized parameter"),
    ],
)
def test_a_mistake_is_reported_in_the_tools_words(parameters, monkeypatch, daemon, mistake, complaint):
    monkeypatch.setattr(check, "render", broken(*mistake))

    assert complaint in check.problems(parameters, (daemon,))[daemon]


def test_a_missing_certificate_is_reported_by_its_path(parameters):
    parameters.tls_key_file.unlink()

    assert str(parameters.tls_key_file) in check.problems(parameters, ("dovecot",))["dovecot"]


def test_what_the_tools_refuse_is_not_written(parameters, monkeypatch):
    apply.apply(parameters)
    before = {path: path.read_bytes() for path in render(parameters)}
    monkeypatch.setattr(check, "render", broken("main.cf", "smtpd_helo_requird = yes\n"))

    with pytest.raises(apply.ConfigurationRefused, match="smtpd_helo_requird"):
        apply.apply(replace(parameters, message_size_limit_mb=50))

    assert {path: path.read_bytes() for path in render(parameters)} == before


def test_apply_writes_what_changed_and_keeps_the_version_before(parameters):
    first = apply.apply(parameters)
    second = apply.apply(parameters)
    third = apply.apply(replace(parameters, message_size_limit_mb=50))

    main = parameters.postfix_config_dir / "main.cf"
    assert set(first.written) == set(render(parameters))
    assert second.written == []
    assert set(third.written) == {main, parameters.dovecot_config_file}
    assert "message_size_limit = 26214400" in main.with_name("main.cf.previous").read_text()
    assert "message_size_limit = 52428800" in main.read_text()
    assert third.stopped == ["postfix", "dovecot"]


@pytest.fixture
def seeming_dovecot(parameters, tmp_path) -> Iterator[Callable[[], None]]:
    """Have a program of Dovecot's name stand in Dovecot's pid file; that is all it can do."""
    program = tmp_path / "dovecot-alone" / "dovecot"
    program.parent.mkdir()
    program.symlink_to(shutil.which("sleep"))
    process = subprocess.Popen([program, "300"])

    def runs() -> None:
        parameters.dovecot_base_dir.mkdir()
        (parameters.dovecot_base_dir / "master.pid").write_text(f"{process.pid}\n")

    yield runs
    process.kill()
    process.wait()


def test_all_files_go_back_when_one_daemon_does_not_reload(parameters, monkeypatch, seeming_dovecot):
    apply.apply(parameters)
    seeming_dovecot()
    before = {path: path.read_bytes() for path in render(parameters)}
    tools = tools_with_doveadm(parameters.mail_root.parent, "echo refused >&2; exit 75")
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)

    with pytest.raises(apply.ConfigurationRefused, match="as they were before"):
        apply.apply(replace(parameters, message_size_limit_mb=50))

    assert {path: path.read_bytes() for path in render(parameters)} == before


def test_all_files_go_back_when_a_reload_hangs(parameters, monkeypatch, seeming_dovecot):
    apply.apply(parameters)
    seeming_dovecot()
    before = {path: path.read_bytes() for path in render(parameters)}
    tools = tools_with_doveadm(parameters.mail_root.parent, "exec sleep 60")
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)

    with pytest.raises(apply.ConfigurationRefused, match="timed out after 2 seconds"):
        apply.apply(replace(parameters, message_size_limit_mb=50), timeout=2)

    assert {path: path.read_bytes() for path in render(parameters)} == before


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_all_files_go_back_whatever_is_raised(parameters, monkeypatch, error):
    apply.apply(parameters)
    before = {path: path.read_bytes() for path in render(parameters)}
    true_write, written = files.write, []

    def write_one_and_fail(path, file):
        # Only what apply() puts in place, not what is checked beforehand in a folder of its own.
        if path in before:
            if written:
                raise error("in the middle")
            written.append(path)
        true_write(path, file)

    monkeypatch.setattr(files, "write", write_one_and_fail)

    with pytest.raises(error):
        apply.apply(replace(parameters, message_size_limit_mb=50))

    assert len(written) == 1
    assert {path: path.read_bytes() for path in render(parameters)} == before


def tools_with_doveadm(folder: Path, script: str) -> Path:
    """A folder for PATH with a doveadm of ours: the real one would signal the process of this test."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "doveadm").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "doveadm").chmod(0o755)
    return tools


def test_a_file_is_its_owners_alone_before_it_holds_a_byte(tmp_path):
    path = tmp_path / "secret.conf"

    files.write(path, File("password", "dovecot", owner="dovecot", mode=0o400))
    state = path.stat()

    assert (state.st_uid, state.st_mode & 0o777) == (files.user_number("dovecot"), 0o400)
    assert not path.with_name("secret.conf.new").exists()


def header_check(parameters: Parameters, header: str) -> str:
    """Return what Postfix does with this header of a signed-in client."""
    folder = parameters.postfix_config_dir
    folder.mkdir()
    for name in ("main.cf", "submission_header_checks"):
        files.write(folder / name, render(parameters)[folder / name])
    done = subprocess.run(
        ["postmap", "-c", str(folder), "-hq", "-", f"regexp:{folder}/submission_header_checks"],
        input=f"{header}\n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.removeprefix(header).strip()


def test_the_received_line_of_a_signed_in_client_names_neither_address_nor_host(parameters):
    answer = header_check(parameters, RECEIVED.format(host=parameters.hostname))

    assert answer == (
        f"REPLACE Received: from {parameters.hostname} (authenticated client) by {parameters.hostname} (Postfix)"
        " with ESMTPSA id 4F5B817223E; Fri, 20 Nov 2026 16:08:45 +0000 (UTC)"
    )


def test_a_received_line_of_another_server_stays_as_it_is(parameters):
    assert header_check(parameters, RECEIVED.format(host="mail.far.example")) == ""


def test_an_originating_address_that_a_mail_program_adds_is_taken_out(parameters):
    assert header_check(parameters, "X-Originating-IP: [198.51.100.7]") == "IGNORE"


@pytest.mark.parametrize("daemon", ["opendkim", "dovecot"])
def test_a_left_over_pid_file_is_no_running_daemon_and_signals_nobody(parameters, daemon):
    pid_files = {"opendkim": parameters.opendkim_pid_file, "dovecot": parameters.dovecot_base_dir / "master.pid"}
    pid_files[daemon].parent.mkdir()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        pid_files[daemon].write_text(f"{bystander.pid}\n")

        assert not apply.is_running(parameters, daemon)
        assert apply.apply(parameters, (daemon,)).stopped == [daemon]

        # The signal of a reload would have ended it.
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
