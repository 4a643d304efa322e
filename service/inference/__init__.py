"""Bundles, onnxruntime sessions and the micro-batcher."""

from service.inference.active import ActiveModel, ActiveModelFile
from service.inference.batcher import BatchObserver, MicroBatcher
from service.inference.bundle import Bundle, BundleError, BySeconds, Scoring, StoredBundle, bundle_folders
from service.inference.content import content_frames
from service.inference.cpu import available_cpus, inference_threads
from service.inference.engine import Engine, pool_utterance
from service.inference.generator_bundle import GeneratorBundle, SpectrogramScale, read_bundle
from service.inference.registry import ModelRegistry
from service.inference.session import OnnxSession, RuntimeMissingError

__all__ = [
    "ActiveModel",
    "ActiveModelFile",
    "BatchObserver",
    "Bundle",
    "BundleError",
    "BySeconds",
    "Engine",
    "GeneratorBundle",
    "MicroBatcher",
    "ModelRegistry",
    "OnnxSession",
    "RuntimeMissingError",
    "Scoring",
    "SpectrogramScale",
    "StoredBundle",
    "available_cpus",
    "bundle_folders",
    "content_frames",
    "inference_threads",
    "pool_utterance",
    "read_bundle",
]
