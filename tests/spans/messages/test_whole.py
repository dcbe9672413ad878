"""What a preview cut off is found again in the span's own text, in whatever form that is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.messages.whole import whole_words
from spanloom.spans.reading.span.previews import Chosen, message_preview, recorded_preview
from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.spans.text.values import valid_text

LONG = 'Wörter "und" 你好\n' * 600
FORMS = {
    "chat messages": (
        "user",
        json.dumps([{"role": "system", "content": "s"}, {"role": "user", "content": LONG}]),
    ),
    "parts": (
        "user",
        json.dumps([{"role": "user", "parts": [{"type": "text", "content": LONG}]}], ensure_ascii=False),
    ),
    "words": ("user", LONG),
    "a function's argument": ("user", json.dumps({"question": LONG, "top_k": 3})),
    "choices": ("assistant", json.dumps({"choices": [{"message": {"role": "assistant", "content": LONG}}]})),
    "an answer after a history": (
        "assistant",
        json.dumps([{"role": "user", "content": "x" * 9000}, {"role": "assistant", "content": LONG}]),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_whole_of_a_preview_is_found_in_any_form(form: str) -> None:
    side, text = FORMS[form]
    preview = (
        recorded_preview(text, side)  # type: ignore[arg-type]
        if form == "a function's argument"
        else message_preview(Chosen(text), side)  # type: ignore[arg-type]
    ).text
    assert len(preview) == PREVIEW_CHARACTERS
    # Of a function's arguments it is how their JSON begins that is shown.
    whole = text if text.startswith(preview) else LONG
    assert whole_words(text, side, preview).rstrip() == whole.rstrip()  # type: ignore[arg-type]


def test_what_another_span_said_is_not_taken_for_it() -> None:
    text = json.dumps([{"role": "user", "content": LONG}])
    assert whole_words(text, "user", "Another" + LONG[:4000]) == ""
    assert whole_words("not even { JSON", "user", LONG) == ""


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_any_words_are_found_whole(repeated: str, end: str) -> None:
    words = repeated * (PREVIEW_CHARACTERS // len(repeated) + 1) + end
    text = json.dumps([{"role": "user", "content": words}])
    preview = message_preview(Chosen(text), "user").text
    whole = whole_words(text, "user", preview)
    assert whole.startswith(preview)
    assert whole.rstrip().endswith(valid_text(end).rstrip())
