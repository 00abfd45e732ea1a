"""Signing in and out: passwords, one-time links and invitations."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from adapters.accounts.links import Link, LinkPurpose
from adapters.http.web import Call, Moment, Reply, Routes, Unauthenticated
from adapters.http.web.authentication import (
    USERNAME,
    OlderName,
    Password,
    Role,
    Username,
    count_attempt,
    no_cookie,
    session_cookie,
)
from adapters.http.web.page_files import WELCOME, page_file
from adapters.http.web.writes import headers_of
from domain.base.actor import CLI
from domain.base.errors import Conflict, NotFound, RuleViolation
from domain.commands.accounts import actor_of, add_user, open_account, record_invitation, set_password, sign_in
from domain.commands.api_keys import require_more_than_a_key
from domain.events.account import User

routes = Routes("Accounts")


class Credentials(msgspec.Struct):
    """Name and password."""

    username: Annotated[str, Meta(max_length=1000)]
    password: Annotated[str, Meta(max_length=5000)]


class Session(msgspec.Struct):
    """A token to send as `Authorization: Bearer`; the cookie that comes with it serves the page."""

    token: str
    expires_at: Moment


class CodeQuery(msgspec.Struct):
    """Which link."""

    code: Annotated[str, Meta(max_length=200)] | None = None


class OpenLink(msgspec.Struct):
    """What a link is for: `first-admin` and `invitation` want a name and a password, `sign-in` nothing."""

    purpose: str
    role: str | None


class Welcome(msgspec.Struct):
    """The code of a one-time link, with the name and password of the account that it makes, where it makes one."""

    excludes: ClassVar = (USERNAME._replace(required=False),)

    code: Annotated[str, Meta(max_length=200)]
    username: Username | None = None
    name: OlderName | None = None
    password: Password | None = None


class Registration(msgspec.Struct):
    """An invitation's code, and the account to make."""

    excludes: ClassVar = (USERNAME,)

    code: Annotated[str, Meta(max_length=200)]
    password: Password
    username: Username | None = None
    name: OlderName | None = None


class Invitation(msgspec.Struct):
    """Whom to invite: the role, and the libraries granted, null for all."""

    role: Role = "viewer"
    libraries: list[int] | None = None


class Invited(msgspec.Struct):
    """The code to pass on, which works once and not for ever, and the address of the form that takes it."""

    code: str
    address: str


class Me(msgspec.Struct):
    """Who is signed in: `libraries` are the ids granted, null for all. `key` names the API key that was sent, and
    `role` is what it may do."""

    id: int
    username: str
    name: Annotated[str, Meta(description="as username, for clients of before")]
    role: str
    libraries: tuple[int, ...] | None
    version: int
    key: str | None


class NewPassword(msgspec.Struct):
    """The password of now, left out where there is none yet, and the new one."""

    password: Password
    current: Annotated[str, Meta(max_length=5000)] | None = None


@routes("POST", "/login", body=Credentials, answers=Session, role=None, errors=(401, 429))
def log_in(call: Call, body: Credentials) -> Reply:
    """Sign in with name and password: a token, and the same as a cookie for browsers."""
    _try(call, body.username)
    with call.dependencies.ledger.reading(CLI) as tables:
        user = tables.users.named(body.username)
    stored = None if user is None else user.password_hash
    if not call.dependencies.accounts.passwords.verify(stored, body.password) or user is None:
        raise Unauthenticated("the name or the password is wrong")
    call.dependencies.accounts.limits.succeeded(body.username, call.address)
    return _signed_in(call, user, "password")


@routes("POST", "/logout", role=None, status=204, records=False)
def log_out(call: Call) -> Reply:
    """Forget the cookie; tokens end by themselves, or with a new password."""
    return Reply(None, 204, {"Set-Cookie": no_cookie(call), "Cache-Control": "no-store"})


@routes("GET", "/welcome", query=CodeQuery, answers=OpenLink, role=None, errors=(404,), media_types=("text/html",))
def show_welcome(call: Call, query: CodeQuery) -> Reply:
    """The form of a one-time link, or as JSON what the link is for; it stays open, and `POST /welcome` uses it up."""
    if "application/json" not in call.headers.get("accept", ""):
        response = page_file(call.dependencies.page, WELCOME, call.headers)
        response.headers["Vary"] = "Accept"
        return Reply(response=response)
    if query.code is None:
        raise NotFound("this address lacks its code: open the link exactly as it was shown")
    link = call.dependencies.accounts.links.peek(query.code)
    return Reply(OpenLink(link.purpose, link.role), headers={"Cache-Control": "no-store", "Vary": "Accept"})


@routes("POST", "/welcome", body=Welcome, answers=Session, role=None, errors=(404, 409))
def welcome(call: Call, body: Welcome) -> Reply:
    """Use up a one-time link: sign in with it, or make the account that it stands for and sign in with that."""
    link = call.dependencies.accounts.links.peek(body.code)
    if link.purpose is LinkPurpose.SIGN_IN:
        with call.dependencies.accounts.links.consuming(body.code) as taken:
            return _signed_in(call, _user_of(call, taken), "link")
    return _made_account(call, body.code, link, body.username or body.name, body.password)


