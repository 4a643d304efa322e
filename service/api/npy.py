"""Vectors as a file for `numpy.load`: a fifth of JSON's bytes, and no time to write or read."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from fastapi import Request, Response

from bundle.arrays import Float32
from service.api.accept import prefers

NPY = "application/x-npy"
#: Of the OpenAPI document: the other answer of a call that gives vectors.
NPY_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {NPY: {"schema": {"type": "string", "format": "binary"}}}}
}


def wants_npy(request: Request) -> bool:
    """Whether the client prefers a .npy file over JSON."""
    return prefers(request, NPY, over="application/json")


def npy_answer(array: Float32, model: str) -> Response:
    """A float32 array as a .npy file; the header names the model that made it."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return Response(buffer.getvalue(), media_type=NPY, headers={"X-Model": model})
