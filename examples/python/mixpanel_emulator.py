"""Starts the embedded Mixpanel for tests. It needs the command mixpanel, or its path in MIXPANEL_TOOL."""

import base64
import json
import os
import subprocess
import urllib.request


class Mixpanel:
    def __init__(self, *options):
        command = [os.environ.get("MIXPANEL_TOOL", "mixpanel"), "emulator", "--port", "0", "--data", ":memory:", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator ended with {self._process.wait()}")
        told = json.loads(line)  # its address and credentials
        self.address, self.token, self.project_id, self.environment = told["address"], told["token"], told["project_id"], told["environment"]
        account = f"{told['service_account_username']}:{told['service_account_secret']}"
        self._authorization = "Basic " + base64.b64encode(account.encode()).decode()

    def project(self, name, **settings):
        """Creates a separate project, so that tests can run in parallel."""
        return json.loads(self._ask("POST", "/emulator/projects", {"name": name, **settings}))["results"]

    def events(self, project_id=None):
        """The stored events, as Mixpanel exports them."""
        today = json.loads(self._ask("GET", "/emulator/clock"))["results"]["now"][:10]
        text = self._ask("GET", f"/api/2.0/export?from_date=1971-01-01&to_date={today}&project_id={project_id or self.project_id}")
        return [json.loads(line) for line in text.splitlines() if line]

    def requests(self):
        """The received requests, and why records were not stored."""
        return json.loads(self._ask("GET", "/emulator/requests"))["results"]

    def reset(self):
        self._ask("POST", "/emulator/reset")

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Authorization": self._authorization}, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.read().decode()
