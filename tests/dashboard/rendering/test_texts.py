"""What a text is decides how it reads: Markdown, code, JSON, a conversation; long ones fold."""

from __future__ import annotations

import json

from spanloom.dashboard.rendering.budget import Budget
from spanloom.dashboard.rendering.texts import attribute_html, prose, value_html
from tests.dashboard.rendering.reader import read


def shown(text: str, side: str = "user") -> str:
    html = str(value_html(text, Budget(), side))  # type: ignore[arg-type]
    read(html)
    return html


def test_markdown_reads_well() -> None:
    html = shown(
        "# Title\n\nSome **bold** `code`\nnext line\n\n- one\n- two\n\n|a|b|\n|-|-:|\n|1|2|\n\n~~gone~~"
    )
    for part in (
        "<h4>Title</h4>",
        "<strong>bold</strong>",
        "<code>code</code>",
        "<br",
        "<li>one</li>",
        "<s>gone</s>",
    ):
        assert part in html
    assert '<td class="right">2</td>' in html
    assert "style=" not in html


def test_headings_leave_no_level_out() -> None:
    html = shown("## Found\n\n#### Deep\n\n### Next\n\n# Top\n\n## Below")
    for part in ("<h4>Found", "<h5>Deep", "<h5>Next", "<h4>Top", "<h5>Below"):
        assert part in html


def test_code_keeps_its_lines_and_names_its_language() -> None:
    html = shown("Here:\n\n```python\nif a < b:\n    print('<b>')\n```\n")
    assert "<figcaption>python</figcaption>" in html
    assert "if a &lt; b:\n    print(&#39;&lt;b&gt;&#39;)\n" in html


def test_links_lead_to_the_web_and_images_are_not_loaded() -> None:
    html = shown(
        "[a](https://x.example/?q=1&r=2) [b](mailto:x@y.example) ![pic](https://x.example/p.png) [c](/x)"
    )
    assert read(html).links == ["https://x.example/?q=1&r=2", "mailto:x@y.example", "https://x.example/p.png"]
    assert "<img" not in html
    assert "[c](/x)" in html


def test_json_folds() -> None:
    html = shown('{"a": [1, null, true, "x"], "b": {}}')
    seen = read(html)
    assert html.count("<details") == 2
    assert "".join(seen.text) == '{2}a: [4]0: 11: null2: true3: "x"b: {}'


def test_json_beyond_the_budget_says_how_much_is_left() -> None:
    html = str(attribute_html(json.dumps(list(range(50))), Budget(nodes=10)))
    assert "… 40 more" in html
    assert "… 40 more" in str(attribute_html(json.dumps({f"k{n}": n for n in range(50)}), Budget(nodes=10)))


def test_a_json_text_is_its_words() -> None:
    assert "<p>Answer <em>25</em></p>" in shown('"Answer *25*"')


def test_json_cut_short_and_numbers_are_text() -> None:
    assert "<details" not in shown('{"a": [1, 2')
    assert "<p>42</p>" in shown("42")
    assert shown("") == shown("  \n ") == ""


def test_messages_are_a_conversation() -> None:
    messages = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "function": {"name": "get", "arguments": '{"a": "b"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    html = shown(json.dumps(messages))
    assert (
        html.index('class="turn user"')
        < html.index('class="turn assistant"')
        < html.index('class="turn tool"')
    )
    assert "Tool call <code><bdi>get</bdi></code>" in html
    assert "Tool result" in html


def test_of_a_very_long_conversation_the_first_and_last_turns_are_there() -> None:
    html = shown(json.dumps([{"role": "user", "content": f"turn {n}."} for n in range(1000)]))
    assert "turn 0." in html
    assert "turn 999." in html
    assert "turn 500." not in html
    assert "800 messages are not shown here" in html


def test_long_texts_fold_and_are_there_whole() -> None:
    words = "word " * 1_000
    html = shown(words)
    assert "Show all 5,000 characters" in "".join(read(html).text)
    assert html.count("word") == 1_000
    assert "Show all" not in shown("short")
    assert "Show all" in shown("line\n" * 30)


def test_all_of_a_megabyte_is_there() -> None:
    text = "".join(f"{n:07} " for n in range(2**17))
    html = str(prose(text, Budget()))
    shown = "".join(read(html).text)
    assert text in shown.replace("998,576 more characters", "")
    assert "998,576 more characters" in shown


def test_each_text_says_its_own_direction() -> None:
    assert 'dir="auto"' in shown("مرحبا")
    assert 'dir="ltr"' in shown('{"مرحبا": 1}')
