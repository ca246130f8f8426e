"""The description of the API holds, for every operation."""

from __future__ import annotations

import collections
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import CHECKS, load_all_checks

from gateway.api.auth import PUBLIC, role_of
from gateway.api.openapi import every_route
from tests.api.conftest import bearer
from tests.api.core_double import CoreDouble


def test_every_route_is_described_with_its_role_and_its_credentials(app: Any) -> None:
    document = app.openapi()
    for path, route in every_route(app.routes):
        if not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"][path][method.lower()]
            assert operation["x-role"] == role_of(route)
            assert operation.get("description"), f"{method} {path} has no docstring"
            assert ("security" in operation) is (role_of(route) != PUBLIC)
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            good = [code for code in operation["responses"] if code.startswith("2")]
            assert good, f"{method} {path} says nothing of success"
            if len(good) > 1:
                told = {operation["responses"][code]["description"] for code in good if code != "200"}
                assert len(told) == len([code for code in good if code != "200"]), f"{method} {path}: what is which?"
                assert "Successful Response" not in told, f"{method} {path}: {good}"
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas and "Problem" in schemas
    assert schemas["Alert"]["properties"]["raised_at"] == {
        "type": "string",
        "format": "date-time",
        "title": "Raised At",
    }
    assert set(document["components"]["securitySchemes"]) == {"session", "token", "device"}


def test_operations_have_names_of_their_own(app: Any) -> None:
    names = [operation["operationId"] for item in app.openapi()["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


#: Checks left out: our own tests pin what they guess at. Positive data may well be refused (an unknown device, a
#: device that exists), and a GET with nothing to refuse is not negative.
_LEFT_OUT = {"positive_data_acceptance", "use_after_free", "ensure_resource_availability"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fault_085_no_operation_breaks_its_own_description(app: Any, core: CoreDouble) -> None:
    load_all_checks()
    checks = [check for check in CHECKS.get_all() if check.__name__ not in _LEFT_OUT]
    assert len(checks) >= 8, checks
    answers: collections.Counter[int] = collections.Counter()
    document = app.openapi()
    # A stream never ends, so it has tests of its own.
    paths = {path: item for path, item in document["paths"].items() if not path.endswith("/stream")}
    schema = schemathesis.openapi.from_dict({**document, "paths": paths})
    schema.app = app

    @schema.auth()
    class Signed:
        def get(self, case: Any, context: Any) -> dict[str, str]:
            return bearer("admin")

        def set(self, case: Any, data: dict[str, str], context: Any) -> None:
            case.headers = {**(case.headers or {}), **data}

    failures = []
    for result in schema.get_all_operations():
        found: Any = result
        operation = found.ok()

        @hypothesis.settings(
            max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answers[case.call_and_validate(checks=checks).status_code] += 1

        try:
            ask()
        except BaseExceptionGroup as group:
            failures += [f"{operation.label}: {error}" for error in group.exceptions]
        except Exception as error:
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(str(failure)[:1500] for failure in failures)
    assert answers.total() > 300 and answers[200] > 50 and answers[422] > 50, answers
