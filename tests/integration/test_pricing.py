"""Prices of one's own, and models without a price, from the file and the topic to the views and the command line."""

from __future__ import annotations

import json

from tests.integration.installation import Installation
from tests.integration.otlp import llm, message


def test_own_prices_go_first_and_models_without_one_are_listed(installation: Installation) -> None:
    prices = installation.folder / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "house-*"\ninput = 1\noutput = 2\n[[price]]\nmodel = "gpt-4o"\ninput = 3\noutput = 4\n'
    )
    installation.settings["SPANLOOM_WORKER__PRICES_FILE"] = str(prices)
    installation.settings["SPANLOOM_LIMITS__TEXT"] = "1024"
    worker = installation.worker()
    models = ("house-1", "gpt-4o", "gpt-4o-mini", "mystery")
    calls = [
        llm(1, number, tokens=1000, gen_ai__request__model=model, input__value="x" * 2000)
        for number, model in enumerate(models, 1)
    ]
    installation.produce([message(*calls)])
    installation.wait_for(
        "SELECT model, round(total_cost, 9) AS cost, priced, length(input) AS kept FROM spans ORDER BY span_id",
        [
            {"model": "house-1", "cost": 0.002, "priced": 1, "kept": 1024},
            {"model": "gpt-4o", "cost": 0.005, "priced": 1, "kept": 1024},
            {"model": "gpt-4o-mini", "cost": 0.00045, "priced": 1, "kept": 1024},
            {"model": "mystery", "cost": 0, "priced": 0, "kept": 1024},
        ],
    )
    assert worker.metrics()['spanloom_unpriced_spans_total{model="mystery",provider="openai"}'] == 1
    [unpriced] = json.loads(installation.spanloom("models", "--unpriced", "--json"))
    assert (unpriced["model"], unpriced["unpriced_call_count"], unpriced["total_tokens"]) == (
        "mystery",
        1,
        1500,
    )
    shown = installation.spanloom("models")
    assert all(model in shown for model in models)
    assert "1 model has calls whose cost is not known" in shown


def test_a_prices_file_with_a_slip_stops_the_start(installation: Installation) -> None:
    installation.settings["SPANLOOM_WORKER__PRICES_FILE"] = "/nowhere/prices.toml"
    assert installation.spanloom("worker", code=1) == (
        "SPANLOOM_WORKER__PRICES_FILE: /nowhere/prices.toml can't be read (No such file or directory): correct the"
        " path or its rights\n"
    )
