"""What a connector is: the interface between the engine and one product.

A connector declares its entities and what each operation guarantees (`Entity`), reads pages (`Page`),
and writes (`Write` → one `Outcome` per write, in order). Capabilities are data that the engine asks;
the engine never asks for a product's name. The contract suite in `tests/contract` holds every connector to this page.
"""

from landbridge.connector._base import Config, Connector
from landbridge.connector._cloudevents import CloudEvent, cloud_events
from landbridge.connector._entity import Entity, Field, Fields, FieldType, Grade, Waiver
from landbridge.connector._outcome import Accepted, Delivered, Found, Outcome
from landbridge.connector._page import Identity, KeyHash, Page, Row
from landbridge.connector._registry import Registration, Registry, connector
from landbridge.connector._webhook import Answer, Event
from landbridge.connector._window import Window
from landbridge.connector._write import Action, LineAction, LineWrite, Write

__all__ = [
    "Accepted",
    "Action",
    "Answer",
    "CloudEvent",
    "Config",
    "Connector",
    "Delivered",
    "Entity",
    "Event",
    "Field",
    "FieldType",
    "Fields",
    "Found",
    "Grade",
    "Identity",
    "KeyHash",
    "LineAction",
    "LineWrite",
    "Outcome",
    "Page",
    "Registration",
    "Registry",
    "Row",
    "Waiver",
    "Window",
    "Write",
    "cloud_events",
    "connector",
]
