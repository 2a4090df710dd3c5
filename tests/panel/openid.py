"""An OpenID provider on this machine, as strict as real ones, that can be made to answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "radar-panel", "a secret & more"


@cache
def rsa_key(kid: str, number: int = 1) -> RSAKey:
    """A key of that name; another number makes another one."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Provider:
    """`who` is signed in there. `spoil` changes the claims of a token, `sign` makes it in another way."""

    address: str = ""
    who: dict[str, Any] = field(default_factory=lambda: {"email": "Ada@example.com", "email_verified": True})
    spoil: Callable[[dict[str, Any]], None] = lambda claims: None
    key: RSAKey = field(default_factory=lambda: rsa_key("one"))
    sign: Callable[[dict[str, Any]], str] | None = None
    issuer: str = ""
    published: list[RSAKey] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    """Path -> where a request for it is redirected to."""
    answers: dict[str, Any] = field(default_factory=dict)
    """Path -> what is answered there instead."""
    asked: list[str] = field(default_factory=list)

    def authorize(self, asked: dict[str, str]) -> str:
        """The address that a browser is sent back to, once the person there has agreed."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = f"code-{len(self.codes)}-{time.time_ns()}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """What a code is good for, once; None for one that is not."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or authorization != f"Basic {expected}"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or encoded(challenge) != asked["code_challenge"]
        ):
            self.refused.append(form.get("code", ""))
            return None
        now = int(time.time())
        claims = {
            "iss": self.address, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **self.who,
        }  # fmt: skip
        self.spoil(claims)
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self.sign(claims) if self.sign else self.signed(claims),
        }

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer or self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def keys(self) -> Any:
        return KeySet(self.published).as_dict(private=False)


@contextmanager
def served() -> Iterator[Provider]:
    provider = Provider()
    provider.published = [provider.key]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if self.answered_otherwise(parts.path):
                return
            if parts.path == "/authorize":
                self.send_response(302)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            elif parts.path == "/keys":
                self.say(200, provider.keys())
            else:
                assert parts.path == "/.well-known/openid-configuration"
                self.say(200, provider.described())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            provider.asked.append(self.path)
            if self.answered_otherwise(self.path):
                return
            fields = {name: values[0] for name, values in form.items()}
            found = provider.token(fields, self.headers.get("Authorization", ""))
            self.say(200 if found else 400, found or {"error": "invalid_grant"})

        def answered_otherwise(self, path: str) -> bool:
            if path in provider.moved:
                self.send_response(307)
                self.send_header("Location", provider.moved[path])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path in provider.answers:
                self.say(200, provider.answers[path])
            return path in provider.moved or path in provider.answers

        def say(self, status: int, what: Any) -> None:
            body = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
