"""Calls a running service from Python: `Client`, and `AsyncClient` for asyncio. They need httpx and pydantic.

    from service.client import Client

    with Client("http://127.0.0.1:8000") as client:
        client.enrol("ann", "ann.wav")
        print(client.identify("who.wav").match)

Answers have the names of the OpenAPI document. A call that fails raises a `ClientError`.
"""

from service.client.answers import (
    ActivateAnswer,
    AudioAnswer,
    BulkAnswer,
    CandidateAnswer,
    ContentAnswer,
    DiarizeAnswer,
    EmbedAnswer,
    EnrolledAnswer,
    ErasuresAnswer,
    FinetuneAnswer,
    GenerateAnswer,
    IdentifyAnswer,
    JobAnswer,
    LabelsAnswer,
    LongDiarizeAnswer,
    ModelsAnswer,
    SpeakerAnswer,
    VerifyAnswer,
)
from service.client.asynchronous import AsyncClient
from service.client.errors import ClientError, ServiceRefused, ServiceUnreachable
from service.client.synchronous import Client

__all__ = [
    "ActivateAnswer",
    "AsyncClient",
    "AudioAnswer",
    "BulkAnswer",
    "CandidateAnswer",
    "Client",
    "ClientError",
    "ContentAnswer",
    "DiarizeAnswer",
    "EmbedAnswer",
    "EnrolledAnswer",
    "ErasuresAnswer",
    "FinetuneAnswer",
    "GenerateAnswer",
    "IdentifyAnswer",
    "JobAnswer",
    "LabelsAnswer",
    "LongDiarizeAnswer",
    "ModelsAnswer",
    "ServiceRefused",
    "ServiceUnreachable",
    "SpeakerAnswer",
    "VerifyAnswer",
]
