"""When a flow's DAG runs: by the clock, and when another flow wrote what its records wait for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Asset

    from landbridge.settings import Flow

_DAY = 24 * 60


def asset_of(entity: str) -> Asset:
    """The asset of an entity: changed when any flow wrote records of it anywhere."""
    from airflow.sdk import Asset

    return Asset(name=entity, uri=f"x-landbridge://entity/{entity}")


def schedule_of(flow: Flow) -> Any:
    """The timetable of a flow; with the assets of its parents where its records wait for some, None if disabled."""
    from airflow.sdk import AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, DeltaTriggerTimetable

    if not flow.enabled:
        return None
    cron = cron_of(flow.extract.every)
    timetable: Any = DeltaTriggerTimetable(flow.extract.every)
    if cron:  # the first run ever waits for the next round time; Airflow would make up for the one before
        timetable = CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))
    parents = parents_of(flow)
    if not parents:
        return timetable
    return AssetOrTimeSchedule(timetable=timetable, assets=AssetAny(*(asset_of(entity) for entity in parents)))


def parents_of(flow: Flow) -> list[str]:
    """The entities that the records of a flow wait for in a target."""
    return sorted({entity for route in flow.deliver for entity in route.after})


def cron_of(every: timedelta) -> str | None:
    """The cron expression that comes as often, at round times; None where there is none."""
    seconds = every.total_seconds()
    minutes = int(seconds // 60)
    if seconds != minutes * 60 or minutes < 1:
        return None
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"
    hours = minutes // 60
    if minutes % 60 == 0 and hours < 24 and 24 % hours == 0:
        return f"0 */{hours} * * *" if hours > 1 else "0 * * * *"
    return "0 0 * * *" if minutes == _DAY else None
