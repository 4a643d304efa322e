"""The playground: a page for the browser that shows what the service does.

`files.py` serves what lies in `static/`: plain modules, without a build step, and nothing from elsewhere.

- `app.js` starts the page; `api.js` makes every call, `code.js` shows it as curl and Python lines
- `panels/`: a module for each panel
- `widgets/`: what panels share, such as the timeline and the place where recordings come in
- `audio/`: recording, decoding, spectrum, playing
- `texts/`: everything that the page says, a file for each language
"""

from service.page.files import PageFiles, examples_folder, home_page

__all__ = ["PageFiles", "examples_folder", "home_page"]
