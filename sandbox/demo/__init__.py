"""A company to demonstrate with: its masters and orders in both sandboxes, its people at work, and its own audit."""

from sandbox.demo._audit import differences
from sandbox.demo._company import Company, Customer, Line, Order, Product, Supplier
from sandbox.demo._generate import generate
from sandbox.demo._northwind import read_northwind
from sandbox.demo._world import World

__all__ = [
    "Company",
    "Customer",
    "Line",
    "Order",
    "Product",
    "Supplier",
    "World",
    "differences",
    "generate",
    "read_northwind",
]
