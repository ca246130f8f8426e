"""Everything after the rules engine: alerts, work orders, emergency plans, commands, passes. Pure state machines."""

from gateway.services.desk import Desk
from gateway.services.ids import JournalIds
from gateway.services.plan_book import PlanBook, PlanDefinition
from gateway.services.plan_reading import PlanBookError, read_plans
from gateway.services.ports import IdSource, RuleBook, RuleInfo
from gateway.services.safety import Safety
from gateway.services.safety_reading import SafetyError, read_safety
from gateway.services.settings import DeskSettings

__all__ = [
    "Desk",
    "DeskSettings",
    "IdSource",
    "JournalIds",
    "PlanBook",
    "PlanBookError",
    "PlanDefinition",
    "RuleBook",
    "RuleInfo",
    "Safety",
    "SafetyError",
    "read_plans",
    "read_safety",
]
