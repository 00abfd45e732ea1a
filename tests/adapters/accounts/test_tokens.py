"""Sign-in tokens: only what this server issued, unchanged and in time, is believed."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.accounts.tokens import AUDIENCE, ISSUER, LIFETIME, Claims, Flaw, InvalidToken, Tokens
from domain.base.errors import RuleViolation

KEY = secrets.token_urlsafe(48)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "7",
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 60,
    "jti": "one",
    "epoch": 3,
}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEY, now=lambda: NOON)


def flaw(tokens: Tokens, token: str) -> Flaw:
    with pytest.raises(InvalidToken, match="sign in again") as caught:
        tokens.verify(token)
    return caught.value.flaw


def signed(changes: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    payload = json.dumps({**GOOD, **(changes or {})}).encode()  # PyJWT itself would not encode each of these
    return jwt.PyJWS().encode(payload, key, algorithm=algorithm, headers=headers)


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_an_issued_token_tells_who_and_since_which_epoch(tokens: Tokens) -> None:
    token, expires_at = tokens.issue(7, 3)
    claims = tokens.verify(token)
    assert claims == Claims(7, 3, claims.jti, NOON, NOON + LIFETIME)
    assert expires_at == claims.expires_at
    assert claims.jti != tokens.verify(tokens.issue(7, 3).token).jti


def test_the_shape_that_the_other_tests_bend_is_itself_good(tokens: Tokens) -> None:
    assert tokens.verify(signed()) == Claims(7, 3, "one", NOON, NOON + timedelta(seconds=60))


def test_a_token_ends_exactly_when_it_said() -> None:
    now = NOON
    tokens = Tokens(KEY, now=lambda: now)
    token, expires_at = tokens.issue(7, 3, timedelta(minutes=5))
    assert expires_at == NOON + timedelta(minutes=5)
    now = expires_at - timedelta(microseconds=1)
    tokens.verify(token)
    now = expires_at
    assert flaw(tokens, token) is Flaw.EXPIRED


def test_an_expired_token_is_refused_by_the_real_clock_too() -> None:
    past = int(datetime.now(UTC).timestamp()) - 1
    assert flaw(Tokens(KEY), signed({"iat": past - 60, "exp": past})) is Flaw.EXPIRED
    assert Tokens(KEY).verify(Tokens(KEY).issue(7, 3).token).user_id == 7


def test_a_clock_that_is_behind_the_issuers_does_not_refuse_its_token(tokens: Tokens) -> None:
    ahead = int(NOON.timestamp()) + 5
    assert tokens.verify(signed({"iat": ahead})).issued_at == NOON + timedelta(seconds=5)


def test_any_changed_character_is_noticed(tokens: Tokens) -> None:
    token = tokens.issue(7, 3).token
    header, payload, signature = token.split(".")
    richer = json.loads(base64.urlsafe_b64decode(payload + "=="))
    richer["sub"] = "1"
    assert flaw(tokens, f"{header}.{part(richer)}.{signature}") is Flaw.NOT_OURS
    for position in range(0, len(token) - 1, 7):
        other = "A" if token[position] != "A" else "B"
        flaw(tokens, token[:position] + other + token[position + 1 :])


def test_a_token_of_another_key_is_not_ours(tokens: Tokens) -> None:
    assert flaw(tokens, signed(key=secrets.token_urlsafe(48))) is Flaw.NOT_OURS


@pytest.mark.parametrize("name", ["none", "None", "NONE", "HS512", "RS256", "hs256", ""])
def test_a_token_that_names_another_algorithm_is_not_believed(tokens: Tokens, name: str) -> None:
    token = signed()
    _, payload, signature = token.split(".")
    header = part({"alg": name, "typ": "JWT"})
    assert flaw(tokens, f"{header}.{payload}.") in (Flaw.NOT_OURS, Flaw.MALFORMED)
    assert flaw(tokens, f"{header}.{payload}.{signature}") in (Flaw.NOT_OURS, Flaw.MALFORMED)


def test_a_token_of_a_stronger_algorithm_with_our_key_is_not_believed_either() -> None:
    key = secrets.token_urlsafe(96)
    assert flaw(Tokens(key, now=lambda: NOON), signed(key=key, algorithm="HS512")) is Flaw.NOT_OURS


@pytest.mark.parametrize(
    ("claim", "value"),
    [("aud", "someone-else"), ("aud", ""), ("aud", None), ("aud", 5), ("iss", "someone-else"), ("iss", "")],
)
def test_a_token_from_or_for_someone_else_is_refused(tokens: Tokens, claim: str, value: object) -> None:
    assert flaw(tokens, signed({claim: value})) in (Flaw.NOT_OURS, Flaw.MALFORMED)


def test_a_list_of_audiences_with_ours_among_them_is_not_ours(tokens: Tokens) -> None:
    assert flaw(tokens, signed({"aud": [AUDIENCE, "other"]})) is Flaw.NOT_OURS


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_a_token_without_one_of_its_claims_is_refused(tokens: Tokens, claim: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != claim}
    flaw(tokens, jwt.encode(claims, KEY, algorithm="HS256"))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", "-1"),
        ("sub", "٣"),
        ("sub", ""),
        ("sub", "9" * 30),
        ("sub", "7; DROP"),
        ("epoch", "3"),
        ("epoch", True),
        ("epoch", 3.0),
        ("epoch", -1),
        ("epoch", None),
        ("exp", 1e300),
        ("exp", 10**30),
        ("exp", True),
        ("iat", "now"),
        ("iat", 10**30),
        ("jti", 5),
    ],
)
def test_a_claim_of_another_type_is_refused_even_with_a_good_signature(
    tokens: Tokens, claim: str, value: object
) -> None:
    assert flaw(tokens, signed({claim: value})) is Flaw.MALFORMED


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer x",
        "\x00",
        "ä.ö.ü",
        "\ud800",
        "x" * 1_000_000,
        f"{part([])}.{part({})}.",
        f"{part(b'[' * 700)}.e30.",
        f"{part(b'{' * 3000)}.e30.",
    ],
)
def test_what_is_no_token_is_called_that(tokens: Tokens, token: str) -> None:
    assert flaw(tokens, token) is Flaw.MALFORMED


def test_a_header_of_nothing_but_brackets_is_no_token_however_deep_the_caller_stands(tokens: Tokens) -> None:
    def deeper(steps: int) -> Flaw:
        return deeper(steps - 1) if steps else flaw(tokens, f"{part(b'[' * 700)}.e30.")

    assert deeper(400) is Flaw.MALFORMED


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_or_gets_in(text: str) -> None:
    flaw(Tokens(KEY, now=lambda: NOON), text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["alg", "typ", "crit", "b64", "kid"]), inner),
        max_leaves=5,
    )
)
def test_no_header_breaks_the_reader_or_gets_in(header: object) -> None:
    flaw(Tokens(KEY, now=lambda: NOON), f"{part(header)}.{part(GOOD)}.{part(b'x' * 32)}")


def test_a_critical_extension_that_is_not_understood_is_refused(tokens: Tokens) -> None:
    flaw(tokens, signed(crit=["exotic"], exotic=1))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(RuleViolation, match="at least 32 bytes"):
        Tokens("k" * 31)
    Tokens("k" * 32)


def test_the_refusal_does_not_repeat_the_token(tokens: Tokens) -> None:
    token = tokens.issue(7, 3, timedelta(0)).token
    with pytest.raises(InvalidToken) as caught:
        tokens.verify(token)
    assert token not in str(caught.value)
