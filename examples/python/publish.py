"""Publishes two events to RabbitMQ, from which `mixpanel consume` sends them to Mixpanel. pip install pika

    python publish.py amqp://localhost/events
"""
import json
import os
import sys
import time
import urllib.parse
import uuid

import pika

address = urllib.parse.urlsplit(sys.argv[1])
*vhost, queue = [urllib.parse.unquote(part) for part in address.path[1:].split("/")]
user = pika.PlainCredentials(os.environ.get("MIXPANEL_QUEUE_USERNAME", "guest"), os.environ.get("MIXPANEL_QUEUE_PASSWORD", "guest"))
connection = pika.BlockingConnection(pika.ConnectionParameters(address.hostname, address.port or 5672, vhost[0] if vhost else "/", user))
channel = connection.channel()
channel.confirm_delivery()  # from here on, publishing waits until the broker has confirmed the message, or raises

events = [
    {"event": name, "properties": {"time": int(time.time()), "distinct_id": "ann", "$insert_id": uuid.uuid4().hex}}
    for name in ("Signed Up", "Invited a Friend")
]
channel.basic_publish(
    exchange="",
    routing_key=queue,
    body="\n".join(json.dumps(event) for event in events),
    properties=pika.BasicProperties(
        content_type="application/x-ndjson", delivery_mode=2, message_id=str(uuid.uuid4()), headers={"mixpanel-version": 1}
    ),
    mandatory=True,
)
connection.close()
print(f"{len(events)} events are in {queue}.")
