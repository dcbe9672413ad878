"""Prices of one's own, and models without a price, from the file and the topic to the views and the command line."""

from __future__ import annotations

import json

from spanloom.agents.stages.unpriced import SHARE
from tests.integration.installation import Installation
from tests.integration.otlp import llm, message

_METRIC = "spanloom_unpriced_spans_total"


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


def test_metrics_show_no_texts_of_senders_and_one_project_takes_no_room_of_another(
    installation: Installation,
) -> None:
    worker = installation.worker()
    odd = [f"{number}: call 0171-{number} for Anna's <b>password</b>" for number in range(60)]
    flood = [f"flood-{number}" for number in range(150)]
    calls = [llm(1, number, gen_ai__request__model=model) for number, model in enumerate([*odd, *flood], 1)]
    installation.produce([message(*calls)], headers=[("spanloom-project", b"noisy")])
    installation.wait_for("SELECT count() AS n FROM spans", [{"n": 210}])
    before = {name for name in worker.metrics() if name.startswith(_METRIC)}
    assert len(before) == SHARE + 1
    shop = [llm(2, 1, gen_ai__request__model="house-1"), llm(2, 2, gen_ai__request__model="house-2")]
    installation.produce([message(*shop)], headers=[("spanloom-project", b"shop")])
    installation.wait_for("SELECT count() AS n FROM spans", [{"n": 212}])
    shown = {name: value for name, value in worker.metrics().items() if name.startswith(_METRIC)}
    labels = [f'{{model="{model}",provider="openai"}}' for model in ("house-1", "house-2", "other")]
    assert set(shown) - before == {_METRIC + each for each in labels[:2]}
    assert [shown[_METRIC + each] for each in labels] == [1, 1, 210 - SHARE]
    assert not [name for name in worker.metrics() if "Anna" in name or "password" in name]


def test_a_prices_file_with_a_slip_stops_the_start(installation: Installation) -> None:
    installation.settings["SPANLOOM_WORKER__PRICES_FILE"] = "/nowhere/prices.toml"
    assert installation.spanloom("worker", code=1) == (
        "SPANLOOM_WORKER__PRICES_FILE: /nowhere/prices.toml can't be read (No such file or directory): correct the"
        " path or its rights\n"
    )
