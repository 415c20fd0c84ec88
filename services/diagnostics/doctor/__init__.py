"""Checks the way between this install and its people, disk and backends; changes nothing and pays nothing."""

from services.diagnostics.doctor.doctor import Doctor
from services.diagnostics.doctor.finding import FAILED, Finding

__all__ = ["FAILED", "Doctor", "Finding"]
