"""All tables and procedures of this meter. For the host; the device has the compiled model."""

from tables.basic import (
    clock,
    display,
    general,
    log,
    nameplate,
    procedures,
    profile,
    register_copies,
    registers,
    security,
    sources,
    status,
)
from tables.extended import (
    configuration,
    control,
    demand,
    dimensions_tables,
    hardware,
    interface,
    lon,
    mep,
    mep_data,
    mep_logs,
    mep_transactions,
    outages,
    outputs,
    profile_display,
    quality,
    system,
    tariff,
    transactions,
    utility,
)
from tables.extended import display as extended_display
from tables.extended import log as extended_log
from tables.extended import profile as internal_profile
from tables.extended import status as meter_status

_MODULES = (
    general,
    status,
    procedures,
    nameplate,
    sources,
    register_copies,
    registers,
    display,
    security,
    clock,
    profile,
    log,
    utility,
    system,
    transactions,
    dimensions_tables,
    interface,
    configuration,
    meter_status,
    control,
    outputs,
    tariff,
    demand,
    quality,
    hardware,
    outages,
    internal_profile,
    profile_display,
    extended_display,
    extended_log,
    mep,
    mep_data,
    mep_logs,
    mep_transactions,
    lon,
)


def _all(name):
    found = []
    for module in _MODULES:
        found.extend(getattr(module, name, ()))
    return tuple(found)


TABLES = _all("TABLES")
PROCEDURES = _all("PROCEDURES")
