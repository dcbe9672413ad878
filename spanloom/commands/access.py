"""Who may send and who may read: API keys and users."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from spanloom.commands.console import Stop, app, problems, utf8
from spanloom.commands.packages import need_dashboard

users_app = typer.Typer(name="users", help="Who may log in to the dashboard.", no_args_is_help=True)
app.add_typer(users_app)


@users_app.command("new")
def new_user(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    project: Annotated[
        list[str] | None, typer.Option("--project", help="A project they may see; repeat it for several.")
    ] = None,
    all_projects: Annotated[bool, typer.Option("--all-projects", help="They may see every project.")] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            "--may-forget",
            help="A project whose data they may have forgotten; repeatable, * for all they see.",
        ),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password instead of making one.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="Append to this users file (it may be new).")
    ] = None,
) -> None:
    """Make a user. A made password is shown once; only its hash is kept."""
    need_dashboard()
    from spanloom.dashboard.access import passwords
    from spanloom.dashboard.access.projects import ALL
    from spanloom.dashboard.access.users import UsersError, entry, from_toml

    for text in (name, *(project or ()), *(forget or ())):
        utf8(text)
    if bool(project) == all_projects:
        raise Stop("say what the user may see: --project NAME, once or more, or --all-projects", code=2)
    if ask:
        password = typer.prompt("password", hide_input=True, confirmation_prompt="once more")
        if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
            raise Stop(f"the password must have {passwords.SHORTEST} to {passwords.LONGEST} characters")
    else:
        password = secrets.token_urlsafe(15)
    sees = [ALL] if all_projects else list(project or ())
    lines = entry(name, passwords.hash_of(password), sees, sees if forget == [ALL] else forget or ())
    try:
        from_toml(lines)
        if file is not None:
            _append(file, lines, from_toml)
    except UsersError as error:
        raise Stop(f"the user can't be added: {error}") from None
    except OSError as error:
        raise Stop(f"{file} can't be written ({error.strerror}): choose another --file") from None
    if not ask:
        typer.echo(f"password: {password}")
    if file is None:
        problems.print(
            "Add this to the users file of the dashboard (SPANLOOM_DASHBOARD__USERS_FILE):\n", highlight=False
        )
        typer.echo(lines)


keys_app = typer.Typer(
    name="keys", help="API keys, which applications send to the receiver.", no_args_is_help=True
)
app.add_typer(keys_app)


@keys_app.command("new")
def new_key(
    project: Annotated[str, typer.Argument(help="The project that the key's spans belong to.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="Append the hash to this keys file (it may be new).")
    ] = None,
) -> None:
    """Make an API key. It is shown once; only its hash is kept."""
    from spanloom.receiver.keys import KeysError, entry, from_toml
    from spanloom.receiver.keys import new_key as make

    utf8(project)
    key = make()
    lines = entry(project, key)
    try:
        from_toml(lines)
        if file is not None:
            _append(file, lines, from_toml)
    except KeysError as error:
        raise Stop(f"the key can't be added: {error}") from None
    except OSError as error:
        raise Stop(f"{file} can't be written ({error.strerror}): choose another --file") from None
    typer.echo(f"key: {key}")
    if file is None:
        problems.print(
            "Add this to the keys file of the receiver (SPANLOOM_RECEIVER__KEYS_FILE):\n", highlight=False
        )
        typer.echo(lines)


def _append(file: Path, lines: str, parse: Callable[[str], object]) -> None:
    """Append an entry to a file that a server may be reading; `parse` must take the whole.

    Written behind what is there, never anew: a reader sees the old entries, at worst with half of a new one behind
    them, which it refuses and reads again. Owner, mode and links stay, which replacing the file would change.
    """
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
    except UnicodeDecodeError:
        raise Stop(f"{file} is not UTF-8: save it as UTF-8, or choose another --file") from None
    more = ("\n" if before else "") + lines
    parse(before + more)
    file.touch(0o600)
    with file.open("a", encoding="utf-8") as out:
        out.write(more)
