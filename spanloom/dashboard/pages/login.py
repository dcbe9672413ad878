"""Logging in and out, where users have passwords here."""

from __future__ import annotations

import math
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from spanloom.dashboard.access.cookies import cookie_name
from spanloom.dashboard.access.identity import Forbidden, Identity, NotLoggedIn
from spanloom.dashboard.web.site import Site

_LONGEST_FORM = 16 * 1024  # bytes
_START = "/sessions"
_WRONG = "The name or the password is wrong."


async def login_page(site: Site, request: Request) -> Response:
    """Answer `GET /login`: the form, or the way on for somebody who is logged in already."""
    onward = _onward(request.query_params.get("next", ""))
    try:
        site.access.identify(request)
    except (NotLoggedIn, Forbidden):
        if site.access.has_login:
            return _form(site, request, onward)
    return RedirectResponse(onward, 303)


async def log_in(site: Site, request: Request) -> Response:
    """Answer `POST /login`.

    Raises:
        Forbidden: there are no passwords here.
    """
    access = site.access
    if access.users is None or access.checker is None:
        raise Forbidden("Nobody logs in here")
    form = await _fields(request)
    onward, name = _onward(form.get("next", "")), form.get("name", "").strip()
    address = request.client.host if request.client else ""
    wait = access.throttle.wait(name, address)
    if wait > 0:
        reason = f"Too many tries. Wait {math.ceil(wait / 60)} min, then try again."
        answer = _form(site, request, onward, reason, name, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    user = access.users.contents().get(name)
    if (
        not await access.checker.fits(form.get("password", ""), user.password_hash if user else "")
        or user is None
    ):
        return _form(site, request, onward, _WRONG, name, 401)
    access.throttle.succeeded(name, address)
    answer = RedirectResponse(onward, 303)
    _set_login(answer, request, access.cookies.login(user), access.cookies.seconds)
    return answer


async def log_out(site: Site, request: Request) -> Response:
    """Answer `POST /logout`."""
    answer = RedirectResponse("/login", 303)
    if site.access.has_login:
        _set_login(answer, request, "", 0)
    return answer


def _form(
    site: Site, request: Request, onward: str, reason: str = "", name: str = "", status: int = 200
) -> Response:
    request.state.identity = Identity("", frozenset())
    return site.page(request, "login.html", status, onward=onward, reason=reason, name=name)


def _onward(asked: str) -> str:
    """Where to go on: an address on this host, nothing else."""
    plain = asked.isprintable() and "\\" not in asked
    return asked if plain and asked.startswith("/") and not asked.startswith("//") else _START


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_FORM:
            raise Forbidden("This is too long for a form of the dashboard")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise Forbidden("This is no form of the dashboard") from None


def _set_login(answer: Response, request: Request, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(
        cookie_name(secure),
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
