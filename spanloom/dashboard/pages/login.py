"""Logging in and out, where users have passwords here."""

from __future__ import annotations

import hmac
import math
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from spanloom.dashboard.access.cookies import FORM, LOGIN, cookie_name, new_nonce
from spanloom.dashboard.access.hosts import host_of
from spanloom.dashboard.access.identity import Forbidden, Identity, NotLoggedIn
from spanloom.dashboard.web.site import Site

_LONGEST_FORM = 16 * 1024  # bytes
_START = "/sessions"
_WRONG = "The name or the password is wrong."
_STALE = "The page was open for too long: try again."


async def login_page(site: Site, request: Request) -> Response:
    """Answer `GET /login`: the form, or the way on for who is logged in already."""
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
        Forbidden: it comes from another site, or there are no passwords here.
    """
    access = site.access
    if access.users is None or access.checker is None:
        raise Forbidden("Nobody logs in here")
    _same_site(request)
    form = await _fields(request)
    onward, name = _onward(form.get("next", "")), form.get("name", "").strip()
    nonce = request.cookies.get(cookie_name(FORM, _secure(request)), "")
    if not access.cookies.is_token(form.get("token", ""), nonce):
        return _form(site, request, onward, _STALE, name, 403)
    address = request.client.host if request.client else ""
    wait = access.throttle.wait(name, address)
    if wait > 0:
        said = f"Too many tries. Wait {math.ceil(wait / 60)} min, then try again."
        answer = _form(site, request, onward, said, name, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    user = access.users.get(name)
    if (
        not await access.checker.fits(form.get("password", ""), user.password_hash if user else "")
        or user is None
    ):
        return _form(site, request, onward, _WRONG, name, 401)
    access.throttle.succeeded(name, address)
    answer = RedirectResponse(onward, 303)
    _set(answer, request, LOGIN, access.cookies.login(user), access.cookies.seconds)
    _set(answer, request, FORM, "", 0)
    return answer


async def log_out(site: Site, request: Request) -> Response:
    """Answer `POST /logout`. Raises `Forbidden` where it does not come from our own page."""
    try:
        identity = site.access.identify(request)
    except NotLoggedIn:
        return RedirectResponse("/login", 303)
    _same_site(request)
    form = await _fields(request)
    given = form.get("token", "").encode()
    if not identity.form_token or not hmac.compare_digest(given, identity.form_token.encode()):
        raise Forbidden("This did not come from a page of the dashboard: log out with its button")
    answer = RedirectResponse("/login", 303)
    _set(answer, request, LOGIN, "", 0)
    return answer


def _form(
    site: Site, request: Request, onward: str, said: str = "", name: str = "", status: int = 200
) -> Response:
    nonce = new_nonce()
    request.state.identity = Identity("", frozenset())
    answer = site.page(
        request,
        "login.html",
        status,
        onward=onward,
        said=said,
        name=name,
        token=site.access.cookies.token(nonce),
    )
    _set(answer, request, FORM, nonce, 3600)
    return answer


def _onward(asked: str) -> str:
    """Where to go on: an address on this host, nothing else."""
    plain = asked.isprintable() and "\\" not in asked
    return asked if plain and asked.startswith("/") and not asked.startswith("//") else _START


def _same_site(request: Request) -> None:
    """Browsers say where a form was sent from; what another site sent is refused before anything is read of it."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or host_of(origin.partition("://")[2]) == host_of(
            request.headers.get("host", "")
        )
    if not own:
        raise Forbidden("This did not come from a page of the dashboard")


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


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _set(answer: Response, request: Request, name: str, value: str, seconds: int) -> None:
    secure = _secure(request)
    answer.set_cookie(
        cookie_name(name, secure),
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
