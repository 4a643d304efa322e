"""onnxruntime sessions, the micro-batcher, and which version serves."""

from service.inference.active import ActiveModel, ActiveModelFile
from service.inference.batcher import BatchObserver, MicroBatcher
from service.inference.content import content_frames, content_hop
from service.inference.cpu import available_cpus, inference_threads
from service.inference.engine import Engine
from service.inference.registry import HOW_TO_TRAIN_GAAE, ModelRegistry
from service.inference.session import OnnxSession, RuntimeMissingError

__all__ = [
    "HOW_TO_TRAIN_GAAE",
    "ActiveModel",
    "ActiveModelFile",
    "BatchObserver",
    "Engine",
    "MicroBatcher",
    "ModelRegistry",
    "OnnxSession",
    "RuntimeMissingError",
    "available_cpus",
    "content_frames",
    "content_hop",
    "inference_threads",
]
