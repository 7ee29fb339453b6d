from django.db import migrations


class Migration(migrations.Migration):
    """Installed functions once; they are in rooms/sql now."""

    dependencies = [("rooms", "0004_session_contest"), ("payments", "0006_seal_functions")]

    operations = []
