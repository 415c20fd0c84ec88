"""The doctor: is everything between this install and its people, disk and backends well?"""

from services.diagnostics.doctor.doctor import Doctor
from services.diagnostics.doctor.finding import ILL, Finding

__all__ = ["ILL", "Doctor", "Finding"]
