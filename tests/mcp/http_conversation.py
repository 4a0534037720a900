"""A conversation with server-everything over Streamable HTTP by Python's `mcp`, unmodified: what it heard.

usage: http_conversation.py URL   (TOKEN says by which token)
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def main() -> None:
    """Talks, prints what it heard, and goes."""
    token = os.environ.get("TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(sys.argv[1], http_client=http)
        async with Client(transport, mode="legacy") as client:
            tools = sorted(tool.name for tool in (await client.list_tools()).tools)
            said = [
                await client.call_tool("echo", {"message": 'é \U0001f600 "quoted"'}),
                await client.call_tool("get-sum", {"a": 2, "b": 0.5}),
                await client.call_tool("get-structured-content", {"location": "New York"}),
                await client.get_prompt("simple-prompt"),
                await client.read_resource("demo://resource/static/document/features.md"),
            ]
    heard = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in said]
    print(json.dumps({"tools": tools, "said": heard}))


asyncio.run(main())
