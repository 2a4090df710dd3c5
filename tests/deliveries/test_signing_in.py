"""Signing in, at real servers on this machine: who may, who may not, and that no secret is shown."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import logging
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from radar.deliveries.channels import salesforce as salesforce_channel
from radar.deliveries.settings import Destinations
from tests.deliveries.small_company import Company
from tests.deliveries.vendors import Vendors

USER, PASSWORD = "mailer", "correct-horse-battery"
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
KEY, SECRET = "3MVGconsumerkey", "F00consumersecret"


def told(company: Company, caplog: pytest.LogCaptureFixture, error: str | None) -> str:
    """Everything that is kept or shown."""
    rows = company.con.execute("select * from audit.deliveries").fetchall()
    return f"{rows} {error} {caplog.text}"


def hides(text: str, *secrets: str) -> None:
    for secret in secrets:
        assert secret not in text
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text


# --- mail -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that it signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@dataclass
class MailServer:
    """Takes mail over TLS, from who knows the password."""

    port: int
    mails: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 taken"

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, said: Any
    ) -> AuthResult:
        assert isinstance(said, LoginPassword)
        user, password = said.login.decode(), said.password.decode()
        self.logins.append((user, password))
        if (user, password) == (USER, PASSWORD):
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 {password} is not it")


@pytest.fixture(params=["starttls", "ssl"])
def mail_server(
    request: pytest.FixtureRequest, certificate: tuple[Path, Path], company: Company
) -> Iterator[MailServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = MailServer(port)
    # aiosmtpd asks for TLS of its own before a login, also where the whole connection is inside of it
    how: dict[str, Any] = (
        {"tls_context": context, "require_starttls": True}
        if request.param == "starttls"
        else {"ssl_context": context, "auth_require_tls": False}
    )
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        ready_timeout=20,
        authenticator=server.login,
        auth_required=True,
        **how,
    )
    controller.start()
    company.settings = mail_settings(request.param, port)
    company.say(company.act("mail", 1, status="to_approve"), "approved")
    try:
        yield server
    finally:
        controller.stop()


def mail_settings(security: str, port: int, password: str = PASSWORD) -> Destinations:
    return Destinations(
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security=security,
        smtp_user=USER,
        smtp_password=password,
        smtp_from="Acme <success@house.example>",
    )


def test_mail_goes_over_tls_to_a_server_that_knows_us(
    mail_server: MailServer,
    certificate: tuple[Path, Path],
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    caplog.set_level(logging.DEBUG)
    report = company.run("mail")
    assert (report.error, report.counts) == (None, {"delivered": 1})
    assert (len(mail_server.mails), mail_server.logins) == (1, [(USER, PASSWORD)])
    hides(told(company, caplog, report.error), PASSWORD)


def test_a_wrong_password_is_reported_once_and_never_shown(
    mail_server: MailServer,
    certificate: tuple[Path, Path],
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    caplog.set_level(logging.DEBUG, "actions")
    right = company.settings
    company.settings = mail_settings(right.smtp_security, right.smtp_port, "wrong-horse-battery")
    company.say(company.act("mail", 2, status="to_approve"), "approved")
    report = company.run("mail")
    assert report.error is not None
    assert "the mail server answered 535" in report.error
    assert (report.counts, report.untried) == ({"failed": 1}, 1), "other mails would fare no better"
    assert {password for _, password in mail_server.logins} == {"wrong-horse-battery"}
    assert mail_server.mails == []
    hides(told(company, caplog, report.error), "wrong-horse-battery")
    company.settings = right
    assert company.run("mail").counts == {"delivered": 2}
    assert len(mail_server.mails) == 2


def test_a_mail_server_whose_certificate_nobody_knows_receives_nothing(
    mail_server: MailServer, company: Company
) -> None:
    report = company.run("mail")
    assert report.counts == {"failed": 1}, "certain, so it is no doubt"
    assert "CERTIFICATE_VERIFY_FAILED" in str(report.error)
    assert (mail_server.logins, mail_server.mails) == ([], [])


# --- Salesforce -------------------------------------------------------------------------------------------


def salesforce(vendors: Vendors, secret: str = SECRET) -> Destinations:
    return Destinations(
        salesforce_url=vendors.url, salesforce_consumer_key=KEY, salesforce_consumer_secret=secret
    )


@pytest.fixture
def org(vendors: Vendors) -> Vendors:
    """A Salesforce with one account, and one application that may sign in."""
    basic = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    vendors.sign_ins = {f"Basic {basic}": "00Dsession"}
    vendors.accounts["acc-01"] = {}
    return vendors


def test_salesforce_is_called_with_the_token_that_the_sign_in_gave(org: Vendors, company: Company) -> None:
    company.settings = salesforce(org)
    company.act("task", 1)
    assert company.run("tasks").counts == {"delivered": 1}
    assert org.calls[0] == "POST /services/oauth2/token"
    assert org.bodies[0] == b"grant_type=client_credentials"
    assert {headers["Authorization"] for headers in org.headers[1:]} == {"Bearer 00Dsession"}
    assert len(org.salesforce_tasks) == 1


def test_a_refused_sign_in_stops_the_channel_and_shows_no_secret(
    org: Vendors, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    company.settings = salesforce(org, "the-wrong-secret")
    company.act("task", 1)
    report = company.run("tasks")
    assert report.error == "answered 400: Salesforce refused the sign-in: invalid client credentials"
    assert org.calls == ["POST /services/oauth2/token"]
    assert company.states() == {}, "nothing was tried, so nothing is in doubt"
    hides(told(company, caplog, report.error), "the-wrong-secret", KEY, f"{KEY}:the-wrong-secret")
    company.settings = salesforce(org)
    assert company.run("tasks").counts == {"delivered": 1}


@pytest.mark.parametrize("fault", ["429", "500", "lose"])
def test_a_sign_in_that_is_not_answered_stops_the_channel_until_the_next_run(
    org: Vendors, company: Company, fault: str
) -> None:
    company.settings = salesforce(org)
    company.act("task", 1)
    org.fail("/services/oauth2/token", fault)
    assert not company.run("tasks").is_ok
    assert company.run("tasks").counts == {"delivered": 1}
    assert len(org.salesforce_tasks) == 1


def test_a_sign_in_that_hangs_ends(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce_channel, "TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        company.settings = salesforce(Vendors(url=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        company.act("task", 1)
        assert "ReadTimeout" in str(company.run("tasks").error)
