"""All tables of this meter. For the host; the device has the compiled model."""

from tables.basic import clock, general, procedures, profile, registers, sources, status
from tables.extended import profile as internal_profile
from tables.extended import system, utility

TABLES = (
    general.TABLES
    + status.TABLES
    + procedures.TABLES
    + sources.TABLES
    + registers.TABLES
    + clock.TABLES
    + profile.TABLES
    + utility.TABLES
    + system.TABLES
    + internal_profile.TABLES
)
