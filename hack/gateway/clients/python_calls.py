"""The clients of OpenAI and Anthropic for Python: python_calls.py NAME URL makes one call and prints what it came to."""

import io
import json
import sys

from anthropic import Anthropic
from openai import OpenAI

name, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost"
openai = OpenAI(base_url=url + "/v1", api_key="k", max_retries=0)
anthropic = Anthropic(base_url=url, api_key="k", max_retries=0)
messages = [{"role": "user", "content": "hello"}]


def streamed(stream):
    text, usage = "", None
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
        usage = chunk.usage or usage
    return f"{text} {'null' if usage is None else 'counts'}"


def sound():
    file = io.BytesIO(bytes([0, 255, 128]))
    file.name = "a.wav"
    return file


def anthropic_stream():
    with anthropic.messages.stream(model="m", max_tokens=9, messages=messages) as stream:
        return "".join(stream.text_stream)


calls = {
    "completions.create": lambda: openai.completions.create(model="m", prompt="hello").choices[0].text,
    "chat.completions.create": lambda: openai.chat.completions.create(model="m", messages=messages).choices[0].message.content,
    "chat.completions.create, stream": lambda: streamed(openai.chat.completions.create(model="m", messages=messages, stream=True)),
    "embeddings.create": lambda: len(openai.embeddings.create(model="m", input="hello", encoding_format="float").data),
    "responses.create": lambda: openai.responses.create(model="m", input="hello").output_text,
    "audio.transcriptions.create": lambda: openai.audio.transcriptions.create(model="m", file=sound()).text,
    "models.retrieve": lambda: openai.models.retrieve("m").id,
    "messages.create": lambda: anthropic.messages.create(model="m", max_tokens=9, messages=messages).content[0].text,
    "messages.stream": anthropic_stream,
}
print(json.dumps(list(calls)) if name == "--list" else calls[name]())
