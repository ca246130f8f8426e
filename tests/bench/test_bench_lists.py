"""`gatehouse bench lists` on a small year. Nothing here asks how fast the machine is."""

from __future__ import annotations

from gateway.api.app import create_app
from gateway.api.auth import PREFIX
from gateway.api.settings import ApiSettings, Definitions
from gateway.app.bench.lists import LISTS, lists
from gateway.catalogue import load_catalogue
from gateway.store.queries import Reader

SUMS = ["list_page_p95_ms", "kpi_month_s", "alert_report_month_s"]


def test_every_list_is_measured_and_the_reports() -> None:
    told: list[str] = []
    report = lists(300, 200, 300, 2, told.append)
    names = [one.name for one in report.figures]
    assert names[:3] == SUMS and told
    assert len(names) == 3 + 2 * sum(len(filters) for filters in LISTS.values())
    assert all(one.value > 0 for one in report.figures)
    assert all((one.target is None) is one.name.endswith("CPU") for one in report.figures)
    assert report.figures[0].value >= max(one.value for one in report.figures if one.name.endswith("a page of 100"))


def test_no_list_of_the_api_and_none_of_its_filters_is_left_out() -> None:
    reader = Reader("sqlite://")
    settings = ApiSettings(definitions=Definitions(catalogue=load_catalogue()))
    app = create_app(settings, reader, None)  # type: ignore[arg-type]
    measured = {path.replace("al-000000001", "{id}").replace("device-7", "{id}").replace("/site/", "/{name}/"): filters
                for path, filters in LISTS.items()}  # fmt: skip
    paged = 0
    for path, methods in app.openapi()["paths"].items():
        words = {one["name"] for one in methods.get("get", {}).get("parameters", [])}
        if "cursor" in words:
            paged += 1
            asked = "&".join(measured[path.removeprefix(PREFIX)])
            filters = words - {"cursor", "limit", "format", "reveal", "ended", "id", "name"}
            assert not {word for word in filters if f"{word}=" not in asked}, path
    assert paged > 15
    reader.close()
