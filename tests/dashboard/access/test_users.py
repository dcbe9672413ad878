"""The users file, passwords, and how often one may try."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.access.cookies import Cookies
from spanloom.dashboard.access.passwords import Checker, hash_of, is_hash
from spanloom.dashboard.access.throttle import MOST_OF_ADDRESS, MOST_OF_BOTH, MOST_OF_NAME, WITHIN, Throttle
from spanloom.dashboard.access.users import User, UsersError, entry, from_toml

_HASH = hash_of("a good password")

_NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)


@given(_NAMES, st.lists(_NAMES, max_size=3), st.data())
def test_any_user_comes_back_as_written(name: str, projects: list[str], data: st.DataObject) -> None:
    forget = data.draw(st.lists(st.sampled_from(projects), max_size=3)) if projects else []
    (user,) = from_toml(entry(name, _HASH, projects, forget)).values()
    sees, forgets = (None if "*" in names else frozenset(names) for names in (projects, forget))
    assert user == User(name, _HASH, sees, forgets)


def test_nobody_may_forget_unless_the_file_says_so() -> None:
    (user,) = from_toml(entry("ada", _HASH, ["*"])).values()
    assert user.forgets == frozenset()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "it is not TOML"),
        ("a = " + "[" * 5000, "it is not TOML"),
        ("a = " + "9" * 5000, "it is not TOML"),
        ("a = 1", "tables [[user]] only"),
        ("user = 1", "tables [[user]] only"),
        ('[[user]]\nname = "a"', "user 1 must have name, projects"),
        ('[[user]]\nname = "a"\nprojects = []\nadmin = true', "user 1 must have name, projects"),
        ('[[user]]\nname = ""\nprojects = []', "user 1 needs a name"),
        ('[[user]]\nname = " a"\nprojects = []', "user 1 needs a name"),
        ('[[user]]\nname = "a"\nprojects = "all"', "user 1 needs projects"),
        ('[[user]]\nname = "a"\nprojects = [1]', "user 1 needs projects"),
        ('[[user]]\nname = "a"\nprojects = []\npassword = "hunter2"', "no argon2id hash"),
        ('[[user]]\nname = "a"\nprojects = ["p"]\nforget = "p"', "forget of user 1"),
        ('[[user]]\nname = "a"\nprojects = ["p"]\nforget = [["p"]]', "forget of user 1"),
        ('[[user]]\nname = "a"\nprojects = ["p"]\nforget = ["q"]', "forget of user 1"),
        ('[[user]]\nname = "a"\nprojects = ["p"]\nforget = ["*"]', "forget of user 1"),
        (
            '[[user]]\nname = "a"\nprojects = []\npassword = "$2b$12$abcdefghijklmnopqrstuv"',
            "no argon2id hash",
        ),
        ('[[user]]\nname = "a"\nprojects = []\n[[user]]\nname = "a"\nprojects = []', "user 2 has the name"),
    ],
)
def test_a_broken_file_is_one_sentence_without_secrets(text: str, sentence: str) -> None:
    with pytest.raises(UsersError) as raised:
        from_toml(text)
    assert sentence in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_hashes_are_argon2id_with_a_salt_of_their_own() -> None:
    assert _HASH.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hash_of("a good password") != _HASH
    assert is_hash(_HASH)
    assert not is_hash(_HASH.replace("argon2id", "argon2d"))


def test_nobody_has_no_password() -> None:
    async def tries() -> list[bool]:
        checker = Checker()
        return [
            await checker.fits("a good password", _HASH),
            await checker.fits("a bad password", _HASH),
            await checker.fits("", ""),
            await checker.fits("x" * 2000, _HASH),
        ]

    assert asyncio.run(tries()) == [True, False, False, False]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_tries_of_a_name_from_an_address_are_few_and_come_back() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(MOST_OF_BOTH):
        clock.now = float(number)
        assert throttle.wait("ada", "192.0.2.1") == 0
    assert throttle.wait("ada", "192.0.2.1") == WITHIN - clock.now
    assert throttle.wait("ADA", "192.0.2.1") > 0, "case does not make another name"
    assert throttle.wait("bob", "192.0.2.1") == 0
    clock.now = WITHIN
    assert throttle.wait("ada", "192.0.2.1") == 0


def test_one_address_can_not_try_many_names() -> None:
    throttle = Throttle(Clock())
    assert [throttle.wait(str(n), "2001:db8::1") for n in range(MOST_OF_ADDRESS)] == [0] * MOST_OF_ADDRESS
    assert throttle.wait("one more", "2001:db8::2") > 0, "the same network of 64 bits"
    assert throttle.wait("one more", "2001:db8:0:1::1") == 0


def test_many_addresses_can_not_try_one_name_for_ever() -> None:
    throttle = Throttle(Clock())
    assert not any(throttle.wait("ada", f"198.51.100.{n}") for n in range(MOST_OF_NAME))
    assert throttle.wait("ada", "203.0.113.1") > 0


def test_a_right_password_begins_anew_and_costs_others_nothing() -> None:
    throttle = Throttle(Clock())
    for _ in range(3 * MOST_OF_ADDRESS):
        assert throttle.wait("ada", "192.0.2.1") == 0
        throttle.succeeded("ada", "192.0.2.1")


def test_what_is_remembered_has_a_bound() -> None:
    throttle = Throttle(Clock())
    for number in range(15_000):
        throttle.wait(f"name {number}", f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    assert len(throttle._tries) <= 20_000


@given(st.text(max_size=200))
def test_any_text_as_a_cookie_is_nobodys(text: str) -> None:
    cookies = Cookies("s" * 32, 3600)
    assert cookies.read(text) is None


def test_a_login_is_good_for_its_time_only() -> None:
    user = User("ada", _HASH, None)
    value = Cookies("s" * 32, 3600).login(user)
    read = Cookies("s" * 32, 3600).read(value)
    assert read is not None
    assert read.name == "ada"
    assert read.is_of(user)
    assert not read.is_of(User("ada", hash_of("another"), None))
    assert Cookies("s" * 32, -1).read(value) is None
