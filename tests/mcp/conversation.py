"""A conversation by Python's `mcp`, unmodified, with server-everything or with mcp-server-time.

usage: conversation.py everything|time COMMAND ARGUMENT…   (the server to start)
"""

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters, stdio_client


async def everything(client: Client) -> None:
    """The earlier era."""
    await client.list_tools()
    await client.call_tool("echo", {"message": "é \U0001f600 \"quoted\""})
    await client.call_tool("get-sum", {"a": 2, "b": 0.5})
    await client.call_tool("get-structured-content", {"location": "New York"})
    await client.list_resources()
    await client.read_resource("demo://resource/static/document/features.md")
    await client.list_prompts()
    await client.get_prompt("simple-prompt")


async def time(client: Client) -> None:
    """The later era."""
    await client.list_tools()
    converted = {"source_timezone": "Europe/Berlin", "time": "12:30", "target_timezone": "Asia/Tokyo"}
    await client.call_tool("convert_time", converted)
    await client.call_tool("convert_time", {**converted, "time": "noon"})


async def main() -> None:
    """Talks, and goes. The era is said: left alone, the client tries the later one and falls back when a server is slow."""
    server = StdioServerParameters(command=sys.argv[2], args=sys.argv[3:], env={"PATH": os.environ["PATH"]})
    talk, era = {"everything": (everything, "legacy"), "time": (time, "2026-07-28")}[sys.argv[1]]
    async with Client(stdio_client(server), mode=era) as client:
        await talk(client)


asyncio.run(main())
