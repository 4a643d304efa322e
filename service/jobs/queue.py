"""The Celery app. A message holds only a job's id; the record has the rest. Lost messages are sent again."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import structlog
from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from redis.connection import parse_url

from service.jobs.files import Folders
from service.settings import Settings

TASK = "twofold.finetune"
QUEUE = "finetune"
_POLL_S = 0.2  # how often an idle worker looks into the folder
_log = structlog.get_logger(__name__)


def make_celery(settings: Settings, folders: Folders) -> Celery:
    """Uses Redis if `TWOFOLD_REDIS_URL` is set. Otherwise uses a folder of messages, without a server."""
    app = Celery("twofold", set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    if settings.redis_url:
        # After this time Redis gives a message to another worker: it must exceed the longest job.
        visible_s = settings.finetune_timeout_s + 600
        app.conf.update(
            broker_url=broker_url(settings.redis_url.get_secret_value()),
            broker_transport_options={"visibility_timeout": visible_s, "socket_timeout": 10},
        )
    else:
        folders.messages.mkdir(parents=True, exist_ok=True)
        app.conf.update(
            broker_url="localhost",  # kombu needs a host, although there is none
            broker_transport="service.jobs.broker:Transport",
            broker_transport_options={"folder": str(folders.messages), "polling_interval": _POLL_S},
        )
    return app


def broker_url(redis_url: str) -> str:
    """The URL of the same Redis database as Celery's transport writes it.

    That one has another scheme for sockets, and takes password and database from fewer places.
    """
    options = parse_url(redis_url)  # type: ignore[no-untyped-call]
    parts = urlsplit(redis_url)
    name, password = (quote(options.get(part, ""), safe="") for part in ("username", "password"))
    who = f"{name}:{password}@" if name or password else ""
    database = options.get("db", 0)
    if parts.scheme == "unix":
        return f"redis+socket://{who}{quote(options['path'])}?virtual_host={database}"
    host = parts.hostname or "localhost"
    if ":" in host:
        host = f"[{host}]"
    more = [pair for pair in parse_qsl(parts.query) if pair[0] not in ("db", "username", "password")]
    query = f"?{urlencode(more)}" if more else ""
    return f"{parts.scheme}://{who}{host}:{options.get('port', 6379)}/{database}{query}"


class JobQueue(Protocol):
    """Tells workers of jobs."""

    def send(self, job_id: str) -> None:
        """Tells an idle worker, or the next that becomes idle. Never raises."""
        ...


class CeleryQueue:
    """`JobQueue` by Celery messages."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send(self, job_id: str) -> None:
        try:
            self._app.send_task(TASK, [job_id], retry=False)
        except (OSError, KombuError, OperationalError) as error:
            # An idle worker will find the job waiting and send the message again.
            _log.warning("message_not_sent", job_id=job_id, error=type(error).__name__)
