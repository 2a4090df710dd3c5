"""What identifies a person, or opens a door, taken out of a text: the one function that does it.

A net under the plan, which is to keep ids and counts: it takes out what it recognizes by its form, such as an
e-mail address in the reason of an override or a token in the error of a service.
"""

from __future__ import annotations

import re
from collections.abc import Callable

EMAIL, PHONE, CARD, ACCOUNT, TAX_NUMBER, SECRET = "(e-mail)", "(phone)", "(card)", "(iban)", "(ssn)", "***"

_TOKENS = re.compile(
    r"https?://hooks\.slack\.com/\S+"
    r"|(?<=://)[^/\s@]+:[^/\s@]+(?=@)"  # the credentials in a URL
    r"|\bxox[a-z]-[\w-]+|\bxapp-[\w-]+"  # Slack
    r"|\bpat-\w+-[\w-]+"  # HubSpot
    r"|\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_\w+"  # Stripe
    r"|\bsk-[\w-]{16,}"
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w+|\bglpat-[\w-]{16,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\bradar_mcp_[\w-]{16,}"  # Radar's own
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # JSON web tokens
    r"|\bBearer\s+\S+"
)
_NAMED_SECRETS = re.compile(
    r"(\b(?:pass(?:word|wd|phrase)?|pwd|token|(?:api|access)[ _-]?key|(?:client[ _-]?)?secret)\s*[=:]\s*)"
    r"[^\s,;&\"']+",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s@<>()\",;:]+@[^\s@<>()\",;:]+\.[^\s@<>()\",;:]+")
_TAX_NUMBER = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_BRANDS = re.compile(
    r"4\d{12}(?:\d{3})?|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d|35\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
)
"""Card numbers as their issuers give them. Digits in one piece that pass the check but begin otherwise are
taken for an id: of random ids of 16 digits, one in ten passes it."""
_DATE = r"(?!\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d))"
_PHONE = re.compile(
    rf"(?<![\w+])\+[1-9](?:[ ().\u00a0/-]{{0,3}}\d){{7,13}}(?!\w)"  # +49 (0)30 1234567
    rf"|(?<![\w.-])00[1-9]\d{{0,2}}[ ./-](?:[ ()./-]{{0,2}}\d){{6,12}}(?!\w)"  # 0049 30 1234567
    rf"|(?<![\w./-]){_DATE}\(?0\d{{1,5}}\)?[ ./-]{{1,2}}\d(?:[ ./-]?\d){{4,9}}(?![\w-])"  # 030 1234567
    rf"|(?<![\w.-])(?:1[ .-])?(?:\(\d{{3}}\) ?|\d{{3}}[ .-])\d{{3}}[ .-]\d{{4}}(?![\w-])"  # (555) 123-4567
)
_NAMED_PHONES = re.compile(
    r"(\b(?:tel(?:efon|ephone)?|phone|mobile|mobil|cell|handy|fax|whatsapp|call(?: \w+ at)?)\b[.:]{0,2}\s*)"
    r"\+?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text with addresses, phone, card, account and tax numbers and secrets replaced by their kind."""
    text = _TOKENS.sub(SECRET, text)
    text = _NAMED_SECRETS.sub(rf"\g<1>{SECRET}", text)
    text = _EMAIL.sub(EMAIL, text)
    text = _TAX_NUMBER.sub(TAX_NUMBER, text)
    text = _ACCOUNT.sub(_where(_is_account, ACCOUNT), text)
    text = _CARD.sub(_where(_is_card, CARD), text)
    text = _NAMED_PHONES.sub(rf"\g<1>{PHONE}", text)
    return _PHONE.sub(PHONE, text)


def _where(is_one: Callable[[str], bool], instead: str) -> Callable[[re.Match[str]], str]:
    return lambda match: instead if is_one(match[0]) else match[0]


def _is_card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    return _passes_luhn(digits) and (digits != text or _BRANDS.fullmatch(digits) is not None)


def _passes_luhn(digits: str) -> bool:
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    total = sum(map(int, digits[-1::-2])) + sum(value // 10 + value % 10 for value in doubled)
    return total % 10 == 0


def _is_account(text: str) -> bool:
    """The check of ISO 13616: the number, its first four characters moved to the end, is 1 modulo 97."""
    plain = text.replace(" ", "")
    digits = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(digits) % 97 == 1
