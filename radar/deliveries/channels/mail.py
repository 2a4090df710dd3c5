"""Mail over SMTP, and the same message as a file.

SMTP cannot be asked what it has taken. The Message-ID is derived from the action, so that a mailbox that
knows it again shows it once; but where the answer to the whole message is lost, the mail stays in doubt and
is not sent again.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from radar.audit.delivery_ledger import DELIVERED, FAILED, IN_DOUBT, Result
from radar.core.errors import UsageError
from radar.deliveries.channels.base import TIMEOUT_SECONDS, Message, TroubleError, of_error
from radar.deliveries.drafts import Draft
from radar.deliveries.rendering import one_line
from radar.deliveries.settings import LOOPBACK

_REFUSALS = (550, 551, 552, 553, 554)
"""Answers about a mailbox or a message, not about the sender or the server."""


class _Headers(HeaderRegistry):
    """Most headers of many mails are the same, and reading them is half the work of composing a mail."""

    def __init__(self) -> None:
        super().__init__()
        self._class_of = lru_cache(64)(super().__getitem__)
        self._header = lru_cache(256)(super().__call__)

    def __getitem__(self, name: str) -> Any:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> Any:
        return self._header(name, value)


_POLICY = SMTP.clone(cte_type="7bit", header_factory=_Headers())


def compose(
    draft: Draft,
    *,
    action_id: str,
    sender: str,
    reply_to: tuple[str, str] | None,
    to: tuple[str, str] | None,
    written_at: datetime,
    is_draft: bool,
    owner_name: str = "",
    unsubscribe: str | None = None,
) -> EmailMessage:
    """The mail.

    Plain text, with HTML as alternative. Names and addresses are (name, address); `written_at` is UTC.
    It comes from the owner by name, at the address of `sender`; `unsubscribe` is an address of mailto: or
    https: in which `{action_id}` becomes the action's, without one a mail to the sender.
    """
    company, address = parseaddr(sender)
    name = f"{owner_name} ({company})" if owner_name and company else owner_name or company
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = one_line(draft.subject)
    mail["From"] = formataddr((one_line(name), address))
    if to:
        mail["To"] = formataddr((one_line(to[0]), one_line(to[1])))
    if reply_to:
        mail["Reply-To"] = formataddr((one_line(reply_to[0]), one_line(reply_to[1])))
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = f"<{action_id}@{address.rpartition('@')[2]}>"
    if unsubscribe is None and not address.endswith(".invalid"):
        unsubscribe = f"mailto:{address}?subject=unsubscribe"
    if unsubscribe:
        mail["List-Unsubscribe"] = f"<{unsubscribe.replace('{action_id}', quote(action_id))}>"
        if unsubscribe.startswith("https:") and "{action_id}" in unsubscribe:
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058: needs to know whom
    if is_draft:
        mail["X-Unsent"] = "1"  # Outlook then opens it for editing
    mail.set_content(draft.text)
    mail.add_alternative(draft.html, subtype="html")
    mail.set_boundary(f"=_{action_id}")  # not a random one: the same draft is the same bytes
    return mail


class Smtp:
    """One mail a connection, to a server that is reached over TLS unless it is this machine."""

    name, looks_up, batch, pause_seconds = "smtp", False, 1, 0.2

    def __init__(
        self, host: str, port: int, *, security: str, user: str | None, password: str | None, sender: str
    ) -> None:
        """Raises UsageError where a password or a mail would go over the net in the clear."""
        if security == "none" and host not in LOOPBACK:
            raise UsageError(
                "RADAR_SMTP_SECURITY is none", "use starttls or ssl: only this machine may go without"
            )
        self._host, self._port, self._security = host, port, security
        self._user, self._password = user, password
        self._sender = parseaddr(sender)[1]

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Send it. Raises TroubleError; in doubt only where the whole message had been submitted."""
        (message,) = messages
        to = message.payload["to"]
        if not to or message.file is None:
            raise TroubleError("no contact who consented has an address", is_refusal=True)
        server, is_submitted = None, False
        try:
            server = self._connection()
            _expect(server.mail(self._sender), 250)
            _expect(server.rcpt(to), 250, 251)
            is_submitted = True
            _expect(server.data(message.file[1]), 250)
        except smtplib.SMTPResponseException as error:
            reply = error.smtp_error
            reply = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
            raise TroubleError(
                f"the mail server answered {error.smtp_code}: {reply}",
                may_pass=400 <= error.smtp_code < 500,
                is_refusal=error.smtp_code in _REFUSALS,
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            trouble = of_error(error)
            status = IN_DOUBT if is_submitted else FAILED
            raise TroubleError(str(trouble), status, may_pass=not is_submitted) from error
        finally:
            if server is not None:
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                server.close()
        return [Result(message.key, DELIVERED, remote_id=str(message.payload["message_id"]))]

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Nothing: SMTP cannot be asked."""
        return {}

    def _connection(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._security == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if self._security == "starttls":
            server.starttls(context=context)
            server.ehlo()
        if self._user and self._password:
            server.login(self._user, self._password)
        return server


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    if answer[0] not in codes:
        raise smtplib.SMTPResponseException(*answer)
