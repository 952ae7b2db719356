"""`landbridge steward serve` as a process of its own: its address, its token, its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import requests


def test_it_serves_on_this_machine_alone_with_a_token_of_its_own(root: Path, tmp_path: Path, database_url: str) -> None:
    for part in ("config", "mappings", "schemas"):
        shutil.copytree(root / part, tmp_path / part)
    (tmp_path / "config/landbridge.yaml").write_text("store: {url: env:HUB_STORE}\n", encoding="utf-8")
    ready = tmp_path / "ready.json"
    environ = {
        **os.environ, "HUB_STORE": database_url.replace("postgresql+psycopg://", "postgresql://"),
        "CRM_TEST_URL": "http://127.0.0.1:9", "CRM_TEST_CLIENT_ID": "k", "CRM_TEST_CLIENT_SECRET": "c4n4ry-secret",
        "ERP_TEST_URL": "http://127.0.0.1:9", "ERP_TEST_CLIENT": "100", "ERP_TEST_USER": "U",
        "ERP_TEST_PASSWORD": "c4n4ry-password", "LANDBRIDGE_STATE": str(tmp_path / "state"),
    }  # fmt: skip
    command = [sys.executable, "-c", "from landbridge.cli import main; main()", "--environment", "test"]
    command += ["steward", "serve", "--port", "0", "--ready-file", str(ready), "--log-level", "debug"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 90
        while not ready.exists():
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline, "it does not come up"
            time.sleep(0.05)
        told = json.loads(ready.read_text(encoding="utf-8"))
        assert told["pid"] == process.pid and told["url"].startswith("http://127.0.0.1:")
        file = tmp_path / "state" / "steward.token"
        token = file.read_text(encoding="utf-8")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and told["token"] == f"file:{file}"
        address = f"{told['url']}/v1/customer/queue"
        assert requests.get(address, timeout=20).status_code == 401
        shown = {"Authorization": f"Bearer {token}"}
        asked = requests.get(address, headers=shown, timeout=20)
        assert (asked.status_code, asked.json()) == (200, [])
        file.write_text("another-token-of-this-test", encoding="utf-8")
        assert requests.get(address, headers=shown, timeout=20).status_code == 401, "a changed token holds at once"
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM), err.decode()
    assert token.encode() not in out + err and b"listening" in out + err
