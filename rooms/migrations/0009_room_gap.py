from typing import Any

from django.conf import settings
from django.db import migrations, models


def keep_the_gap(apps: Any, schema_editor: Any) -> None:
    """Give existing rooms the gap they have had so far, which was a setting."""
    apps.get_model("rooms", "Room").objects.update(gap_seconds=settings.ROOM_GAP_SECONDS)


class Migration(migrations.Migration):
    dependencies = [("rooms", "0008_membership_owed")]

    operations = [
        migrations.AddField("room", "gap_seconds", models.PositiveIntegerField(db_default=10)),
        migrations.RunPython(keep_the_gap, migrations.RunPython.noop),
    ]
