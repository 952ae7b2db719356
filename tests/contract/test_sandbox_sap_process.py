"""The SAP sandbox as a process of its own: ready file, state that survives, a clean end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from sap_client import ORDERS, Client, order_body


def start(root: Path, folder: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox.sap_s4", "--state", str(folder / "state"), "--ready-file", str(ready)]
    process = subprocess.Popen([*command, "--system-id", "QAS", "--client", "200"], cwd=root, env=dict(os.environ))
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None, "the sandbox ended before it was ready"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, json.loads(ready.read_text())


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=15)


def test_a_process_keeps_its_state_over_a_restart_and_loses_its_sessions(root: Path, tmp_path: Path) -> None:
    process, info = start(root, tmp_path)
    try:
        assert (info["system_id"], info["client"]) == ("QAS", "200")
        office = f"{info['url']}/__sandbox__/office"
        customer = requests.post(f"{office}/seed_partner", json={"name": "Alfreds"}, timeout=5).json()["result"]
        product = {"number": "CHAI", "name": "Chai", "price": "18.00", "stock": 5}
        assert requests.post(f"{office}/seed_product", json=product, timeout=5).json()["result"] == "CHAI"
        client = Client(info["url"])
        number = client.create(ORDERS, "A_SalesOrder", order_body(customer, ("CHAI", "1")))["SalesOrder"]
        assert "SAP_SESSIONID_QAS_200" in client.http.cookies.get_dict()
    finally:
        assert stop(process) == 0
    process, info = start(root, tmp_path)
    try:
        client.url = info["url"]
        assert client.one(ORDERS, f"A_SalesOrder('{number}')")["TotalNetAmount"] == "18.00"
        assert client.send("POST", ORDERS, "A_SalesOrder", order_body(customer, ("CHAI", "1"))).status_code == 403
        client.fetch()
        later = client.create(ORDERS, "A_SalesOrder", order_body(customer, ("CHAI", "1")))
        assert int(later["SalesOrder"]) == int(number) + 1
    finally:
        assert stop(process) == 0
