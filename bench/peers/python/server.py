"""redis-websocket-api 0.4.4, with everything allowed and with boxes and projections."""

import sys

from redis_websocket_api import WebsocketHandler, WebsocketServer
from redis_websocket_api.geo_protocol import GeoCommandsMixin

from aioredis import from_url

port, redis_port = sys.argv[1:]


class Handler(WebsocketHandler, GeoCommandsMixin):
    allowed_commands = "SUB", "DEL", "PING", "GET", "BBOX", "PROJECTION"

    def channel_is_allowed(self, channel_name):
        return True


WebsocketServer(
    redis=from_url(f"redis://127.0.0.1:{redis_port}", encoding="utf-8", decode_responses=True),
    read_timeout=30,
    handler_class=Handler,
).listen(host="127.0.0.1", port=int(port), channel_patterns=["[a-z]*"])
