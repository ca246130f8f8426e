"""The outcome of timeline tests as JUnit XML, which continuous integration reads."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from rules.testing import Report


def junit(report: Report) -> str:
    """One case a test, and one error for each problem that keeps a pack from being loaded."""
    failed = sum(not result.passed for result in report.results)
    total = len(report.results) + len(report.problems)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="gatehouse rules" tests="{total}" failures="{failed}" errors="{len(report.problems)}">',
    ]
    for result in report.results:
        place = f"name={quoteattr(result.name)} file={quoteattr(result.file)} line={quoteattr(str(result.line))}"
        lines.append(f"  <testcase classname={quoteattr(result.rule)} {place}>")
        if not result.passed:
            lines.append(f'    <failure message="it went otherwise">{_text(chr(10).join(result.story))}</failure>')
        lines.append("  </testcase>")
    for problem in report.problems:
        lines.append(f'  <testcase classname="pack" name={quoteattr(problem.file)}>')
        lines += [f"    <error message={quoteattr(problem.message)}>{_text(str(problem))}</error>", "  </testcase>"]
    return "\n".join([*lines, "</testsuite>", ""])


def _text(text: str) -> str:
    """Text as XML 1.0 may hold it."""
    return escape("".join(letter if letter >= " " or letter in "\n\t" else "?" for letter in text))
