"""python3 -m unittest"""

import json
import unittest
import urllib.request

from mixpanel_emulator import Mixpanel


def track(api, token, event, **properties):
    """Stands for your code; the package mixpanel takes the address by Consumer(api_host=..., request_timeout=...)."""
    body = json.dumps([{"event": event, "properties": {"token": token, **properties}}]).encode()
    request = urllib.request.Request(f"{api}/track", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mixpanel = Mixpanel()
        cls.addClassCleanup(cls.mixpanel.stop)

    def test_an_order_is_tracked_with_its_total(self):
        project = self.mixpanel.project("orders")

        track(self.mixpanel.address, project["token"], "Order Placed", distinct_id="ada", total=59.9)

        (event,) = self.mixpanel.events(project["id"])
        self.assertEqual(("Order Placed", "ada", 59.9), (event["event"], event["properties"]["distinct_id"], event["properties"]["total"]))

    def test_what_is_not_kept_has_a_reason_although_the_answer_is_1(self):
        self.assertEqual("1", track(self.mixpanel.address, "no-such-token", "Order Placed"))

        records = self.mixpanel.requests()[-1]["records"]
        self.assertEqual((0, "no project has this token"), (records["kept"], records["not_kept"][0]["reason"]))


if __name__ == "__main__":
    unittest.main()
