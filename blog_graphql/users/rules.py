"""What a username, an email, a password and a profile may be.

Each check adds to the problems of an input, and tells whether the text passed.
"""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from blog_graphql.validation import Problems

MIN_USERNAME_LENGTH = 3
MAX_USERNAME_LENGTH = 50
MAX_EMAIL_LENGTH = 255
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
MAX_FULL_NAME_LENGTH = 100
MAX_BIO_LENGTH = 10_000

_USERNAME = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9_.-]{{{MIN_USERNAME_LENGTH - 1},{MAX_USERNAME_LENGTH - 1}}}"
)


def is_username(text: str) -> bool:
    """Whether a text can be a username as it stands."""
    return _USERNAME.fullmatch(text) is not None


def check_username(problems: Problems, text: str, *field: str) -> bool:
    """Check a username: ASCII letters, digits, ``_``, ``.`` and ``-``."""
    if is_username(text):
        return True
    problems.invalid(
        f"{field[-1]} must have {MIN_USERNAME_LENGTH} to {MAX_USERNAME_LENGTH} characters out "
        "of A-Z, a-z, 0-9, _, . and -, and begin with a letter or a digit.",
        *field,
    )
    return False


def check_email(problems: Problems, text: str, *field: str) -> bool:
    """Check the syntax of an email address; nobody is asked whether it receives mail."""
    if not problems.check_text(text, *field, longest=MAX_EMAIL_LENGTH):
        return False
    if _is_email(text):
        return True
    problems.invalid(f"{field[-1]} must be an email address, such as jane@example.org.", *field)
    return False


def check_password(problems: Problems, text: str, *field: str) -> bool:
    """Check the length of a new password; what it is made of is its owner's business."""
    return problems.check_text(
        text, *field, shortest=MIN_PASSWORD_LENGTH, longest=MAX_PASSWORD_LENGTH
    )


def check_full_name(problems: Problems, text: str, *field: str) -> bool:
    """Check a full name."""
    return problems.check_text(text, *field, longest=MAX_FULL_NAME_LENGTH)


def check_bio(problems: Problems, text: str, *field: str) -> bool:
    """Check what somebody says of themselves."""
    return problems.check_text(text, *field, longest=MAX_BIO_LENGTH)


def _is_email(text: str) -> bool:
    # Names such as localhost and .test, which the library refuses by a list for the whole
    # process, are below another domain names like any other.
    return _is_public_email(text) or _is_public_email(f"{text}.example")


def _is_public_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True
