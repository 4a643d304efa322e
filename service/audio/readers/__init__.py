"""What decodes audio files: libsndfile in this process, FFmpeg in processes of its own.

`source` is what both give. `libsndfile` reads what it reads well. `ffmpeg` reads all else, through
`ffmpeg_child`, which is another process's program.
"""

from service.audio.readers.ffmpeg import FfmpegReader
from service.audio.readers.libsndfile import Unreadable, open_libsndfile
from service.audio.readers.source import Source

__all__ = ["FfmpegReader", "Source", "Unreadable", "open_libsndfile"]
