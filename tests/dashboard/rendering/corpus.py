"""Texts that try to get out of a page, or to be too much for it."""

from __future__ import annotations

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg/onload=window.pwned=1>",
    "\"><img src=x onerror='window.pwned=1'>",
    "'><svg onload=window.pwned=1>",
    "</textarea></title></style></script><script>window.pwned=1</script>",
    "<!--><script>window.pwned=1</script>",
    "<![CDATA[<script>window.pwned=1</script>]]>",
    "<a href=javascript:window.pwned=1>x</a>",
    "[x](javascript:window.pwned=1)",
    "[x](JaVaScRiPt:window.pwned=1)",
    "[x](java\tscript:window.pwned=1)",
    "[x](&#106;avascript:window.pwned=1)",
    "[x](javascript&colon;window.pwned=1)",
    "[x](\x01javascript:window.pwned=1)",
    "[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example/x)",
    "[x](/logout)",
    "[x](#main)",
    "[x](file:///etc/passwd)",
    "![x](javascript:window.pwned=1)",
    "![x](http://evil.example/pixel.png)",
    "![x](data:image/svg+xml,<svg onload=window.pwned=1>)",
    '[x](http://a.example/"onmouseover="window.pwned=1)',
    '[x](http://a.example "title\\"onmouseover=window.pwned=1")',
    "<http://a.example/><javascript:window.pwned=1>",
    "[a]: javascript:window.pwned=1\n\n[a]",
    "[![i](http://evil.example/i.png)](http://a.example)",
    '```"><script>window.pwned=1</script>\ncode\n```',
    "```html\n<script>window.pwned=1</script>\n```",
    "`</code><script>window.pwned=1</script>`",
    "|a|\n|:-:|\n|<script>window.pwned=1</script>|",
    "{{ 7*7 }}{% for x in y %}${7*7}#{7*7}<%= 7*7 %>{{constructor.constructor('window.pwned=1')()}}",
    "%s %(x)s {0} {x} {0.__class__.__mro__} {!r}",
    '{"__proto__": {"x": "<script>window.pwned=1</script>"}, "<img src=x onerror=window.pwned=1>": 1}',
    '[{"role": "<script>window.pwned=1</script>", "content": "<img src=x onerror=window.pwned=1>"}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"javascript:window.pwned=1"}}]}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/svg+xml;base64,PHN2Zz4="}}]}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":'
    '"data:image/png;base64,AA==\\" onerror=\\"window.pwned=1"}}]}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://evil.example/i.png\\"><script>"}}]}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example\\\\@evil.example/i.png"}}]}]',
    '[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"javascript:window.pwned=1","format":"wav"}}]}]',
    '[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":'
    '"PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==","format":"\\"><script>"}}]}]',
    '[{"role":"user","content":[{"type":"file","file":{"filename":"../\\"><script>window.pwned=1</script>.html",'
    '"file_data":"data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg=="}}]}]',
    '[{"role":"user","content":[{"type":"document","title":"<img src=x onerror=window.pwned=1>","source":'
    '{"type":"text","media_type":"text/html","data":"<script>window.pwned=1</script>"}}]}]',
    '[{"role":"user","content":['
    '{"inlineData":{"mimeType":"image/png\\" onerror=\\"window.pwned=1","data":"PHN2Zz4="}}]}]',
    '[{"role":"user","content":[{"type":"image_url","image_url":{"url":'
    '"@@@langfuseMedia:type=<script>|id=\\" onerror=\\"window.pwned=1|source=x@@@"}}]}]',
    '[{"role":"assistant","tool_calls":[{"id":"\\"><script>",'
    '"function":{"name":"<svg onload=x>","arguments":"{\\"<b>\\":1}"}}]}]',
    "\u202e\u2066 drow \u202d gpj.exe \u2067\u2068 \u200f",
    "\0 \x01 \x08 \x1b[31m \x7f \x85 \ufffe \ufeff",
    "\ud800 alone \udfff",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "العربية עברית ﷽ mixed with English (and brackets) 123",
    "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪",
    "\u2028\u2029</script><script>window.pwned=1</script>",
)
"""Each of them a text of its own, and together one."""

LARGE = {
    "a word of a megabyte": "x" * 2**20,
    "lines of a megabyte": "line <b> & so on\n" * 2**16,
    "open brackets": "[" * 2**20,
    "open brackets of Markdown": "![" * 5_900,
    "emphasis": "*a_ " * 2_900,
    "quotes": "> " * 2**19,
    "lists": "\n- " * 3_900,
    "tables": "a|b\n-|-\n" + "|\n" * 5_900,
    "deep lists in JSON": "[" * 100_000 + "]" * 100_000,
    "deep objects in JSON": '{"a":' * 150 + "1" + "}" * 150,
    "deeper objects in JSON": '{"a":' * 900 + "1" + "}" * 900,
    "many members": "{" + ",".join(f'"k{n}": {n}' for n in range(60_000)) + "}",
    "many items": "[" + "1," * 400_000 + "1]",
    "many messages": "["
    + ",".join(['{"role": "user", "content": "**hi** [x](http://y.example)"}'] * 12_000)
    + "]",
    "many parts": '[{"role": "user", "content": ['
    + ",".join(['{"type": "text", "text": "*a*"}'] * 25_000)
    + "]}]",
    "a message of a megabyte": '[{"role": "user", "content": "' + "**a** " * 170_000 + '"}]',
    "a number of many digits": "[" + "1" * 100_000 + "]",
    "a deep message": '[{"role":"user","content":'
    + '[{"type":"text","content":' * 90
    + '"x"'
    + "}]" * 90
    + "}]",
}
"""Each must be shown, in bounded time and in a page of bounded size."""
