"""Signing in at the company's OpenID provider: where a person is sent, and what is believed on their return.

Authorization code with PKCE; the ID token alone says who it is. Belongs here: talking with the provider. Does
not belong here: who may enter, and as what; that is in the panel's users.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from radar import DISTRIBUTION
from radar.core.errors import UsageError
from radar.panel.settings import PanelSettings

RETURN_PATH = "/sign-in/return"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of signatures that are believed: those that nobody can make with what the panel itself knows."""

_LEEWAY = 30  # seconds that two clocks may differ
_TIMEOUT = 5  # seconds for one answer of the provider
_FRESH = 3600  # seconds for which its addresses and keys are used
_PAUSE = 30  # seconds before keys are asked for again because of a token
_REST = 15  # seconds after a failure in which they are not asked for
_AT_ONCE = 8  # codes that are redeemed at a time; while the provider hangs, other threads go on serving pages
_LOCAL = ("127.0.0.1", "::1", "localhost")


class RefusedError(Exception):
    """Whoever returned is not believed. The message is for the log: it names no person."""


class AwayError(Exception):
    """The provider cannot be asked now, or answers what nobody can use."""


@dataclass(frozen=True)
class Attempt:
    """One way to the provider and back. Its browser alone keeps `seed`; all else comes of it."""

    seed: str

    @classmethod
    def new(cls) -> Attempt:
        """Another one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """Shows that whoever returns is who was sent."""
        return self._of("state")

    @property
    def nonce(self) -> str:
        """Shows that the ID token was made for this attempt."""
        return self._of("nonce")

    @property
    def verifier(self) -> str:
        """Shows that the code is redeemed by whom it was asked for (PKCE)."""
        return self._of("verifier")

    def _of(self, what: str) -> str:
        return hashlib.sha256(f"{what}\n{self.seed}".encode()).hexdigest()


class Provider:
    """The provider of the settings; safe for many threads."""

    def __init__(self, settings: PanelSettings) -> None:
        self.issuer, self._client_id = settings.oidc_issuer, settings.oidc_client_id
        self.name = urlsplit(self.issuer).netloc
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._return = f"{settings.origin}{RETURN_PATH}"
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._description, self._keys = _Answer(), _Answer()

    def address(self, attempt: Attempt) -> str:
        """Where to send the browser. Raises AwayError."""
        endpoint = self._endpoint("authorization_endpoint")
        url, _ = self._session().create_authorization_url(
            endpoint, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
        )
        return str(url)

    def email(self, attempt: Attempt, code: str) -> str:
        """The verified e-mail address of who returned with the code. Raises RefusedError and AwayError."""
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 an extra
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415
        from requests import RequestException  # noqa: PLC0415

        endpoint, session = self._endpoint("token_endpoint"), self._session()
        try:
            with self._place():
                token = session.fetch_token(
                    endpoint, grant_type="authorization_code", code=code, code_verifier=attempt.verifier,
                    timeout=_TIMEOUT, allow_redirects=False,
                )  # fmt: skip
            signed = self._verified(str(token["id_token"]))
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {
                    "nonce": attempt.nonce,
                    "client_id": self._client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=_LEEWAY)
        except RequestException as error:
            raise AwayError(type(error).__name__) from None
        except (AuthlibBaseError, JoseError) as error:
            raise RefusedError(
                f"{type(error).__name__} {getattr(error, 'claim', None) or ''}".strip()
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(f"an answer that cannot be read: {type(error).__name__}") from None
        email = claims.get("email")
        if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
            raise RefusedError("no verified e-mail address in the ID token")
        return email

    def _session(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415 an extra

        methods = self._described().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return OAuth2Session(
            self._client_id,
            self._secret,
            token_endpoint_auth_method="client_secret_basic"
            if "client_secret_basic" in methods
            else "client_secret_post",
            scope="openid email",
            redirect_uri=self._return,
            code_challenge_method="S256",
        )

    def _verified(self, token: str) -> Any:
        """The token, signed by a key of the provider; where it names a new one, they are asked for again."""
        from joserfc import jwt  # noqa: PLC0415 an extra
        from joserfc.errors import InvalidKeyIdError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        try:
            return jwt.decode(token, KeySet.import_key_set(self._key_set(_FRESH)), list(ALGORITHMS))
        except InvalidKeyIdError:
            return jwt.decode(token, KeySet.import_key_set(self._key_set(_PAUSE)), list(ALGORITHMS))

    def _described(self) -> dict[str, Any]:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = self._description.get(address, _FRESH)
        if found.get("issuer") != self.issuer:
            raise AwayError("it calls itself by another issuer")
        return found

    def _key_set(self, fresh: float) -> Any:
        return self._keys.get(self._endpoint("jwks_uri"), fresh)

    def _endpoint(self, name: str) -> str:
        address = self._described().get(name)
        if not isinstance(address, str) or not _is_safe(address):
            raise AwayError(f"no https address for {name}")
        return address

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=1):
            raise AwayError("too many ask at once")
        try:
            yield
        finally:
            self._places.release()


class _Answer:
    """A JSON object of the provider, asked for again when it is old; after a failure not at once.

    While the provider hangs, one thread waits for it and the others go on serving pages.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, Any] = {}
        self._found_at = self._failed_at = float("-inf")

    def get(self, address: str, fresh: float) -> dict[str, Any]:
        """The object, asked for at most `fresh` seconds ago. Raises AwayError."""
        if not self._lock.acquire(timeout=1):
            raise AwayError("too many ask at once")
        try:
            now = time.monotonic()
            if now - self._found_at > fresh:
                if now - self._failed_at < _REST:
                    raise AwayError("it did not answer a moment ago")
                self._failed_at = now
                self._found = _json(address)
                self._found_at, self._failed_at = now, float("-inf")
            return self._found
        finally:
            self._lock.release()


def _json(address: str) -> dict[str, Any]:
    import requests  # noqa: PLC0415 an extra

    try:
        answer = requests.get(address, timeout=_TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise AwayError(type(error).__name__) from None
    if not isinstance(found, dict):
        raise AwayError("an answer that is no object")
    return found


def provider(settings: PanelSettings) -> Provider | None:
    """The provider, None where none is set. Raises UsageError where it is set by half or cannot be used."""
    given = {
        "RADAR_PANEL_OIDC_ISSUER": settings.oidc_issuer,
        "RADAR_PANEL_OIDC_CLIENT_ID": settings.oidc_client_id,
        "RADAR_PANEL_OIDC_CLIENT_SECRET": settings.oidc_client_secret.get_secret_value(),
    }
    if not any(given.values()):
        return None
    missing = [name for name, value in {**given, "RADAR_PANEL_ORIGIN": settings.origin}.items() if not value]
    if missing:
        raise UsageError(
            f"sign-in by OpenID Connect is set by half: {', '.join(missing)} missing",
            "set all of them, or none of RADAR_PANEL_OIDC_*; the origin is the address that people use",
        )
    if not _is_safe(settings.oidc_issuer):
        raise UsageError(
            f"the issuer {settings.oidc_issuer} is no https address",
            "write it as the provider does: https://...",
        )
    try:
        import authlib.integrations.requests_client  # noqa: F401, PLC0415 an extra
    except ImportError:
        raise UsageError(
            "sign-in by OpenID Connect needs a package that is not installed",
            f"pip install '{DISTRIBUTION}[oidc]'",
        ) from None
    return Provider(settings)


def _is_safe(address: str) -> bool:
    """https, or this machine."""
    parts = urlsplit(address)
    return bool(parts.netloc) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    )
