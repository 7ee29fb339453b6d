"""`.env.example` explains every setting, and nothing that is none."""

import re

from django.conf import settings

READS = re.compile(r"""(?:env\.\w+|secret|os\.environ\.get|environ\.get)\(\s*"([A-Z][A-Z0-9_]+)\"""")


def test_every_setting_that_is_read_is_explained():
    home = settings.BASE_DIR / "gameplatform"
    texts = [path.read_text() for path in (home / "settings.py", *(home / "launcher").glob("*.py"))]
    read = {name for text in texts for name in READS.findall(text)}
    read |= {f"RATE_LIMIT_{scope.upper()}" for scope in settings.RATE_LIMITS}
    read -= {"PATH", "HOME", "TZ", "LANG", "DJANGO_SETTINGS_MODULE"}
    explained = re.findall(r"^([A-Z][A-Z0-9_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == read
