"""Expressions: a typed subset of Python's, checked against the catalogue and compiled once.

An expression is true, false or unknown. A field that an event does not carry is unknown; so is everything computed or
compared from it, division by zero, and `previous`, `changed`, `age` where there is nothing to look back on.
`and`, `or` and `not` follow Kleene: `unknown and false` is false, `unknown or true` is true, else unknown stays.
"""

from rules.expressions.checking import Complaint, Fields, check, fields_in
from rules.expressions.compiling import (
    ALWAYS,
    NEVER,
    Getter,
    Predicate,
    Reader,
    Truthful,
    Valuer,
    compile_any,
    compile_truth,
    compile_value,
)
from rules.expressions.tree import Truth, Value, fields_of, looks_back

__all__ = [
    "ALWAYS",
    "NEVER",
    "Complaint",
    "Fields",
    "Getter",
    "Predicate",
    "Reader",
    "Truth",
    "Truthful",
    "Value",
    "Valuer",
    "check",
    "compile_any",
    "compile_truth",
    "compile_value",
    "fields_in",
    "fields_of",
    "looks_back",
]
