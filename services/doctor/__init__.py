"""The doctor: is everything between this install and its people, disk and backends well?"""

from services.doctor.doctor import Doctor
from services.doctor.finding import ILL, Finding

__all__ = ["ILL", "Doctor", "Finding"]
