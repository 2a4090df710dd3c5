"""Signing in at the company's OpenID provider: authlib's client for Starlette, set up as the panel needs it.

Authorization code with PKCE; the ID token alone identifies the user. State, nonce, keys and claims are
authlib's. Belongs here: which provider, what of its answers is accepted, for how long it is asked. Does not
belong here: who may enter, and as what; that is in the panel's users.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from anyio import CapacityLimiter, fail_after
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from radar import DISTRIBUTION
from radar.core.errors import UsageError
from radar.panel import sessions
from radar.panel.settings import PanelSettings
from radar.panel.store import Store

RETURN_PATH = "/sign-in/return"
ATTEMPT_COOKIE = "__Host-radar-attempt"
"""What a browser keeps, signed, until it is back from the provider: authlib's state, the page asked for."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of accepted signatures, whatever the provider names: none can be made with what the panel itself knows."""

_ATTEMPT_SECONDS = 600
_LEEWAY = 30  # seconds that two clocks may differ
_TIMEOUT = 5  # seconds for all that one request of a browser asks the provider
_FRESH = 3600  # seconds for which its addresses and keys are used
_AT_ONCE = 8  # requests that ask it at a time; more wait for them, within the same seconds
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOCAL = ("127.0.0.1", "::1", "localhost")


class RefusedError(Exception):
    """Whoever returned is not accepted. The message is for the log: it names no person."""


class AwayError(Exception):
    """The provider cannot be asked now, or answers what nobody can use."""


class Provider:
    """The provider of the settings."""

    def __init__(self, settings: PanelSettings) -> None:
        self.issuer, self._client_id = settings.oidc_issuer, settings.oidc_client_id
        self.name = urlsplit(self.issuer).netloc
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._return = f"{settings.origin}{RETURN_PATH}"
        self._slots = CapacityLimiter(_AT_ONCE)
        self._found: Any = None
        self._found_at = float("-inf")

    async def redirect(self, request: Request) -> Response:
        """Send the browser there. Raises AwayError."""
        async with self._asked():
            client = await self._client()
            answer: Response = await client.authorize_redirect(request, self._return)
        return answer

    async def email(self, request: Request) -> str:
        """The verified e-mail address of who returned. Raises RefusedError and AwayError."""
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 an extra
        from joserfc.errors import JoseError  # noqa: PLC0415

        claims = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        try:
            async with self._asked():
                client = await self._client()
                token = await client.authorize_access_token(request, claims_options=claims, leeway=_LEEWAY)
            person = token["userinfo"]
        except (AuthlibBaseError, JoseError) as error:
            raise RefusedError(f"{type(error).__name__} {getattr(error, 'claim', '')}".strip()) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RefusedError(f"an answer that cannot be read: {type(error).__name__}") from None
        email = person.get("email")
        if not isinstance(email, str) or not email or person.get("email_verified") is not True:
            raise RefusedError("no verified e-mail address in the ID token")
        return email

    async def _client(self) -> Any:
        """authlib's client. It keeps addresses and keys for good: each hour a new one asks for them again."""
        if time.monotonic() - self._found_at > _FRESH:
            self._found, self._found_at = await self._discovered(), time.monotonic()
        return self._found

    async def _discovered(self) -> Any:
        """A client for what the provider publishes of itself, of which nothing else is used."""
        from authlib.integrations.starlette_client import OAuth  # noqa: PLC0415 an extra

        oauth, address = OAuth(), f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        network = {"timeout": _TIMEOUT, "follow_redirects": False}
        discovery = oauth.register("discovery", server_metadata_url=address, client_kwargs=network)
        try:
            found = await discovery.load_server_metadata()
            if found.get("issuer") != self.issuer:
                raise AwayError("it calls itself by another issuer")
            endpoints = {name: found.get(name) for name in _ENDPOINTS}
            if unsafe := [name for name, value in endpoints.items() if not _is_safe(value)]:
                raise AwayError(f"no https address for {', '.join(unsafe)}")
            methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        except (TypeError, ValueError) as error:
            raise AwayError(f"what it publishes of itself cannot be read: {type(error).__name__}") from None
        return oauth.register(
            "provider",
            client_id=self._client_id,
            client_secret=self._secret,
            **endpoints,
            id_token_signing_alg_values_supported=ALGORITHMS,
            client_kwargs={
                **network,
                "scope": "openid email",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": method,
            },
        )

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """One of the few places at which it is asked, for a few seconds in all. Raises AwayError."""
        from httpx2 import HTTPError, InvalidURL  # noqa: PLC0415 an extra

        try:
            with fail_after(_TIMEOUT):
                async with self._slots:
                    yield
        except (HTTPError, InvalidURL, TimeoutError) as error:
            raise AwayError(type(error).__name__) from None


def attempt_cookie(store: Store) -> Middleware:
    """What keeps authlib's state in the browser; any process of the panel reads what another one wrote."""
    from starlette.middleware.sessions import SessionMiddleware  # noqa: PLC0415 needs an extra

    return Middleware(
        SessionMiddleware,
        secret_key=sessions.attempt_key(store),
        session_cookie=ATTEMPT_COOKIE,
        max_age=_ATTEMPT_SECONDS,
        same_site="lax",
        https_only=True,
    )


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
        import authlib.integrations.starlette_client  # noqa: F401, PLC0415 an extra
        import httpx2  # noqa: F401, PLC0415
        import itsdangerous  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError(
            "sign-in by OpenID Connect needs a package that is not installed",
            f"pip install '{DISTRIBUTION}[oidc]'",
        ) from None
    return Provider(settings)


def _is_safe(address: Any) -> bool:
    """https, or this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return bool(parts.netloc) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    )
