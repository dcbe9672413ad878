"""A stand-in for the APIs of language models whose usage is known beforehand.

The n-th answer used 50+7n input and 20+3n output tokens, with parts inside or beside them as the API counts them
(each API's own file says which), and says "Answer n: about '<last user message>', here is what I found."
The last user message decides what happens:

* it names a word of an offered tool (`get_weather`, "the weather in Rome"): the tool is called, once;
* it contains "please fail": HTTP 500, not to be retried by the client;
* it contains "fail once": HTTP 500, not to be retried by the client, the first time it is asked.

A failed call is no answer: it takes no number. Every call is one JSON line in the log, so that truth
can be worked out from what was asked and answered, never from telemetry.

    python -m tests.recordings.llm_server --port 8600 --log calls.jsonl

To add an API: a file of its own with a class like those in `chat.py`, and a line in `apis.py`.
"""

from tests.recordings.llm_server.calls import Json
from tests.recordings.llm_server.server import client_variables, serve

__all__ = ["Json", "client_variables", "serve"]
