"""In place of the package aioredis, whose last release does not run on today's Python: its code lives on in redis-py."""

from redis.asyncio import from_url as from_url
