from django.db import migrations


class Migration(migrations.Migration):
    """Installed functions once; they are in payments/sql now."""

    dependencies = [("payments", "0005_seals_and_freezes")]

    operations = []
