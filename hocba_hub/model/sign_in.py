"""What proves who signs in: a password (argon2id, RFC 9106) and the code of a second factor (RFC 6238).

Pure: what is kept of either is a text that the caller stores.
"""

from __future__ import annotations

import hmac

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 200
"""Of a password: long enough for any sentence, short enough to cost nothing before it is hashed."""
_STEP_SECONDS = 30
_FEWEST_DIFFERENT = 5
_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("")
"""Compared with where a name has no password, so that the time of the answer does not tell which names exist."""


def hash_password(password: str) -> str:
    """What is kept of a password: its argon2id hash with salt and parameters, as one text."""
    return _HASHER.hash(password)


def is_password(kept: str | None, presented: str) -> bool:
    """Whether this is the password of which `kept` is left; takes its time either way."""
    try:
        return _HASHER.verify(kept or _NOBODYS, presented[:MOST_CHARACTERS]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_weak(password: str, name: str) -> bool:
    """Whether a password is too short or too long, holds the operator's name, or hardly any different characters.

    As NIST SP 800-63B section 5.1.1.2 has it: length counts, and no rule of which characters there must be.
    """
    fits = FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS
    return not fits or name.casefold() in password.casefold() or len(set(password)) < _FEWEST_DIFFERENT


def new_secret() -> str:
    """The secret of a new second factor: 160 random bits, base32."""
    return pyotp.random_base32()


def secret_uri(secret: str, name: str) -> str:
    """What an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="hocba-hub")


def step_of_code(secret: str, code: str, now: int) -> int | None:
    """Which step of time (30 s, since 1970) a code is of: this one or one beside it; None for any other.

    `now` is in milliseconds. A step must not be taken twice (RFC 6238 section 5.2); the caller sees to that.
    """
    this = now // 1000 // _STEP_SECONDS
    codes = pyotp.TOTP(secret)
    digits = "".join(code.split())
    steps = (this, this - 1, this + 1)
    return next((step for step in steps if hmac.compare_digest(codes.at(step * _STEP_SECONDS), digits)), None)
