"""The Python SDK's client, unmodified, driven by lines of JSON: a model on the other side sees tools and their results.

usage: client.py COMMAND ARGUMENT…   (the MCP server to start; its environment is ours)
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters, stdio_client


async def answer(client: Client, ask: dict) -> object:
    """Does what one line asks."""
    if ask["do"] == "list":
        return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in (await client.list_tools()).tools]
    result = await client.call_tool(ask["name"], ask["arguments"])
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main() -> None:
    """Reads one ask a line until the input ends, and writes one answer a line."""
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with Client(stdio_client(server)) as client:
        print(json.dumps({"ready": True}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            ask = json.loads(line)
            try:
                reply = {"id": ask["id"], "result": await answer(client, ask)}
            except Exception as error:  # the model is told, whatever it is
                reply = {"id": ask["id"], "error": str(error)}
            print(json.dumps(reply), flush=True)


asyncio.run(main())
