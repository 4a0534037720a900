"""A conversation of the later era (2026-07-28) by Python's `mcp`, unmodified: what it heard.

usage: later_conversation.py URL   (TOKEN says by which token)
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent

ASKED: list[str] = []
PROGRESS: list[list[float | None]] = []


async def elicited(_context: object, params: object) -> ElicitResult:
    """Answers what people are asked."""
    ASKED.append(getattr(params, "message", ""))
    return ElicitResult(action="accept", content={"name": "Ines", "ok": True, "color": "blue", "context": "none"})


async def sampled(_context: object, _params: object) -> CreateMessageResult:
    """Answers what a model is asked."""
    ASKED.append("sampling/createMessage")
    return CreateMessageResult(role="assistant", model="none", content=TextContent(type="text", text="Paris."))


async def progressed(progress: float, total: float | None, _message: str | None) -> None:
    """Hears how far a call is."""
    PROGRESS.append([progress, total])


async def main() -> None:
    """Talks, prints what it heard, and goes."""
    token = os.environ.get("TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(sys.argv[1], http_client=http)
        callbacks = {"elicitation_callback": elicited, "sampling_callback": sampled}
        async with Client(transport, mode="auto", **callbacks) as client:
            version = client.protocol_version
            tools = sorted(tool.name for tool in (await client.list_tools()).tools)
            said = [
                await client.call_tool("test_simple_text", {}),
                await client.call_tool("test_error_handling", {}),
                await client.call_tool("test_mirrored", {"region": "eu-wést "}),
                await client.call_tool("test_tool_with_progress", {}, progress_callback=progressed),
                await client.call_tool("test_input_required_result_elicitation", {}),
                await client.call_tool("test_input_required_result_sampling", {}),
                await client.call_tool("test_input_required_result_multi_round", {}),
                await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "é"}),
                await client.read_resource("test://template/7/data"),
            ]
            async with client.listen(tools_list_changed=True) as changes:
                said.append(await client.call_tool("test_trigger_tool_change", {}))
                changed = type(await anext(aiter(changes))).__name__
    heard = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in said]
    told = {"tools": tools, "version": version, "said": heard, "asked": ASKED, "progress": PROGRESS}
    print(json.dumps({**told, "changed": changed}))


asyncio.run(main())
