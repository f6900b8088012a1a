"""Asks the simulated model at SIM_URL with the official OpenAI SDK, in both forms of Azure's address; prints one JSON object of what it
was told. Any answer that the SDK cannot read ends it with a traceback."""

import json
import os
import sys
import urllib.request
from typing import Literal

import openai
from openai import AzureOpenAI, OpenAI
from pydantic import BaseModel, ConfigDict

URL, TOKEN, CONTROL = os.environ["SIM_URL"], os.environ["SIM_TOKEN"], os.environ["SIM_CONTROL"]
MODEL = "simulated-model"
ERROR = "java.net.ConnectException: Connection refused"
MESSAGES = [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": f"[facts]\n[error]\n{ERROR}\n"}]


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    setting: str
    value: str


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    quotes: list[str]
    summary: str
    cause: str
    action: Literal["retry", "notify", "escalate", "retry_with_new_params"]
    parameters: list[Setting]
    confidence: float
    message: str


def control(*commands):
    request = urllib.request.Request(CONTROL, json.dumps(commands).encode(), {"content-type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert json.load(opener.open(request))["ok"]


def fault(**what):
    control({"do": "clear_faults"}, {"do": "fault", "path": "/chat/completions", **what})


def dated(**more):
    given = {"api_key": TOKEN, "azure_endpoint": URL, "api_version": "2024-10-21", "max_retries": 0, **more}
    if "azure_ad_token" in more:
        del given["api_key"]
    return AzureOpenAI(**given)


def v1(**more):
    return OpenAI(**{"api_key": TOKEN, "base_url": f"{URL}/openai/v1", "max_retries": 0, **more})


def ask(client, **more):
    return client.chat.completions.create(model=MODEL, messages=MESSAGES, **more)


def plain(client):
    answer = ask(client, max_tokens=600, temperature=0)
    choice = answer.choices[0]
    assert choice.finish_reason == "stop" and choice.message.role == "assistant" and choice.message.refusal is None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    return {"model": answer.model, "quotes": json.loads(choice.message.content)["quotes"], "tokens": answer.usage.prompt_tokens > 0}


def streamed(client):
    text, roles, ends, usage = "", [], [], None
    for chunk in ask(client, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            roles += [choice.delta.role] if choice.delta.role else []
            ends += [choice.finish_reason] if choice.finish_reason else []
    return {"quotes": json.loads(text)["quotes"], "roles": roles, "ends": ends, "tokens": usage.completion_tokens > 0}


def gathered(client):
    """The SDK's own way to put a stream together, which checks more than the bare chunks."""
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES, response_format=Verdict) as events:
        for _ in events:
            pass
        return events.get_final_completion().choices[0].message.parsed.quotes


def parsed(client):
    return client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Verdict).choices[0].message.parsed.cause


def refused(call):
    """The class and code of the SDK's own exception."""
    try:
        call()
    except openai.APIStatusError as error:
        return {"raised": type(error).__name__, "status": error.status_code, "code": error.code, "said": error.message}
    except openai.APIError as error:
        return {"raised": type(error).__name__, "said": str(error)}
    return None


def main():
    told = {}
    for name, make in {"dated": dated, "v1": v1}.items():
        client = make()
        told[name] = {"plain": plain(client), "streamed": streamed(client), "parsed": parsed(client), "gathered": gathered(client)}
        told[name]["wrong key"] = refused(lambda: ask(make(api_key="wrong")))
        told[name]["loose schema"] = refused(lambda: ask(client, response_format={
            "type": "json_schema", "json_schema": {"name": "v", "strict": True, "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
        }))
        fault(status=429, retry_after=7)
        told[name]["busy"] = refused(lambda: ask(client))
        fault(body="content_filter")
        told[name]["filtered"] = refused(lambda: ask(client))
        fault(status=500)
        told[name]["failed"] = refused(lambda: ask(client))
        fault(status=503, body="html")
        told[name]["page"] = refused(lambda: ask(client))
        fault(drop_answer=True)
        told[name]["dropped"] = refused(lambda: ask(client))
        fault(cut_after=4)
        told[name]["cut"] = refused(lambda: streamed(client))
        fault(delay_ms=2000)
        told[name]["late"] = refused(lambda: ask(make(timeout=0.2)))
        control({"do": "clear_faults"})
    fault(status=429, retry_after=1, times=1)
    told["waited"] = plain(dated(max_retries=1))["quotes"]
    told["entra"] = plain(dated(azure_ad_token=TOKEN))["quotes"]
    told["entra by provider"] = plain(AzureOpenAI(azure_ad_token_provider=lambda: TOKEN, azure_endpoint=URL, api_version="2024-10-21"))["quotes"]
    told["wrong entra"] = refused(lambda: ask(dated(azure_ad_token="eyJ.wrong")))
    told["nowhere"] = refused(lambda: dated().embeddings.create(model=MODEL, input="x"))
    json.dump(told, sys.stdout)


main()