@routes("POST", "/register", body=Registration, answers=Session, role=None, errors=(404, 409))
def register(call: Call, body: Registration) -> Reply:
    """Make an account with an invitation, and sign in with it."""
    link = call.dependencies.accounts.links.peek(body.code)
    if link.purpose is not LinkPurpose.INVITATION:
        raise NotFound("this is no invitation; open the link as it was shown")
    return _made_account(call, body.code, link, body.username or body.name, body.password)


@routes("POST", "/invitations", body=Invitation, answers=Invited, role="admin", status=201)
def invite(call: Call, body: Invitation) -> Reply:
    """Invite someone: a code that makes one account of this role."""
    libraries = None if body.libraries is None else tuple(body.libraries)
    with call.dependencies.ledger.transaction(call.actor) as uow:
        operation_id = record_invitation(uow, body.role, libraries)
    code = call.dependencies.accounts.links.invite(body.role, libraries)
    return Reply(Invited(code, f"/welcome?code={code}"), 201, headers_of(operation_id))


@routes("GET", "/me", answers=Me)
def show_me(call: Call) -> Reply:
    """Who is signed in."""
    user = _known(call)
    return Reply(
        Me(
            id=user.id,
            username=user.name,
            name=user.name,
            role=call.actor.role,
            libraries=user.libraries,
            version=user.version,
            key=call.actor.key,
        )
    )


@routes("POST", "/me/password", body=NewPassword, answers=Session, errors=(401, 429))
def change_password(call: Call, body: NewPassword) -> Reply:
    """Set the own password: every other session ends, and this one goes on with a new token. API keys stay."""
    require_more_than_a_key(call.actor)
    user, passwords = _known(call), call.dependencies.accounts.passwords
    if user.password_hash is not None:
        _try(call, user.name)
        if not passwords.verify(user.password_hash, body.current or ""):
            raise RuleViolation("this is not the password of now", "current")
        call.dependencies.accounts.limits.succeeded(user.name, call.address)
    hashed = passwords.hash(body.password, user_name=user.name)
    with call.dependencies.ledger.transaction(call.actor) as uow:
        if open_account(uow, user.id).epoch != user.epoch:
            raise Unauthenticated("this session has ended: sign in again", "invalid_token")
        set_password(uow, user.id, hashed)
        changed = open_account(uow, user.id)
        operation_id = uow.operation_id
    return _session(call, changed, operation_id)


def _known(call: Call) -> User:
    if call.user is None:
        raise Unauthenticated("sign in first")
    return call.user


def _try(call: Call, name: str) -> None:
    """Count one attempt to prove who one is; raises `TooManyRequests` where it must wait."""
    count_attempt(call.dependencies.accounts.limits, name, call.address)


def _user_of(call: Call, link: Link) -> User:
    with call.dependencies.ledger.reading(CLI) as tables:
        user = tables.users.get(link.user_id or 0)
    if user is None:
        raise NotFound("the account that this link was made for is closed")
    return user


def _made_account(call: Call, code: str, link: Link, name: str | None, password: str | None) -> Reply:
    """Make the account that a link stands for. The password is hashed before the link is taken, and a refusal (the name
    is taken) leaves the link open."""
    if not name:
        raise RuleViolation("choose a name", "username")
    if not password:
        raise RuleViolation("choose a password", "password")
    hashed = call.dependencies.accounts.passwords.hash(password, user_name=name)
    with call.dependencies.accounts.links.consuming(code) as taken:
        with call.dependencies.ledger.transaction(CLI) as uow:
            if taken.purpose is LinkPurpose.FIRST_ADMIN and any(user.role == "admin" for user in uow.users.all()):
                raise Conflict("there is an admin already: ask them for an invitation, or sign in")
            role = "admin" if taken.purpose is LinkPurpose.FIRST_ADMIN else link.role or "viewer"
            libraries = None if taken.purpose is LinkPurpose.FIRST_ADMIN else taken.libraries
            user = open_account(uow, add_user(uow, name, role, hashed, libraries))
            operation_id = uow.operation_id
        return _signed_in(call, user, "link", operation_id)


def _signed_in(call: Call, user: User, by: str, operation_id: int | None = None) -> Reply:
    """Record that a user signed in, and start the session; the answer names that operation, or the one that made the
    account.

    Raises:
        Unauthenticated: the account was closed, or its password changed, meanwhile.
    """
    with call.dependencies.ledger.transaction(actor_of(user)) as uow:
        now = uow.users.get(user.id)
        if now is None or now.epoch != user.epoch:
            raise Unauthenticated("this account was closed, or its password changed, a moment ago: sign in again")
        sign_in(uow, now, by)
        operation_id = operation_id or uow.operation_id
    return _session(call, user, operation_id)


def _session(call: Call, user: User, operation_id: int | None) -> Reply:
    issued = call.dependencies.accounts.tokens.issue(user.id, user.epoch)
    expires = issued.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"Set-Cookie": session_cookie(call, issued), **headers_of(operation_id)}
    return Reply(Session(issued.token, expires), headers=headers)
